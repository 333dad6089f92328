import { KeyTable } from './key-table.js';

const MAX_ASKERS = 1 << 16;
/** More new targets than this by one station within 10 s are a sweep, not resolutions (catalogue A1). */
const SWEEP_TARGETS = 20;
const SWEEP_WINDOW_NS = 10e9;

const TARGETS = 4;
const SWEEPS = 5;
/** `Frame.time` at which the ten seconds began, as double. */
const WINDOW = 3;
const STRIDE = 8;

/** Stations that look for hosts rather than resolve them: they ask for many new addresses in a short time. */
export class Sweeps {
  private readonly askers = new KeyTable(STRIDE, MAX_ASKERS);

  /** The station asks for an address that it did not ask for before. */
  asks(segment: number, hi: number, lo: number, time: number): void {
    const row = this.askers.add(segment, hi, lo, 0);
    const { cells, doubles } = this.askers;
    const at = row * STRIDE;
    const window = (row * STRIDE) / 2 + WINDOW;
    if (cells[at + TARGETS] === 0 || time - doubles[window] > SWEEP_WINDOW_NS) {
      doubles[window] = time;
      cells[at + TARGETS] = 0;
    }
    if (++cells[at + TARGETS] > SWEEP_TARGETS) cells[at + SWEEPS] = 1;
  }

  has(segment: number, hi: number, lo: number): boolean {
    const row = this.askers.find(segment, hi, lo, 0);
    return row >= 0 && this.askers.cells[row * STRIDE + SWEEPS] !== 0;
  }
}
