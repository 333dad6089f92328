import type { Frame } from '../../wire/frame.js';
import { vlanId, vlanPriority, vlanTpid } from '../../wire/vlan.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { COUNT, OWN, Sightings } from '../rows/sightings.js';

const MAX_TAGS = 1 << 12;

const HI = OWN;
const LO = OWN + 1;
/** Set once a second sender was seen. */
const SHARED = OWN + 2;
const PRIORITY = OWN + 3;
const STRIDE = OWN + 4;

/**
 * VLAN tags that are not the plain single one: tags inside tags, and priority tags (VLAN id 0). A row is (segment behind
 * the tag, tag protocol identifier, that of the tag around it or 0, 1 for priority tags).
 */
export class Tags extends Sightings {
  constructor(
    lists: FrameLists,
    /** Told at the 1st, 2nd, 4th, 8th … frame of a row. */
    private readonly tell: (row: number) => void,
  ) {
    super(lists, STRIDE, MAX_TAGS);
  }

  /** The tag in `layer`, behind which lies `segment`, from the station (hi, lo); `isInner`: the layer before is a tag too. */
  note(frame: Frame, layer: number, segment: number, isInner: boolean, hi: number, lo: number): void {
    const at = frame.offsets[layer];
    const isPriority = vlanId(frame.view, at) === 0 ? 1 : 0;
    const around = isInner ? vlanTpid(frame, layer - 1) : 0;
    const row = this.table.add(segment, vlanTpid(frame, layer), around, isPriority);
    const { cells } = this.table;
    const cell = row * STRIDE;
    const count = this.sight(row, frame, layer);
    if (count === 1) {
      cells[cell + HI] = hi;
      cells[cell + LO] = lo;
      cells[cell + PRIORITY] = vlanPriority(frame.view, at);
    } else if (cells[cell + HI] !== hi || cells[cell + LO] !== lo) cells[cell + SHARED] = 1;
    if ((count & (count - 1)) === 0) this.tell(row);
  }

  /** The row for the same tags with other identifiers, -1 if there is none. */
  find(segment: number, tpid: number, around: number): number {
    return this.table.find(segment, tpid, around, 0);
  }

  tpid(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  /** Tag protocol identifier of the tag around this one, 0 if there is none. */
  around(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  isPriority(row: number): boolean {
    return this.table.cells[row * STRIDE + 3] !== 0;
  }

  frames(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** Hardware address of the first sender. */
  hi(row: number): number {
    return this.table.cells[row * STRIDE + HI];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + LO];
  }

  hasOneSender(row: number): boolean {
    return this.table.cells[row * STRIDE + SHARED] === 0;
  }

  /** Priority code point of the first frame. */
  priority(row: number): number {
    return this.table.cells[row * STRIDE + PRIORITY];
  }
}
