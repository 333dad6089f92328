import { KeyTable } from '../rows/key-table.js';
import { type NetworkSettings, ns } from '../settings.js';

const MAX_ASKERS = 1 << 16;

const TARGETS = 4;
const SWEEPS = 5;
/** `Frame.time` at which the window began, as double. */
const WINDOW = 3;
const STRIDE = 8;

/** Stations that look for hosts rather than resolve them: they ask for many new addresses in a short time. */
export class Sweeps {
  /** Whether there is any such station. */
  some = false;
  private readonly askers = new KeyTable(STRIDE, MAX_ASKERS);
  private readonly targets: number;
  private readonly window: number;

  constructor(settings: NetworkSettings) {
    this.targets = settings.sweepTargets;
    this.window = ns(settings.sweepWindow);
  }

  /** The station asks for an address that it did not ask for before. */
  asks(segment: number, hi: number, lo: number, time: number): void {
    const row = this.askers.add(segment, hi, lo, 0);
    const { cells, doubles } = this.askers;
    const at = row * STRIDE;
    const window = (row * STRIDE) / 2 + WINDOW;
    if (cells[at + TARGETS] === 0 || time - doubles[window] > this.window) {
      doubles[window] = time;
      cells[at + TARGETS] = 0;
    }
    if (++cells[at + TARGETS] <= this.targets) return;
    cells[at + SWEEPS] = 1;
    this.some = true;
  }

  has(segment: number, hi: number, lo: number): boolean {
    const row = this.askers.find(segment, hi, lo, 0);
    return row >= 0 && this.askers.cells[row * STRIDE + SWEEPS] !== 0;
  }
}
