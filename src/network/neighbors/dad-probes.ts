import type { Frame } from '../../wire/frame.js';
import { KeyTable } from '../rows/key-table.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from '../settings.js';

const MAX_PROBES = 1 << 14;

const HI = 4;
const LO = 5;
const HOLDER_HI = 6;
const HOLDER_LO = 7;
const ANSWERED = 8;
const OFFSET = 9;
const ANSWER_OFFSET = 10;
const IS_RIVAL = 11;
/** `Frame.time` of the probe, numbers of the frames of probe and answer, as doubles. */
const TIME = 6;
const PROBE_FRAME = 7;
const ANSWER_FRAME = 8;
const STRIDE = 18;
const DOUBLES = STRIDE / 2;

/**
 * Duplicate address detection (RFC 4862 section 5.4): solicitations from the unspecified address by (segment,
 * target), and the other station that has the address or wants it too.
 */
export class DadProbes {
  private readonly table = new KeyTable(STRIDE, MAX_PROBES);
  /** Until this `Frame.time` an advertisement can be one that objects. */
  private until = Number.NEGATIVE_INFINITY;

  private readonly dadAnswer: number;

  constructor(
    private readonly tell: (row: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    this.dadAnswer = ns(settings.dadAnswer);
  }

  /** A station asks whether the address is free. Two that ask at once are rivals. */
  probe(segment: number, hi: number, lo: number, target: number, frame: Frame, layer: number): void {
    const found = this.table.find(segment, target, 0, 0);
    if (found >= 0) {
      if (this.differs(found, hi, lo) && frame.time - this.time(found) <= this.dadAnswer) {
        this.object(found, hi, lo, frame, layer, 1);
        return;
      }
      if (this.table.cells[found * STRIDE + ANSWERED] !== 0) return;
    }
    const row = found >= 0 ? found : this.table.add(segment, target, 0, 0);
    const at = row * STRIDE;
    const { cells, doubles } = this.table;
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    cells[at + OFFSET] = frame.offsets[layer] - frame.start;
    doubles[row * DOUBLES + TIME] = frame.time;
    doubles[row * DOUBLES + PROBE_FRAME] = frame.number;
    this.until = Math.max(this.until, frame.time + this.dadAnswer);
  }

  /** A station advertises that it has the address. */
  advertise(segment: number, hi: number, lo: number, target: number, frame: Frame, layer: number): void {
    if (frame.time > this.until) return;
    const row = this.table.find(segment, target, 0, 0);
    if (row < 0 || frame.time - this.time(row) > this.dadAnswer || !this.differs(row, hi, lo)) return;
    this.object(row, hi, lo, frame, layer, 0);
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  /** Row of `Addresses`. */
  target(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  /** The station that wants the address. */
  hi(row: number): number {
    return this.table.cells[row * STRIDE + HI];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + LO];
  }

  /** The other one. */
  holderHi(row: number): number {
    return this.table.cells[row * STRIDE + HOLDER_HI];
  }

  holderLo(row: number): number {
    return this.table.cells[row * STRIDE + HOLDER_LO];
  }

  /** Whether the other one asked for the address at the same time, and does not have it yet. */
  isRival(row: number): boolean {
    return this.table.cells[row * STRIDE + IS_RIVAL] !== 0;
  }

  /** `Frame.time` of the probe. */
  time(row: number): number {
    return this.table.doubles[row * DOUBLES + TIME];
  }

  probeFrame(row: number): number {
    return this.table.doubles[row * DOUBLES + PROBE_FRAME];
  }

  answerFrame(row: number): number {
    return this.table.doubles[row * DOUBLES + ANSWER_FRAME];
  }

  /** Offsets of the ICMPv6 headers in their frames. */
  offset(row: number): number {
    return this.table.cells[row * STRIDE + OFFSET];
  }

  answerOffset(row: number): number {
    return this.table.cells[row * STRIDE + ANSWER_OFFSET];
  }

  private differs(row: number, hi: number, lo: number): boolean {
    const at = row * STRIDE;
    return this.table.cells[at + HI] !== hi || this.table.cells[at + LO] !== lo;
  }

  private object(row: number, hi: number, lo: number, frame: Frame, layer: number, isRival: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + ANSWERED] !== 0) return;
    cells[at + ANSWERED] = 1;
    cells[at + HOLDER_HI] = hi;
    cells[at + HOLDER_LO] = lo;
    cells[at + ANSWER_OFFSET] = frame.offsets[layer] - frame.start;
    cells[at + IS_RIVAL] = isRival;
    this.table.doubles[row * DOUBLES + ANSWER_FRAME] = frame.number;
    this.tell(row);
  }
}
