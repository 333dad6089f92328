import type { Frame } from '../../wire/frame.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { COUNT, OWN, Sightings } from '../rows/sightings.js';

const MAX_SENDERS = 1 << 12;

/** Row of `Addresses` of the first sender address that is not 0, plus 1. */
const SPA = OWN;
const STRIDE = OWN + 2;

/** ARP whose sender hardware address is not the source of its frame (catalogue A11). A row is (segment, sha, source). */
export class ArpSenders extends Sightings {
  constructor(
    lists: FrameLists,
    /** Told at the 1st, 2nd, 4th, 8th … packet of a row. */
    private readonly tell: (row: number) => void,
  ) {
    super(lists, STRIDE, MAX_SENDERS);
  }

  /** The ARP header in `layer` says (hi, lo), its frame comes from (hiFrom, loFrom). `spa`: row of `Addresses`, -1 for 0.0.0.0. */
  note(
    frame: Frame,
    layer: number,
    segment: number,
    hi: number,
    lo: number,
    hiFrom: number,
    loFrom: number,
    spa: number,
  ): void {
    const row = this.table.add(segment, (hi << 16) | hiFrom, lo, loFrom);
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + SPA] === 0) cells[at + SPA] = spa + 1;
    const count = this.sight(row, frame, layer);
    if ((count & (count - 1)) === 0) this.tell(row);
  }

  /** Sender hardware address. */
  hi(row: number): number {
    return this.table.cells[row * STRIDE + 1] >>> 16;
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  /** Source of the frames. */
  sourceHi(row: number): number {
    return this.table.cells[row * STRIDE + 1] & 0xffff;
  }

  sourceLo(row: number): number {
    return this.table.cells[row * STRIDE + 3];
  }

  /** Packets, copies not counted. */
  packets(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** Row of `Addresses`: the first sender address, -1 if all were 0.0.0.0. */
  spa(row: number): number {
    return this.table.cells[row * STRIDE + SPA] - 1;
  }
}
