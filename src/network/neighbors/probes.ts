import type { Frame } from '../../wire/frame.js';
import { KEY_WORDS, KeyTable } from '../rows/key-table.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from '../settings.js';

const MAX_PROBES = 1 << 14;

const HOLDER_HI = 4;
const HOLDER_LO = 5;
const ANSWERED = 6;
const OFFSET = 7;
/** `Frame.time` of the latest probe, numbers of the frames of probe and answer, as doubles. */
const TIME = 4;
const PROBE_FRAME = 5;
const ANSWER_FRAME = 6;
/** Another station that wants the address, or says that it has it: its MAC, how, and the frame as double. */
const RIVAL_HI = 14;
const RIVAL_LO = 15;
const RIVAL = 16;
const RIVAL_FRAME = 9;
const STRIDE = 20;
const DOUBLES = STRIDE / 2;

/** How another station showed that it wants the address: by a probe of its own, or by ARP from the address. */
export const Rival = { None: 0, Probe: 1, Claim: 2, Echo: 3 } as const;
/**
 * Probes of two stations for one address this close are one that a repeater forwarded with a MAC of its own: then they are no
 * rivals. Hosts wait a random time of up to a second before the first (RFC 5227 section 1.1).
 */
const ECHO_NS = 50e6;

/** ARP probes (spa 0.0.0.0, RFC 5227 section 2.1.1) by (segment, sha, address), and who answered them. */
export class Probes {
  private readonly table = new KeyTable(STRIDE, MAX_PROBES);
  /** Row of the latest probe for (segment, address), with 1 added. */
  private readonly latest = new KeyTable(KEY_WORDS + 1, MAX_PROBES);
  /** Until this `Frame.time` an answer can be one to a probe. */
  private until = Number.NEGATIVE_INFINITY;

  private readonly probeAnswer: number;

  constructor(
    private readonly tell: {
      answered(row: number): void;
      /** Another station wants the address too. */
      rivalled(row: number): void;
    },
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    this.probeAnswer = ns(settings.probeAnswer);
  }

  /** A probe, with its header in `layer` of the frame. */
  probe(segment: number, hi: number, lo: number, address: number, frame: Frame, layer: number): void {
    const row = this.table.add(segment, hi, lo, address);
    const { cells, doubles } = this.table;
    const other = this.latestFor(segment, address);
    if (other >= 0 && other !== row) {
      const isEcho = Math.abs(frame.time - doubles[other * DOUBLES + TIME]) < ECHO_NS;
      if (isEcho) cells[row * STRIDE + RIVAL] = Rival.Echo;
      this.rival(other, hi, lo, isEcho ? Rival.Echo : Rival.Probe, frame);
    }
    this.latest.cells[this.latest.add(segment, address, 0, 0) * (KEY_WORDS + 1) + KEY_WORDS] = row + 1;
    doubles[row * DOUBLES + TIME] = frame.time;
    if (cells[row * STRIDE + ANSWERED] === 0) doubles[row * DOUBLES + PROBE_FRAME] = frame.number;
    cells[row * STRIDE + OFFSET] = frame.offsets[layer] - frame.start;
    this.until = Math.max(this.until, frame.time + this.probeAnswer);
  }

  /** A station asks from the address, or announces it. */
  claim(segment: number, hi: number, lo: number, address: number, frame: Frame): void {
    if (frame.time > this.until) return;
    const row = this.latestFor(segment, address);
    if (row >= 0 && (this.hi(row) !== hi || this.lo(row) !== lo)) this.rival(row, hi, lo, Rival.Claim, frame);
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
    this.tell.answered(row);
  }

  /** Of `Rival`. */
  rivalry(row: number): number {
    return this.table.cells[row * STRIDE + RIVAL];
  }

  rivalHi(row: number): number {
    return this.table.cells[row * STRIDE + RIVAL_HI];
  }

  rivalLo(row: number): number {
    return this.table.cells[row * STRIDE + RIVAL_LO];
  }

  rivalFrame(row: number): number {
    return this.table.doubles[row * DOUBLES + RIVAL_FRAME];
  }

  private rival(row: number, hi: number, lo: number, how: number, frame: Frame): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    if (cells[at + RIVAL] !== Rival.None || frame.time - doubles[row * DOUBLES + TIME] > this.probeAnswer) return;
    cells[at + RIVAL] = how;
    cells[at + RIVAL_HI] = hi;
    cells[at + RIVAL_LO] = lo;
    doubles[row * DOUBLES + RIVAL_FRAME] = frame.number;
    if (how !== Rival.Echo) this.tell.rivalled(row);
  }

  /** The row of the latest probe for an address, -1 if there was none or its row went to another. */
  private latestFor(segment: number, address: number): number {
    const at = this.latest.find(segment, address, 0, 0);
    if (at < 0) return -1;
    const row = this.latest.cells[at * (KEY_WORDS + 1) + KEY_WORDS] - 1;
    const isSame = row < this.table.rowCount && this.segment(row) === segment && this.address(row) === address;
    return isSame ? row : -1;
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
