import { FrameLists, type Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import { RowIndex, spread } from '../rows/row-index.js';
import type { NetworkSettings } from '../settings.js';
import { NEAR_QUESTIONS, nearQuestion } from './near-questions.js';
import { Repeats } from './repeats.js';
import {
  ANSWER,
  ASKED,
  DOUBLES,
  EARLY_SELF_REPLIES,
  ECHOES,
  FIRST,
  FLAGS,
  Flag,
  LAST,
  LAST_FRAME,
  LIST,
  REQUESTS,
  RETRIES,
  RUN,
  SELF_LIST,
  SELF_REPLIES,
  STRAY_LIST,
  STRAYS,
  STRIDE,
} from './resolution-columns.js';

const MAX_RESOLUTIONS = 1 << 16;

/** What is known of each question, and what rules ask of it; `Resolutions` writes it. */
export abstract class ResolutionRows {
  /** Requests that come again although the one before was answered, by the same rows. */
  readonly repeats: Repeats;
  protected readonly table: KeyTable;
  private readonly bySegment: RowIndex;
  private readonly bySpa: RowIndex;
  private readonly byTpa: RowIndex;
  /** Answers that nobody asked for may be many: they must not take the room of others. */
  protected readonly strayLists = new FrameLists();
  /** The row found last for each hash: its key tells whether it is the right one. */
  private readonly near = new Int32Array(NEAR_QUESTIONS);

  constructor(
    protected readonly lists: FrameLists,
    askedAgain: (row: number) => void,
    settings: NetworkSettings,
  ) {
    this.table = new KeyTable(STRIDE, MAX_RESOLUTIONS, (row) => this.forget(row));
    this.bySegment = new RowIndex(this.table, (cells, at) => spread(cells[at] >>> 16));
    this.bySpa = new RowIndex(this.table, (cells, at) => spread(cells[at + 2]));
    this.byTpa = new RowIndex(this.table, (cells, at) => spread(cells[at + 3]));
    this.repeats = new Repeats(this.table, lists, askedAgain, settings);
  }

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  /** The row of a question, made if there is none. */
  row(segment: number, hi: number, lo: number, spa: number, tpa: number): number {
    const asker = (segment << 16) | hi;
    const slot = nearQuestion(lo, spa, tpa);
    const row = this.near[slot];
    const { cells, rowCount } = this.table;
    const at = row * STRIDE;
    if (cells[at + 3] === tpa && cells[at + 1] === lo && cells[at + 2] === spa && cells[at] === asker && row < rowCount)
      return row;
    return this.fetch(asker, lo, spa, tpa, slot);
  }

  /** Questions in a segment, the first 4096. */
  in(segment: number): number[] {
    return [...this.bySegment.rows(spread(segment))].filter((row) => this.segment(row) === segment);
  }

  /** Questions of an address, whomever they are for, in whatever segments. */
  askedBy(spa: number): number[] {
    return [...this.bySpa.rows(spread(spa))].filter((row) => this.spa(row) === spa);
  }

  /** Questions for an address, whoever asks, in whatever segments. */
  askedFor(tpa: number): number[] {
    return [...this.byTpa.rows(spread(tpa))].filter((row) => this.tpa(row) === tpa);
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

  /** Row of `Bindings` of the asker and the address it asks for, as `keepAskedBinding` said; it may be another's by now. */
  askedBinding(row: number): number {
    return this.table.cells[row * STRIDE + ASKED];
  }

  keepAskedBinding(row: number, binding: number): void {
    this.table.cells[row * STRIDE + ASKED] = binding;
  }

  /** Requests of the current run, 0 once it is answered. */
  run(row: number): number {
    return this.table.cells[row * STRIDE + RUN];
  }

  /** All unanswered requests, of earlier runs too. */
  requests(row: number): number {
    return this.table.cells[row * STRIDE + REQUESTS] - (this.recovered(row) ? 1 : 0);
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

  strayFrames(row: number): Place[] {
    return this.strayLists.read(this.table.cells[row * STRIDE + STRAY_LIST]);
  }

  /** `Frame.time` of the latest answer, -Infinity if there was none. */
  lastAnswer(row: number): number {
    return this.table.doubles[row * DOUBLES + ANSWER];
  }

  /** Whether an answer came after the unanswered run, to a later request. */
  recovered(row: number): boolean {
    return (this.table.cells[row * STRIDE + FLAGS] & Flag.Recovered) !== 0;
  }

  /** `Frame.time` of the first request of the first unanswered run, and of the last request. */
  first(row: number): number {
    return this.table.doubles[row * DOUBLES + FIRST];
  }

  last(row: number): number {
    return this.table.doubles[row * DOUBLES + LAST];
  }

  /** The unanswered requests as evidence. */
  frames(row: number): Place[] {
    const frames = this.lists.read(this.table.cells[row * STRIDE + LIST]);
    const last = this.table.doubles[row * DOUBLES + LAST_FRAME];
    return this.recovered(row) ? frames.filter(({ frame }) => frame < last) : frames;
  }

  selfReplyFrames(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + SELF_LIST]);
  }

  private fetch(asker: number, lo: number, spa: number, tpa: number, slot: number): number {
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add(asker, lo, spa, tpa);
    if (this.table.rowCount + this.table.evicted !== before) {
      const { doubles } = this.table;
      doubles[row * DOUBLES + LAST] = Number.NEGATIVE_INFINITY;
      doubles[row * DOUBLES + ANSWER] = Number.NEGATIVE_INFINITY;
      this.repeats.begin(row);
    }
    this.near[slot] = row;
    return row;
  }

  private forget(row: number): void {
    const at = row * STRIDE;
    this.lists.release(this.table.cells[at + LIST]);
    this.lists.release(this.table.cells[at + SELF_LIST]);
    this.strayLists.release(this.table.cells[at + STRAY_LIST]);
    this.repeats.release(row);
  }
}
