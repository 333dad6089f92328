import type { Frame } from '../wire/frame.js';
import { KeyTable } from './key-table.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from './settings.js';

const MAX_PROBES = 1 << 14;

const HOLDER_HI = 4;
const HOLDER_LO = 5;
const ANSWERED = 6;
const OFFSET = 7;
/** `Frame.time` of the latest probe, numbers of the frames of probe and answer, as doubles. */
const TIME = 4;
const PROBE_FRAME = 5;
const ANSWER_FRAME = 6;
const STRIDE = 14;
const DOUBLES = STRIDE / 2;

/** ARP probes (spa 0.0.0.0, RFC 5227 section 2.1.1) by (segment, sha, address), and who answered them. */
export class Probes {
  private readonly table = new KeyTable(STRIDE, MAX_PROBES);
  /** Until this `Frame.time` an answer can be one to a probe. */
  private until = Number.NEGATIVE_INFINITY;

  private readonly probeAnswer: number;

  constructor(
    private readonly tell: (row: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    this.probeAnswer = ns(settings.probeAnswer);
  }

  /** A probe, with its header in `layer` of the frame. */
  probe(segment: number, hi: number, lo: number, address: number, frame: Frame, layer: number): void {
    const row = this.table.add(segment, hi, lo, address);
    const { cells, doubles } = this.table;
    doubles[row * DOUBLES + TIME] = frame.time;
    if (cells[row * STRIDE + ANSWERED] === 0) doubles[row * DOUBLES + PROBE_FRAME] = frame.number;
    cells[row * STRIDE + OFFSET] = frame.offsets[layer] - frame.start;
    this.until = Math.max(this.until, frame.time + this.probeAnswer);
  }

  /** A reply to (hi, lo) that says who has the address, from `holder`. */
  answer(
    segment: number,
    hi: number,
    lo: number,
    address: number,
    holderHi: number,
    holderLo: number,
    frame: Frame,
  ): void {
    if (frame.time > this.until) return;
    const row = this.table.find(segment, hi, lo, address);
    if (row < 0) return;
    const { cells, doubles } = this.table;
    if (frame.time - doubles[row * DOUBLES + TIME] > this.probeAnswer) return;
    const at = row * STRIDE;
    if (cells[at + ANSWERED] !== 0 || (holderHi === hi && holderLo === lo)) return;
    cells[at + ANSWERED] = 1;
    cells[at + HOLDER_HI] = holderHi;
    cells[at + HOLDER_LO] = holderLo;
    doubles[row * DOUBLES + ANSWER_FRAME] = frame.number;
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
    return this.table.doubles[row * DOUBLES + TIME];
  }

  probeFrame(row: number): number {
    return this.table.doubles[row * DOUBLES + PROBE_FRAME];
  }

  answerFrame(row: number): number {
    return this.table.doubles[row * DOUBLES + ANSWER_FRAME];
  }

  /** Offset of the probe's ARP header in its frame; the answer's is the same on one segment. */
  offset(row: number): number {
    return this.table.cells[row * STRIDE + OFFSET];
  }
}
