import type { Frame } from '../wire/frame.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from './settings.js';
import { FROM_SECOND, type Stream, streamAt } from './streams.js';

const MAX_STREAMS = 1 << 11;

const CLOSED = 4;
const LIST = 5;
const IS_CLOSED = 6;
const TOLD = 7;
const SIGHTINGS = 8;
const STRIDE = 9;

/** Receive windows of 0, by direction of a connection (`streams.ts`): the sender of the segments is the receiver that is full. */
export class Windows {
  private readonly table: KeyTable;
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private sinces = new Float64Array(0);
  private longests = new Float64Array(0);

  private readonly zeroWindow: number;

  constructor(
    private readonly lists: FrameLists,
    /** Told when a window has been closed for 0.2 s, when such a one opens, and at the end of the capture. */
    private readonly tell: (row: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    this.zeroWindow = ns(settings.zeroWindow);
    this.table = new KeyTable(
      STRIDE,
      MAX_STREAMS,
      (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
        this.sinces = longer(this.sinces, capacity);
        this.longests = longer(this.longests, capacity);
      },
    );
  }

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  /** The `end` of the connection at `cell` of the table of flows tells a window of 0. */
  closed(frame: Frame, layer: number, flows: Int32Array, cell: number, end: number): void {
    const word = end === 0 ? flows[cell] : flows[cell] | FROM_SECOND;
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add(word, flows[cell + 1], flows[cell + 2], flows[cell + 3]);
    const { cells } = this.table;
    const at = row * STRIDE;
    const { time } = frame;
    if (this.table.rowCount + this.table.evicted !== before) {
      this.firsts[row] = time;
      this.longests[row] = 0;
    }
    if (cells[at + IS_CLOSED] === 0) {
      cells[at + IS_CLOSED] = 1;
      cells[at + CLOSED]++;
      this.sinces[row] = time;
    }
    this.lasts[row] = time;
    cells[at + SIGHTINGS]++;
    const offset = frame.offsets[layer];
    cells[at + LIST] = this.lists.append(
      cells[at + LIST],
      frame.number,
      offset - frame.start,
      frame.ends[layer] - offset,
    );
    const isFirst = cells[at + TOLD] === 0;
    this.note(row, time);
    if (isFirst && cells[at + TOLD] !== 0) this.tell(row);
  }

  /** It tells a window above 0 again. */
  opened(frame: Frame, flows: Int32Array, cell: number, end: number): void {
    const word = end === 0 ? flows[cell] : flows[cell] | FROM_SECOND;
    const row = this.table.find(word, flows[cell + 1], flows[cell + 2], flows[cell + 3]);
    if (row < 0) return;
    this.note(row, frame.time);
    this.table.cells[row * STRIDE + IS_CLOSED] = 0;
    if (this.table.cells[row * STRIDE + TOLD] !== 0) this.tell(row);
  }

  /** Tells of the streams in the segments that `isOfCapture` names whose windows were closed for long, or still are. */
  finish(now: number, isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++) {
      if (!isOfCapture(this.stream(row).segment)) continue;
      // One segment alone, and nothing after it, holds nobody up that is seen.
      if (this.isClosed(row) && this.table.cells[row * STRIDE + SIGHTINGS] > 1) this.note(row, now);
      if (this.table.cells[row * STRIDE + TOLD] !== 0) this.tell(row);
    }
  }

  stream(row: number): Stream {
    return streamAt(this.table.cells, row * STRIDE);
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
    return this.longests[row];
  }

  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  places(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  private note(row: number, time: number): void {
    const duration = time - this.sinces[row];
    if (duration > this.longests[row]) this.longests[row] = duration;
    if (this.longests[row] >= this.zeroWindow) this.table.cells[row * STRIDE + TOLD] = 1;
  }
}
