import type { Bindings } from './bindings.js';

/** Addresses that are announced again by who took them over, at most. */
const MAX_TAKEOVERS = 1024;

/** A station that took an address over and announces it again: bindings of both, and packets of the former holder that were seen since. */
interface Takeover {
  readonly binding: number;
  readonly rival: number;
  sourced: number;
  times: number;
}

/** Who took over whose address, by row of `Claims`; the first `MAX_TAKEOVERS`. */
export class Takeovers {
  private readonly byRow = new Map<number, Takeover>();

  constructor(private readonly bindings: Bindings) {}

  /** How many are kept. */
  get count(): number {
    return this.byRow.size;
  }

  /**
   * Who took the address of a row over announces it once more. Returns how often it did so while the former holder, `rival`, went on
   * sending from it; 0 the first time, -1 where that holder sent nothing since.
   */
  announced(row: number, binding: number, rival: number): number {
    const before = this.byRow.get(row);
    const sourced = this.bindings.sourcedSince(rival);
    if (before?.binding !== binding || before.rival !== rival) {
      if (!before && this.byRow.size === MAX_TAKEOVERS) return -1;
      this.byRow.set(row, { binding, rival, sourced, times: 0 });
      return 0;
    }
    if (sourced === before.sourced) return -1;
    before.sourced = sourced;
    return ++before.times;
  }
}
