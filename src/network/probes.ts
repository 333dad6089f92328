import { longer } from './columns.js';
import { KeyTable } from './key-table.js';

const MAX_PROBES = 1 << 14;
/** An answer to a probe comes within this time (RFC 5227 section 1.1: probes are 1 to 2 s apart). */
const ANSWER_NS = 2e9;

const HOLDER_HI = 4;
const HOLDER_LO = 5;
const ANSWERED = 6;
const OFFSET = 7;
const STRIDE = 8;

/** ARP probes (spa 0.0.0.0, RFC 5227 section 2.1.1) by (segment, sha, address), and who answered them. */
export class Probes {
  private times = new Float64Array(0);
  private probeFrames = new Float64Array(0);
  private answerFrames = new Float64Array(0);
  private readonly table = new KeyTable(STRIDE, MAX_PROBES, null, (capacity) => {
    this.times = longer(this.times, capacity);
    this.probeFrames = longer(this.probeFrames, capacity);
    this.answerFrames = longer(this.answerFrames, capacity);
  });

  constructor(private readonly tell: (row: number) => void) {}

  probe(segment: number, hi: number, lo: number, address: number, time: number, frame: number, offset: number): void {
    const row = this.table.add(segment, hi, lo, address);
    this.times[row] = time;
    if (this.table.cells[row * STRIDE + ANSWERED] === 0) this.probeFrames[row] = frame;
    this.table.cells[row * STRIDE + OFFSET] = offset;
  }

  /** A reply to (hi, lo) that says who has the address, from `holder`. */
  answer(
    segment: number,
    hi: number,
    lo: number,
    address: number,
    holderHi: number,
    holderLo: number,
    time: number,
    frame: number,
  ): void {
    const row = this.table.find(segment, hi, lo, address);
    if (row < 0 || time - this.times[row] > ANSWER_NS) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + ANSWERED] !== 0 || (holderHi === hi && holderLo === lo)) return;
    cells[at + ANSWERED] = 1;
    cells[at + HOLDER_HI] = holderHi;
    cells[at + HOLDER_LO] = holderLo;
    this.answerFrames[row] = frame;
    this.tell(row);
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  /** The prober. */
  hi(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  address(row: number): number {
    return this.table.cells[row * STRIDE + 3];
  }

  holderHi(row: number): number {
    return this.table.cells[row * STRIDE + HOLDER_HI];
  }

  holderLo(row: number): number {
    return this.table.cells[row * STRIDE + HOLDER_LO];
  }

  /** `Frame.time` of the latest probe. */
  time(row: number): number {
    return this.times[row];
  }

  probeFrame(row: number): number {
    return this.probeFrames[row];
  }

  answerFrame(row: number): number {
    return this.answerFrames[row];
  }

  /** Offset of the probe's ARP header in its frame; the answer's is the same on one segment. */
  offset(row: number): number {
    return this.table.cells[row * STRIDE + OFFSET];
  }
}
