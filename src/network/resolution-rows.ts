import { longer } from './columns.js';
import { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import { Repeats } from './repeats.js';

const MAX_RESOLUTIONS = 1 << 16;

export const RUN = 4;
export const RECOVERED = 5;
export const LIST = 6;
export const TOLD = 7;
export const ECHOES = 8;
export const SELF_REPLIES = 9;
export const SELF_LIST = 10;
export const REQUESTS = 11;
export const EARLY_SELF_REPLIES = 12;
export const RETRIES = 13;
export const STRAYS = 14;
export const STRAY_LIST = 15;
export const STRIDE = 16;

/** What is known of each question, and what rules ask of it; `Resolutions` writes it. */
export abstract class ResolutionRows {
  /** Requests that come again although the one before was answered, by the same rows. */
  readonly repeats: Repeats;
  protected readonly table: KeyTable;
  protected firsts = new Float64Array(0);
  protected lasts = new Float64Array(0);
  protected answers = new Float64Array(0);
  protected selfReplyTimes = new Float64Array(0);
  /** Number of the frame with the latest request. */
  protected lastFrames = new Float64Array(0);
  /** Answers that nobody asked for may be many: they must not take the room of others. */
  protected readonly strayLists = new FrameLists();

  constructor(
    protected readonly lists: FrameLists,
    askedAgain: (row: number) => void,
  ) {
    this.repeats = new Repeats(lists, askedAgain);
    this.table = new KeyTable(
      STRIDE,
      MAX_RESOLUTIONS,
      (row) => this.forget(row),
      (capacity) => this.growRows(capacity),
    );
  }

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE] >>> 16;
  }

  hi(row: number): number {
    return this.table.cells[row * STRIDE] & 0xffff;
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  spa(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  tpa(row: number): number {
    return this.table.cells[row * STRIDE + 3];
  }

  /** Requests of the current run, 0 once it is answered. */
  run(row: number): number {
    return this.table.cells[row * STRIDE + RUN];
  }

  /** All unanswered requests, of earlier runs too. */
  requests(row: number): number {
    return this.table.cells[row * STRIDE + REQUESTS] - this.table.cells[row * STRIDE + RECOVERED];
  }

  /** Pauses between them that are a kernel's, which stops asking as soon as an answer comes. */
  retries(row: number): number {
    return this.table.cells[row * STRIDE + RETRIES];
  }

  /** Further sightings of requests within 200 ms: copies by a relay, a loop, a tap or a tunnel's replication. */
  echoes(row: number): number {
    return this.table.cells[row * STRIDE + ECHOES];
  }

  /** Answers that were sent to the very address they came from and did not come back. */
  selfReplies(row: number): number {
    return this.table.cells[row * STRIDE + SELF_REPLIES];
  }

  /**
   * Those of them that came up to 10 ms before the request they answer: the order in which ipvlan puts the two on the
   * wire, and only there (kernel: `ipvlan_multicast_enqueue` defers the request).
   */
  earlySelfReplies(row: number): number {
    return this.table.cells[row * STRIDE + EARLY_SELF_REPLIES];
  }

  /** The row of this question, -1 if it was neither asked nor answered. */
  find(segment: number, hi: number, lo: number, spa: number, tpa: number): number {
    return this.table.find((segment << 16) | hi, lo, spa, tpa);
  }

  /** Answers to a question that was never asked in their segment. */
  strays(row: number): number {
    return this.table.cells[row * STRIDE + STRAYS];
  }

  strayFrames(row: number): { frame: number; offset: number; length: number }[] {
    return this.strayLists.read(this.table.cells[row * STRIDE + STRAY_LIST]);
  }

  /** `Frame.time` of the latest answer, -Infinity if there was none. */
  lastAnswer(row: number): number {
    return this.answers[row];
  }

  /** Whether an answer came after the unanswered run, to a later request. */
  recovered(row: number): boolean {
    return this.table.cells[row * STRIDE + RECOVERED] !== 0;
  }

  /** `Frame.time` of the first request of the first unanswered run, and of the last request. */
  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  /** The unanswered requests as evidence. */
  frames(row: number): { frame: number; offset: number; length: number }[] {
    const frames = this.lists.read(this.table.cells[row * STRIDE + LIST]);
    return this.recovered(row) ? frames.filter(({ frame }) => frame < this.lastFrames[row]) : frames;
  }

  selfReplyFrames(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + SELF_LIST]);
  }

  private forget(row: number): void {
    const at = row * STRIDE;
    this.lists.release(this.table.cells[at + LIST]);
    this.lists.release(this.table.cells[at + SELF_LIST]);
    this.strayLists.release(this.table.cells[at + STRAY_LIST]);
    this.repeats.release(row);
  }

  private growRows(capacity: number): void {
    this.repeats.grow(capacity);
    this.firsts = longer(this.firsts, capacity);
    this.lasts = longer(this.lasts, capacity);
    this.answers = longer(this.answers, capacity);
    this.selfReplyTimes = longer(this.selfReplyTimes, capacity);
    this.lastFrames = longer(this.lastFrames, capacity);
  }
}
