import type { Frame } from '../../wire/frame.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import type { Bindings } from './bindings.js';

/** Addresses that are announced again by who took them over, at most. */
const MAX_TAKEOVERS = 1024;

/** A station that took an address over and announces it again. */
interface Takeover {
  /** Rows of `Bindings`: who took it, and who had it. */
  readonly binding: number;
  readonly rival: number;
  /** `Frame.time` of the first such announcement. */
  readonly since: number;
  /** That one, and those between which the former holder sent packets. */
  list: number;
  /** Packets of the former holder. */
  sourced: number;
  times: number;
}

/** Who took over whose address, by row of `Claims`; the first `MAX_TAKEOVERS`. */
export class Takeovers {
  private readonly byRow = new Map<number, Takeover>();

  constructor(
    private readonly bindings: Bindings,
    private readonly lists: FrameLists,
  ) {}

  /** How many are kept. */
  get count(): number {
    return this.byRow.size;
  }

  /**
   * Who took the address of a row over announces it once more. Returns how often it did so while the former holder, `rival`, went on
   * sending from it: 0 the first time, and where that holder sent nothing since.
   */
  announced(row: number, binding: number, rival: number, frame: Frame, layer: number): number {
    const before = this.byRow.get(row);
    const sourced = this.bindings.sourcedSince(rival);
    if (before?.binding !== binding || before.rival !== rival) {
      if (!before && this.byRow.size === MAX_TAKEOVERS) return 0;
      if (before) this.lists.release(before.list);
      const list = this.lists.appendHeader(0, frame, layer);
      this.byRow.set(row, { binding, rival, since: frame.time, list, sourced, times: 0 });
      this.bindings.contest(rival);
      return 0;
    }
    if (sourced === before.sourced) return 0;
    before.sourced = sourced;
    before.list = this.lists.appendHeader(before.list, frame, layer);
    return ++before.times;
  }

  /** Since when the address of a row is announced again, and the announcements between which the former holder spoke. */
  of(row: number): { since: number; places: Place[] } {
    const takeover = this.byRow.get(row);
    return { since: takeover?.since ?? Number.NaN, places: this.lists.read(takeover?.list ?? 0) };
  }
}
