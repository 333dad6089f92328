import type { Frame } from '../../wire/frame.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { COUNT, OWN } from '../rows/sightings.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from '../settings.js';
import { StreamSightings } from './streams.js';

const MAX_STREAMS = 1 << 11;

const CLOSED = OWN;
const IS_CLOSED = OWN + 1;
const TOLD = OWN + 2;
/** `Frame.time` since which it is closed, and how long it was at most, in nanoseconds: doubles. */
const SINCE = (OWN + 4) / 2;
const LONGEST = SINCE + 1;
const STRIDE = 2 * (LONGEST + 1);
const DOUBLES = STRIDE / 2;

/** Receive windows of 0, by direction of a connection (`streams.ts`): the sender of the segments is the receiver that is full. */
export class Windows extends StreamSightings {
  private readonly zeroWindow: number;

  constructor(
    lists: FrameLists,
    /** Told when a window has been closed for 0.2 s, when such a one opens, and at the end of the capture. */
    private readonly tell: (row: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    super(lists, STRIDE, MAX_STREAMS);
    this.zeroWindow = ns(settings.zeroWindow);
  }

  /** The `end` of the connection at `cell` of the table of flows tells a window of 0. */
  closed(frame: Frame, layer: number, flows: Int32Array, cell: number, end: number): void {
    const row = this.addStream(flows, cell, end);
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const { time } = frame;
    if (cells[at + IS_CLOSED] === 0) {
      cells[at + IS_CLOSED] = 1;
      cells[at + CLOSED]++;
      doubles[row * DOUBLES + SINCE] = time;
    }
    this.sight(row, frame, layer);
    const isFirst = cells[at + TOLD] === 0;
    this.note(row, time);
    if (isFirst && cells[at + TOLD] !== 0) this.tell(row);
  }

  /** It tells a window above 0 again. */
  opened(frame: Frame, flows: Int32Array, cell: number, end: number): void {
    const row = this.findStream(flows, cell, end);
    if (row < 0) return;
    this.note(row, frame.time);
    this.table.cells[row * STRIDE + IS_CLOSED] = 0;
    if (this.table.cells[row * STRIDE + TOLD] !== 0) this.tell(row);
  }

  /** Tells of the streams in the segments that `isOfCapture` names whose windows were closed for long, or still are. */
  finish(now: number, isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++) {
      if (!isOfCapture(this.segment(row))) continue;
      // One segment alone, and nothing after it, holds nobody up that is seen.
      if (this.isClosed(row) && this.table.cells[row * STRIDE + COUNT] > 1) this.note(row, now);
      if (this.table.cells[row * STRIDE + TOLD] !== 0) this.tell(row);
    }
  }

  /** How often the window closed. */
  closings(row: number): number {
    return this.table.cells[row * STRIDE + CLOSED];
  }

  isClosed(row: number): boolean {
    return this.table.cells[row * STRIDE + IS_CLOSED] !== 0;
  }

  /** How long it stayed closed at most, in nanoseconds. */
  longest(row: number): number {
    return this.table.doubles[row * DOUBLES + LONGEST];
  }

  private note(row: number, time: number): void {
    const { cells, doubles } = this.table;
    const at = row * DOUBLES;
    const duration = time - doubles[at + SINCE];
    if (duration > doubles[at + LONGEST]) doubles[at + LONGEST] = duration;
    if (doubles[at + LONGEST] >= this.zeroWindow) cells[row * STRIDE + TOLD] = 1;
  }
}
