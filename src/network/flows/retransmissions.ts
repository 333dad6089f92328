import type { Frame } from '../../wire/frame.js';
import { tcpSack } from '../../wire/tcp.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { COUNT, OWN } from '../rows/sightings.js';
import { StreamSightings } from './streams.js';

const MAX_STREAMS = 1 << 11;
/** Repetitions of one segment closer than this are not the timer's (RFC 6298: RTO; Linux waits 200 ms at least). */
const TIMER_NS = 100e6;
/** Repetitions that are told at once; further ones at powers of two. */
const ENOUGH = 3;

const NEEDLESS = OWN;
const SENT = OWN + 1;
/** The first missing segment: sequence number, how often it was sent again, length of its IP packet, signs of life since. */
const SEQUENCE = OWN + 2;
const TRIES = OWN + 3;
const SIZE = OWN + 4;
const SIGNS = OWN + 5;
const STUCK_LIST = OWN + 6;
const DELIVERED = OWN + 7;
/** Length in which the stuck segment went through in the end, 0 if it did not. */
const SHRUNK = OWN + 8;
const HEALED = OWN + 9;
/** Milliseconds for which nothing new was sent before that segment, 0 if they were few. */
const RESTED = OWN + 10;
/** `Frame.time` of the first and the latest time that segment was sent again: doubles. */
const STUCK_FIRST = (OWN + 12) / 2;
const STUCK_LAST = STUCK_FIRST + 1;
const STRIDE = 2 * (STUCK_LAST + 1);
const DOUBLES = STRIDE / 2;

/**
 * Data that was sent again, by direction of a connection (`streams.ts`), and the segment that is sent again and again
 * because it is never acknowledged.
 */
export class Retransmissions extends StreamSightings {
  constructor(
    lists: FrameLists,
    private readonly tell: {
      /** The 3rd, 4th, 8th, 16th … segment was sent again, or the capture ended. */
      repeated(row: number): void;
      /** One segment was sent again for the 3rd, 4th, 8th … time, was acknowledged after all, or the capture ended. */
      stuck(row: number): void;
    },
  ) {
    super(lists, STRIDE, MAX_STREAMS, STUCK_LIST);
  }

  /**
   * The `end` of the connection at `cell` of the table of flows sends something again, `total` bytes as IP packet.
   * `sent` segments it sent before, of which the longest that arrived had `delivered` bytes. `isFirstMissing`: the other
   * end waits for this one, and has told so `idleAcks` times. Nothing new was sent in the `rested` milliseconds before it.
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
    rested: number,
  ): void {
    const row = this.addStream(flows, cell, end);
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const { time } = frame;
    cells[at + SENT] = sent;
    if (isTime(this.sight(row, frame, layer))) this.tell.repeated(row);
    if (!isFirstMissing || cells[at + HEALED] !== 0) return;
    if (cells[at + TRIES] === 0 || cells[at + SEQUENCE] !== sequence) {
      this.lists.release(cells[at + STUCK_LIST]);
      cells[at + STUCK_LIST] = 0;
      this.list(at + STUCK_LIST, frame, layer);
      cells[at + SEQUENCE] = sequence;
      cells[at + TRIES] = 1;
      cells[at + SIZE] = total;
      cells[at + SIGNS] = idleAcks;
      cells[at + SHRUNK] = 0;
      cells[at + DELIVERED] = delivered;
      cells[at + RESTED] = rested;
      doubles[row * DOUBLES + STUCK_FIRST] = time;
      doubles[row * DOUBLES + STUCK_LAST] = time;
      return;
    }
    if (total < cells[at + SIZE]) cells[at + SHRUNK] = total;
    if (time - doubles[row * DOUBLES + STUCK_LAST] < TIMER_NS) return;
    doubles[row * DOUBLES + STUCK_LAST] = time;
    this.list(at + STUCK_LIST, frame, layer);
    if (isTime(++cells[at + TRIES])) this.tell.stuck(row);
  }

  /** Data of `end` is acknowledged up to `ack`; `isNeedless`: some of it came twice. */
  acked(flows: Int32Array, cell: number, end: number, ack: number, isNeedless: boolean): void {
    const row = this.findStream(flows, cell, end);
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
    const row = this.findStream(flows, cell, end);
    if (row < 0) return;
    const at = row * STRIDE;
    if (isNeedless) this.table.cells[at + NEEDLESS]++;
    this.table.cells[at + SIGNS] += 2;
  }

  /** How many segments `end` sent first. */
  sentInAll(flows: Int32Array, cell: number, end: number, sent: number): void {
    const row = this.findStream(flows, cell, end);
    if (row >= 0) this.table.cells[row * STRIDE + SENT] = sent;
  }

  /** Tells of the streams in the segments that `isOfCapture` names. */
  finish(isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++) {
      if (!isOfCapture(this.segment(row))) continue;
      if (this.repetitions(row) >= ENOUGH) this.tell.repeated(row);
      if (this.tries(row) >= ENOUGH) this.tell.stuck(row);
    }
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

  /** Nanoseconds for which its sender had sent nothing new before it; 0 if they were few. */
  rested(row: number): number {
    return this.table.cells[row * STRIDE + RESTED] * 1e6;
  }

  /** Whether the other end lives and waits for just this segment. */
  isAwaited(row: number): boolean {
    return this.table.cells[row * STRIDE + SIGNS] >= 2;
  }

  /** `Frame.time` of the first and the latest repetition; of those of the segment that is in the way. */
  stuckFirst(row: number): number {
    return this.table.doubles[row * DOUBLES + STUCK_FIRST];
  }

  stuckLast(row: number): number {
    return this.table.doubles[row * DOUBLES + STUCK_LAST];
  }

  stuckPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + STUCK_LIST]);
  }
}

/** The 3rd, and then the 4th, 8th, 16th … */
function isTime(count: number): boolean {
  return count === ENOUGH || (count > ENOUGH && (count & (count - 1)) === 0);
}

/** Whether a segment tells that data came a second time (D-SACK, RFC 2883 section 4: the first block lies below the acknowledgment). */
export function isNeedless(frame: Frame, layer: number, ack: number): boolean {
  const { view } = frame;
  const sack = tcpSack(view, frame.offsets[layer], frame.ends[layer]);
  return sack !== 0 && ((view.getInt32(sack + 4) - ack) | 0) <= 0;
}
