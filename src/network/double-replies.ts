import type { Frame } from '../wire/frame.js';
import { ipv4Identification } from '../wire/ipv4.js';
import { Protocol } from '../wire/protocol.js';
import { SLL_ADDRESS, SLL2_ADDRESS } from '../wire/sll.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';

const MAX_PINGS = 1 << 11;
/** Two replies belong to one request if they come within this time, what `ping` waits between two. */
const WINDOW_NS = 1e9;

const ASKED = 4;
const ASKED_ID = 5;
const REPEATS = 6;
const REPLIED = 7;
const REPLIED_ID = 8;
const HI = 9;
const LO = 10;
const OFFSET = 11;
const COUNT = 12;
const LIST = 13;
const STRIDE = 14;

/**
 * Echo requests over IPv4 that were seen once and answered twice, by two packets of one station: the target got the request
 * twice, for each reply that it makes has an identification of its own (RFC 6864 section 4.1). A row is (segment, source,
 * destination, identifier), as in `Pings`; sequence numbers are kept with 1 added, so that 0 is none.
 */
export class DoubleReplies {
  private readonly table: KeyTable;
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private replyTimes = new Float64Array(0);
  private replyFrames = new Float64Array(0);
  private requestFrames = new Float64Array(0);

  constructor(
    private readonly lists: FrameLists,
    /** Told at the 1st, 2nd, 4th … request that was answered twice. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_PINGS,
      (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
        this.replyTimes = longer(this.replyTimes, capacity);
        this.replyFrames = longer(this.replyFrames, capacity);
        this.requestFrames = longer(this.requestFrames, capacity);
      },
    );
  }

  /** An echo request; `layer` is its ICMP header, the IPv4 header is below. */
  request(
    segment: number,
    source: number,
    destination: number,
    id: number,
    sequence: number,
    frame: Frame,
    layer: number,
  ) {
    const row = this.table.add(segment, source, destination, id);
    const { cells } = this.table;
    const at = row * STRIDE;
    const identification = ipv4Identification(frame.view, frame.offsets[layer - 1]);
    // The pinging host itself sent it twice.
    if (cells[at + ASKED] === sequence + 1 && cells[at + ASKED_ID] !== identification) cells[at + REPEATS]++;
    cells[at + ASKED] = sequence + 1;
    cells[at + ASKED_ID] = identification;
    this.requestFrames[row] = frame.number;
  }

  /** A reply, from `destination` back to `source`. */
  reply(
    segment: number,
    source: number,
    destination: number,
    id: number,
    sequence: number,
    frame: Frame,
    layer: number,
  ) {
    const row = this.table.find(segment, source, destination, id);
    if (row < 0) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + ASKED] !== sequence + 1) return;
    const { view } = frame;
    const identification = ipv4Identification(view, frame.offsets[layer - 1]);
    const sender = senderOf(frame, layer - 2);
    const hi = sender < 0 ? -1 : view.getUint16(sender);
    const lo = sender < 0 ? -1 : view.getInt32(sender + 2);
    const offset = frame.offsets[layer] - frame.start;
    const isSecond =
      cells[at + REPLIED] === sequence + 1 &&
      identification !== 0 &&
      cells[at + REPLIED_ID] !== 0 &&
      cells[at + REPLIED_ID] !== identification &&
      cells[at + HI] === hi &&
      cells[at + LO] === lo &&
      frame.time - this.replyTimes[row] <= WINDOW_NS;
    if (isSecond) {
      let list = this.lists.append(cells[at + LIST], this.requestFrames[row], offset, 8);
      list = this.lists.append(list, this.replyFrames[row], cells[at + OFFSET], 8);
      cells[at + LIST] = this.lists.append(list, frame.number, offset, 8);
      if (cells[at + COUNT] === 0) this.firsts[row] = frame.time;
      this.lasts[row] = frame.time;
      const count = ++cells[at + COUNT];
      // A third reply to the same request adds nothing.
      cells[at + REPLIED] = 0;
      if ((count & (count - 1)) === 0) this.tell(row);
      return;
    }
    cells[at + REPLIED] = sequence + 1;
    cells[at + REPLIED_ID] = identification;
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    cells[at + OFFSET] = offset;
    this.replyTimes[row] = frame.time;
    this.replyFrames[row] = frame.number;
  }

  get count(): number {
    return this.table.rowCount;
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  /** Rows of `Addresses`: who asks, and who gets requests twice. */
  source(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  destination(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  /** Requests that were answered twice. */
  doubled(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** Requests that the pinging host sent again, with another identification and the same sequence number. */
  repeats(row: number): number {
    return this.table.cells[row * STRIDE + REPEATS];
  }

  /** `Frame.time` of the first and the latest second reply. */
  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  /** Each time the request and both replies, as evidence. */
  places(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }
}

/** Offset of the sender's hardware address in the link header at `layer` or below, -1 without one. */
function senderOf({ kinds, offsets }: Frame, layer: number): number {
  let link = layer;
  while (link >= 0 && kinds[link] === Protocol.Vlan) link--;
  if (link < 0) return -1;
  const kind = kinds[link];
  if (kind === Protocol.Ethernet) return offsets[link] + 6;
  if (kind === Protocol.Sll) return offsets[link] + SLL_ADDRESS;
  return kind === Protocol.Sll2 ? offsets[link] + SLL2_ADDRESS : -1;
}
