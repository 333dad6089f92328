import type { Frame } from '../../wire/frame.js';
import { type FrameLists, MAX_LISTED, type Place } from './frame-lists.js';
import { KEY_WORDS, KeyTable } from './key-table.js';

/** `Frame.time` of the first and the latest sighting: doubles behind the key. */
export const FIRST = KEY_WORDS / 2;
const LAST = FIRST + 1;
/** Words behind them: how often it was seen, and the frames that show it. */
export const COUNT = 2 * (LAST + 1);
export const LIST = COUNT + 1;
/** First word of a row that is its class's own. */
export const OWN = LIST + 1;

/**
 * What was seen again and again: a row says how often, when first and last, and in which frames. The first word of its key is
 * the segment, if its class does not say otherwise.
 */
export abstract class Sightings {
  protected readonly table: KeyTable;

  constructor(
    protected readonly lists: FrameLists,
    /** Words a row, even, for times are doubles. */
    protected readonly stride: number,
    maxRows: number,
    /** Words that hold further lists of frames. */
    ...moreLists: readonly number[]
  ) {
    this.table = new KeyTable(stride, maxRows, (row) => {
      this.lists.release(this.table.cells[row * stride + LIST]);
      for (const word of moreLists) this.lists.release(this.table.cells[row * stride + word]);
    });
  }

  /** Rows there are. */
  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  segment(row: number): number {
    return this.table.cells[row * this.stride];
  }

  /** `Frame.time`. */
  first(row: number): number {
    return this.table.doubles[((row * this.stride) >> 1) + FIRST];
  }

  last(row: number): number {
    return this.table.doubles[((row * this.stride) >> 1) + LAST];
  }

  /** The evidence: the first frames, with the bytes that count. */
  places(row: number): Place[] {
    return this.lists.read(this.table.cells[row * this.stride + LIST]);
  }

  /** Notes that it was seen, at `Frame.time`; returns how often it was now. */
  protected seen(row: number, time: number): number {
    const { cells, doubles } = this.table;
    const at = row * this.stride;
    const count = ++cells[at + COUNT];
    if (count === 1) doubles[(at >> 1) + FIRST] = time;
    doubles[(at >> 1) + LAST] = time;
    return count;
  }

  /** Notes that the frame's header in `layer` shows it, the bytes up to `end`; returns how often it was seen now. */
  protected sight(row: number, frame: Frame, layer: number, end = frame.ends[layer]): number {
    const count = this.seen(row, frame.time);
    if (count <= MAX_LISTED) this.list(row * this.stride + LIST, frame, layer, end);
    return count;
  }

  /** Adds the frame to the list in the word at `cell`. */
  protected list(cell: number, frame: Frame, layer: number, end = frame.ends[layer]): void {
    const { cells } = this.table;
    const offset = frame.offsets[layer];
    cells[cell] = this.lists.append(cells[cell], frame.number, offset - frame.start, end - offset);
  }
}
