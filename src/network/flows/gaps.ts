import type { Frame } from '../../wire/frame.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { COUNT, LIST, OWN } from '../rows/sightings.js';
import { StreamSightings } from './streams.js';

const MAX_STREAMS = 1 << 11;
/** Longer gaps are no lost frames: a new connection between the same ports, or a broken sender. */
const LONGEST = 1 << 20;

/** Sequence numbers of the gap that is looked at: of its first octet, and of the first behind it. Equal if there is none. */
const FROM = OWN;
const TO = OWN + 1;
/** The acknowledgment that covers octets of the gap: number of its frame (32 bits without a sign, 0 while there is none), place and length of its header. */
const FRAME = OWN + 2;
const OFFSET = OWN + 3;
const LENGTH = OWN + 4;
/** Data behind the gap was seen: this direction did not just end here, or take another way. */
const GOES_ON = OWN + 5;
const STRIDE = OWN + 6;

/**
 * Data that its receiver acknowledged and that is not in the capture, by direction of a connection (`streams.ts`): the
 * capture lacks those frames. What comes later after all, overtaken or sent again, fills the gap.
 */
export class Gaps extends StreamSightings {
  constructor(lists: FrameLists) {
    super(lists, STRIDE, MAX_STREAMS);
  }

  /**
   * Of `end` of the connection at `cell` of the table of flows, data from `from` to before `to` was not seen: what is sent
   * (`isSent`) or acknowledged now lies behind it.
   */
  opened(flows: Int32Array, cell: number, end: number, from: number, to: number, isSent: boolean): void {
    const size = (to - from) | 0;
    // Keep-alives stand one octet back (RFC 9293 section 3.8.4).
    if (size <= 1 || size > LONGEST) return;
    const row = this.addStream(flows, cell, end);
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
    const row = this.findStream(flows, cell, end);
    if (row < 0) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    if (((cells[at + TO] - sequence) | 0) <= 0) cells[at + GOES_ON] = 1;
    else if (((next - cells[at + FROM]) | 0) > 0) cells[at + TO] = cells[at + FROM];
  }

  /** The other end acknowledges data of `end` up to `ack`, in the TCP header at `layer`. */
  acked(frame: Frame, layer: number, flows: Int32Array, cell: number, end: number, ack: number): void {
    const row = this.findStream(flows, cell, end);
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
    for (let row = 0; row < this.table.rowCount; row++) if (isOfCapture(this.segment(row))) this.settle(row * STRIDE);
  }

  /** Gaps, each of one frame or more. */
  gaps(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** The gap that was looked at is one, if it was acknowledged and not filled. */
  private settle(at: number): void {
    const { cells } = this.table;
    if (cells[at + FRAME] !== 0 && cells[at + GOES_ON] !== 0 && cells[at + TO] !== cells[at + FROM]) {
      cells[at + COUNT]++;
      cells[at + LIST] = this.lists.append(
        cells[at + LIST],
        cells[at + FRAME] >>> 0,
        cells[at + OFFSET],
        cells[at + LENGTH],
      );
    }
    cells[at + TO] = cells[at + FROM];
  }
}
