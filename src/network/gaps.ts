import type { Frame } from '../wire/frame.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import { FROM_SECOND, type Stream, streamAt } from './streams.js';

const MAX_STREAMS = 1 << 11;
/** Longer gaps are no lost frames: a new connection between the same ports, or a broken sender. */
const LONGEST = 1 << 20;

const COUNT = 4;
const LIST = 5;
/** Sequence numbers of the gap that is looked at: of its first octet, and of the first behind it. Equal if there is none. */
const FROM = 6;
const TO = 7;
/** The acknowledgment that covers octets of the gap: number of its frame (0 while there is none), place and length of its header. */
const FRAME = 8;
const OFFSET = 9;
const LENGTH = 10;
/** Data behind the gap was seen: this direction did not just end here, or take another way. */
const GOES_ON = 11;
const STRIDE = 12;

/**
 * Data that its receiver acknowledged and that is not in the capture, by direction of a connection (`streams.ts`): the
 * capture lacks those frames. What comes later after all, overtaken or sent again, fills the gap.
 */
export class Gaps {
  private readonly table: KeyTable;

  constructor(private readonly lists: FrameLists) {
    this.table = new KeyTable(STRIDE, MAX_STREAMS, (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]));
  }

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  /**
   * Of `end` of the connection at `cell` of the table of flows, data from `from` to before `to` was not seen: what is sent
   * (`isSent`) or acknowledged now lies behind it.
   */
  opened(flows: Int32Array, cell: number, end: number, from: number, to: number, isSent: boolean): void {
    const size = (to - from) | 0;
    // Keep-alives stand one octet back (RFC 9293 section 3.8.4).
    if (size <= 1 || size > LONGEST) return;
    const word = end === 0 ? flows[cell] : flows[cell] | FROM_SECOND;
    const row = this.table.add(word, flows[cell + 1], flows[cell + 2], flows[cell + 3]);
    const { cells } = this.table;
    const at = row * STRIDE;
    const isSame = cells[at + FROM] === from && cells[at + TO] !== from;
    if (!isSame) {
      this.settle(at);
      cells[at + FROM] = from;
      cells[at + FRAME] = 0;
      cells[at + GOES_ON] = 0;
    }
    if (!isSame || ((to - cells[at + TO]) | 0) > 0) cells[at + TO] = to;
    if (isSent) cells[at + GOES_ON] = 1;
  }

  /** Data of `end`, from `sequence` to before `next`. */
  sent(flows: Int32Array, cell: number, end: number, sequence: number, next: number): void {
    const row = this.find(flows, cell, end);
    if (row < 0) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    if (((cells[at + TO] - sequence) | 0) <= 0) cells[at + GOES_ON] = 1;
    else if (((next - cells[at + FROM]) | 0) > 0) cells[at + TO] = cells[at + FROM];
  }

  /** The other end acknowledges data of `end` up to `ack`, in the TCP header at `layer`. */
  acked(frame: Frame, layer: number, flows: Int32Array, cell: number, end: number, ack: number): void {
    const row = this.find(flows, cell, end);
    if (row < 0) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + FRAME] !== 0 || cells[at + TO] === cells[at + FROM] || ((ack - cells[at + FROM]) | 0) <= 1) return;
    cells[at + FRAME] = frame.number;
    cells[at + OFFSET] = frame.offsets[layer] - frame.start;
    cells[at + LENGTH] = frame.ends[layer] - frame.offsets[layer];
  }

  /** At the end of a capture: what is missing now stays missing. */
  finish(isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++)
      if (isOfCapture(this.stream(row).segment)) this.settle(row * STRIDE);
  }

  stream(row: number): Stream {
    return streamAt(this.table.cells, row * STRIDE);
  }

  /** Gaps, each of one frame or more. */
  gaps(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** The acknowledgments of what is missing. */
  places(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  /** The gap that was looked at is one, if it was acknowledged and not filled. */
  private settle(at: number): void {
    const { cells } = this.table;
    if (cells[at + FRAME] !== 0 && cells[at + GOES_ON] !== 0 && cells[at + TO] !== cells[at + FROM]) {
      cells[at + COUNT]++;
      cells[at + LIST] = this.lists.append(cells[at + LIST], cells[at + FRAME], cells[at + OFFSET], cells[at + LENGTH]);
    }
    cells[at + TO] = cells[at + FROM];
  }

  private find(flows: Int32Array, cell: number, end: number): number {
    const word = end === 0 ? flows[cell] : flows[cell] | FROM_SECOND;
    return this.table.find(word, flows[cell + 1], flows[cell + 2], flows[cell + 3]);
  }
}
