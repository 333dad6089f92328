import type { Frame } from '../wire/frame.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import { FROM_SECOND, type Stream, streamAt } from './streams.js';

const MAX_STREAMS = 1 << 11;
/** Repetitions of one segment closer than this are not the timer's (RFC 6298: RTO; Linux waits 200 ms at least). */
const TIMER_NS = 100e6;
/** Repetitions that are told at once; further ones at powers of two. */
const ENOUGH = 3;

const COUNT = 4;
const NEEDLESS = 5;
const SENT = 6;
const LIST = 7;
/** The first missing segment: sequence number, how often it was sent again, length of its IP packet, signs of life since. */
const SEQUENCE = 8;
const TRIES = 9;
const SIZE = 10;
const SIGNS = 11;
const STUCK_LIST = 12;
const DELIVERED = 13;
/** Length in which the stuck segment went through in the end, 0 if it did not. */
const SHRUNK = 14;
const HEALED = 15;
const STRIDE = 16;

/**
 * Data that was sent again, by direction of a connection (`streams.ts`), and the segment that is sent again and again
 * because it is never acknowledged.
 */
export class Retransmissions {
  private readonly table: KeyTable;
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private stuckFirsts = new Float64Array(0);
  private stuckLasts = new Float64Array(0);

  constructor(
    private readonly lists: FrameLists,
    private readonly tell: {
      /** The 3rd, 4th, 8th, 16th … segment was sent again, or the capture ended. */
      repeated(row: number): void;
      /** One segment was sent again for the 3rd, 4th, 8th … time, was acknowledged after all, or the capture ended. */
      stuck(row: number): void;
    },
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_STREAMS,
      (row) => this.release(row),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
        this.stuckFirsts = longer(this.stuckFirsts, capacity);
        this.stuckLasts = longer(this.stuckLasts, capacity);
      },
    );
  }

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  /**
   * The `end` of the connection at `cell` of the table of flows sends something again, `total` bytes as IP packet.
   * `sent` segments it sent before, of which the longest that arrived had `delivered` bytes. `isFirstMissing`: the other
   * end waits for this one, and has told so `idleAcks` times.
   */
  again(
    frame: Frame,
    layer: number,
    flows: Int32Array,
    cell: number,
    end: number,
    sequence: number,
    total: number,
    sent: number,
    delivered: number,
    isFirstMissing: boolean,
    idleAcks: number,
  ): void {
    const word = end === 0 ? flows[cell] : flows[cell] | FROM_SECOND;
    const row = this.table.add(word, flows[cell + 1], flows[cell + 2], flows[cell + 3]);
    const { cells } = this.table;
    const at = row * STRIDE;
    const { time } = frame;
    const count = ++cells[at + COUNT];
    if (count === 1) this.firsts[row] = time;
    this.lasts[row] = time;
    cells[at + SENT] = sent;
    cells[at + LIST] = this.note(cells[at + LIST], frame, layer);
    if (isTime(count)) this.tell.repeated(row);
    if (!isFirstMissing || cells[at + HEALED] !== 0) return;
    if (cells[at + TRIES] === 0 || cells[at + SEQUENCE] !== sequence) {
      this.lists.release(cells[at + STUCK_LIST]);
      cells[at + STUCK_LIST] = this.note(0, frame, layer);
      cells[at + SEQUENCE] = sequence;
      cells[at + TRIES] = 1;
      cells[at + SIZE] = total;
      cells[at + SIGNS] = idleAcks;
      cells[at + SHRUNK] = 0;
      cells[at + DELIVERED] = delivered;
      this.stuckFirsts[row] = time;
      this.stuckLasts[row] = time;
      return;
    }
    if (total < cells[at + SIZE]) cells[at + SHRUNK] = total;
    if (time - this.stuckLasts[row] < TIMER_NS) return;
    this.stuckLasts[row] = time;
    cells[at + STUCK_LIST] = this.note(cells[at + STUCK_LIST], frame, layer);
    if (isTime(++cells[at + TRIES])) this.tell.stuck(row);
  }

  /** Data of `end` is acknowledged up to `ack`; `isNeedless`: some of it came twice. */
  acked(flows: Int32Array, cell: number, end: number, ack: number, isNeedless: boolean): void {
    const row = this.find(flows, cell, end);
    if (row < 0) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    if (isNeedless) cells[at + NEEDLESS]++;
    const tries = cells[at + TRIES];
    if (tries === 0 || cells[at + HEALED] !== 0 || ((ack - cells[at + SEQUENCE]) | 0) <= 0) return;
    // It went through in smaller pieces: that its size was the trouble is proved.
    if (cells[at + SHRUNK] !== 0 && tries >= ENOUGH) cells[at + HEALED] = 1;
    else cells[at + TRIES] = 0;
    if (tries >= ENOUGH) this.tell.stuck(row);
  }

  /** The other end sends, and acknowledges nothing new. */
  idles(flows: Int32Array, cell: number, end: number, isNeedless: boolean): void {
    const row = this.find(flows, cell, end);
    if (row < 0) return;
    const at = row * STRIDE;
    if (isNeedless) this.table.cells[at + NEEDLESS]++;
    this.table.cells[at + SIGNS] += 2;
  }

  /** How many segments `end` sent first. */
  sentInAll(flows: Int32Array, cell: number, end: number, sent: number): void {
    const row = this.find(flows, cell, end);
    if (row >= 0) this.table.cells[row * STRIDE + SENT] = sent;
  }

  /** Tells of the streams in the segments that `isOfCapture` names. */
  finish(isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++) {
      if (!isOfCapture(this.stream(row).segment)) continue;
      if (this.repetitions(row) >= ENOUGH) this.tell.repeated(row);
      if (this.tries(row) >= ENOUGH) this.tell.stuck(row);
    }
  }

  stream(row: number): Stream {
    return streamAt(this.table.cells, row * STRIDE);
  }

  /** Segments that were sent again, those of them that the receiver had already, and all that were sent first. */
  repetitions(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  needless(row: number): number {
    return this.table.cells[row * STRIDE + NEEDLESS];
  }

  sent(row: number): number {
    return this.table.cells[row * STRIDE + SENT];
  }

  /** How often the segment was sent again that is in the way; 0 if none is. */
  tries(row: number): number {
    return this.table.cells[row * STRIDE + TRIES];
  }

  /** Length of its IP packet in bytes, and of the longest that arrived before. */
  size(row: number): number {
    return this.table.cells[row * STRIDE + SIZE];
  }

  delivered(row: number): number {
    return this.table.cells[row * STRIDE + DELIVERED];
  }

  /** Length in which its data went through in the end, 0 if it did not. */
  healedBy(row: number): number {
    const at = row * STRIDE;
    return this.table.cells[at + HEALED] === 0 ? 0 : this.table.cells[at + SHRUNK];
  }

  /** Whether the other end lives and waits for just this segment. */
  isAwaited(row: number): boolean {
    return this.table.cells[row * STRIDE + SIGNS] >= 2;
  }

  /** `Frame.time` of the first and the latest repetition; of those of the segment that is in the way. */
  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  stuckFirst(row: number): number {
    return this.stuckFirsts[row];
  }

  stuckLast(row: number): number {
    return this.stuckLasts[row];
  }

  places(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  stuckPlaces(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + STUCK_LIST]);
  }

  private find(flows: Int32Array, cell: number, end: number): number {
    const word = end === 0 ? flows[cell] : flows[cell] | FROM_SECOND;
    return this.table.find(word, flows[cell + 1], flows[cell + 2], flows[cell + 3]);
  }

  private note(list: number, frame: Frame, layer: number): number {
    const at = frame.offsets[layer];
    return this.lists.append(list, frame.number, at - frame.start, frame.ends[layer] - at);
  }

  private release(row: number): void {
    this.lists.release(this.table.cells[row * STRIDE + LIST]);
    this.lists.release(this.table.cells[row * STRIDE + STUCK_LIST]);
  }
}

/** The 3rd, and then the 4th, 8th, 16th … */
function isTime(count: number): boolean {
  return count === ENOUGH || (count > ENOUGH && (count & (count - 1)) === 0);
}
