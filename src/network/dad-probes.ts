import { longer } from './columns.js';
import { KeyTable } from './key-table.js';

const MAX_PROBES = 1 << 14;
/** An objection comes within this time: RetransTimer is 1 s by default (RFC 4862 section 5.1), twice that for slow answers. */
const ANSWER_NS = 2e9;

const HI = 4;
const LO = 5;
const HOLDER_HI = 6;
const HOLDER_LO = 7;
const ANSWERED = 8;
const OFFSET = 9;
const ANSWER_OFFSET = 10;
const IS_RIVAL = 11;
const STRIDE = 12;

/**
 * Duplicate address detection (RFC 4862 section 5.4): solicitations from the unspecified address by (segment,
 * target), and the other station that has the address or wants it too.
 */
export class DadProbes {
  private times = new Float64Array(0);
  private probeFrames = new Float64Array(0);
  private answerFrames = new Float64Array(0);
  private readonly table = new KeyTable(STRIDE, MAX_PROBES, null, (capacity) => {
    this.times = longer(this.times, capacity);
    this.probeFrames = longer(this.probeFrames, capacity);
    this.answerFrames = longer(this.answerFrames, capacity);
  });

  constructor(private readonly tell: (row: number) => void) {}

  /** A station asks whether the address is free. Two that ask at once are rivals. */
  probe(segment: number, hi: number, lo: number, target: number, time: number, frame: number, offset: number): void {
    const found = this.table.find(segment, target, 0, 0);
    if (found >= 0) {
      if (this.differs(found, hi, lo) && time - this.times[found] <= ANSWER_NS) {
        this.object(found, hi, lo, frame, offset, 1);
        return;
      }
      if (this.table.cells[found * STRIDE + ANSWERED] !== 0) return;
    }
    const row = found >= 0 ? found : this.table.add(segment, target, 0, 0);
    const at = row * STRIDE;
    const { cells } = this.table;
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    cells[at + OFFSET] = offset;
    this.times[row] = time;
    this.probeFrames[row] = frame;
  }

  /** A station advertises that it has the address. */
  advertise(
    segment: number,
    hi: number,
    lo: number,
    target: number,
    time: number,
    frame: number,
    offset: number,
  ): void {
    const row = this.table.find(segment, target, 0, 0);
    if (row < 0 || time - this.times[row] > ANSWER_NS || !this.differs(row, hi, lo)) return;
    this.object(row, hi, lo, frame, offset, 0);
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
    return this.times[row];
  }

  probeFrame(row: number): number {
    return this.probeFrames[row];
  }

  answerFrame(row: number): number {
    return this.answerFrames[row];
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

  private object(row: number, hi: number, lo: number, frame: number, offset: number, isRival: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + ANSWERED] !== 0) return;
    cells[at + ANSWERED] = 1;
    cells[at + HOLDER_HI] = hi;
    cells[at + HOLDER_LO] = lo;
    cells[at + ANSWER_OFFSET] = offset;
    cells[at + IS_RIVAL] = isRival;
    this.answerFrames[row] = frame;
    this.tell(row);
  }
}
