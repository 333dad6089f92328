import { longer } from './columns.js';
import { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import { Repeats } from './repeats.js';
import { Sweeps } from './sweeps.js';

const MAX_RESOLUTIONS = 1 << 16;

/** Sightings of one request closer than this are one request: reflected, looped, replicated (catalogue 3.4; retries come ≥ 0.5 s apart). */
export const SAME_REQUEST_NS = 200e6;
/** A request after a longer pause begins a new run (catalogue 3.3: Linux 1 s, others up to 5 s). */
const RUN_GAP_NS = 5e9;
/** An answer counts from 10 ms before a request (ipvlan's broadcasts are deferred) to 2 s after it (proxy ARP waits up to 0.8 s). */
const ANSWER_EARLY_NS = 10e6;
const ANSWER_LATE_NS = 2e9;
/** Pauses of a kernel that retries because nothing came: retrans_time 1 s, stretched by the timer wheel (catalogue 2, 3.3). */
export const RETRY_MIN_NS = 0.9e9;
export const RETRY_MAX_NS = 1.2e9;
/** Requests of a run that is told as unanswered: the kernel's mcast_solicit. */
export const RUN_REQUESTS = 3;
/** A third request is given this long, the kernel's retrans_time, before the run is told. */
const RIPE_NS = 1e9;
/** Runs that wait for it at once; the end of the capture tells what found no place. */
const MAX_RIPENING = 4096;

const RUN = 4;
const RECOVERED = 5;
const LIST = 6;
const TOLD = 7;
const ECHOES = 8;
const SELF_REPLIES = 9;
const SELF_LIST = 10;
const REQUESTS = 11;
const EARLY_SELF_REPLIES = 12;
const RETRIES = 13;
const STRAYS = 14;
const STRAY_LIST = 15;
const STRIDE = 16;

/**
 * Who asks for which address, by ARP or neighbor solicitation, and whether an answer comes (catalogue 3.3). A row
 * is (segment, sha, spa, tpa); addresses are rows of `Addresses`. Requests in a row are a run; a run that meets
 * an answer is forgotten.
 */
export class Resolutions {
  /** `Frame.time` at which `ripen` has something to do. */
  due = Number.POSITIVE_INFINITY;
  /** Requests that come again although the one before was answered, by the same rows. */
  readonly repeats: Repeats;
  private readonly table: KeyTable;
  private readonly asked = new Sweeps();
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private answers = new Float64Array(0);
  private selfReplyTimes = new Float64Array(0);
  /** Number of the frame with the latest request. */
  private lastFrames = new Float64Array(0);
  /** Answers that nobody asked for may be many: they must not take the room of others. */
  private readonly strayLists = new FrameLists();
  private ripening: { row: number; run: number; at: number }[] = [];

  constructor(
    private readonly lists: FrameLists,
    private readonly tell: {
      unanswered(row: number): void;
      answered(row: number): void;
      askedAgain(row: number): void;
    },
  ) {
    this.repeats = new Repeats(lists, (row) => this.tell.askedAgain(row));
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

  /** A broadcast or multicast request; `offset` and `length` name the bytes of its header in the frame. */
  request(
    segment: number,
    hi: number,
    lo: number,
    spa: number,
    tpa: number,
    time: number,
    frame: number,
    offset: number,
    length: number,
  ): void {
    const row = this.row(segment, hi, lo, spa, tpa);
    const { cells } = this.table;
    const at = row * STRIDE;
    const isFirst = this.lasts[row] === Number.NEGATIVE_INFINITY;
    if (isFirst) {
      this.asked.asks(segment, hi, lo, time);
      this.dropStrays(row);
    }
    const gap = time - this.lasts[row];
    if (!isFirst && gap < SAME_REQUEST_NS && gap > -SAME_REQUEST_NS) {
      if (cells[at + RUN] > 0) cells[at + LIST] = this.lists.append(cells[at + LIST], frame, offset, length);
      cells[at + ECHOES]++;
      return;
    }
    this.repeats.request(row, time, frame, offset, length);
    if (cells[at + RUN] === 0 || gap > RUN_GAP_NS || gap < 0) this.startRun(row, time);
    else if (gap >= RETRY_MIN_NS && gap <= RETRY_MAX_NS) cells[at + RETRIES]++;
    this.lasts[row] = time;
    this.lastFrames[row] = frame;
    cells[at + RUN]++;
    cells[at + REQUESTS]++;
    cells[at + LIST] = this.lists.append(cells[at + LIST], frame, offset, length);
    if (time - this.selfReplyTimes[row] <= ANSWER_EARLY_NS) cells[at + EARLY_SELF_REPLIES]++;
    if (time - this.answers[row] <= ANSWER_EARLY_NS) this.settle(row);
    else if (cells[at + RUN] === RUN_REQUESTS) this.ripenLater(row, time);
  }

  /**
   * An answer to (hi, lo, spa) that says where tpa is. A unicast answer whose Ethernet header names one address
   * twice (`toSelf`) is no answer until the wire brings it back: `isCopy`.
   */
  answer(
    segment: number,
    hi: number,
    lo: number,
    spa: number,
    tpa: number,
    time: number,
    frame: number,
    offset: number,
    length: number,
    toSelf: boolean,
    isCopy: boolean,
  ): void {
    const row = this.row(segment, hi, lo, spa, tpa);
    const { cells } = this.table;
    const at = row * STRIDE;
    if (toSelf && !isCopy) {
      // What was sent before the run is another exchange's.
      if (cells[at + RUN] === 0 && time - this.selfReplyTimes[row] > RUN_GAP_NS) this.dropSelfReplies(row);
      this.selfReplyTimes[row] = time;
      cells[at + SELF_REPLIES]++;
      cells[at + SELF_LIST] = this.lists.append(cells[at + SELF_LIST], frame, offset, length);
      return;
    }
    this.answers[row] = time;
    if (this.lasts[row] === Number.NEGATIVE_INFINITY && !isCopy) {
      cells[at + STRAYS]++;
      cells[at + STRAY_LIST] = this.strayLists.append(cells[at + STRAY_LIST], frame, offset, length);
    }
    this.repeats.answer(row, time, frame, offset, length);
    if (cells[at + RUN] > 0 && time - this.lasts[row] <= ANSWER_LATE_NS) this.settle(row);
  }

  /** Whether an answer that comes now to (hi, lo, spa) about tpa is one that it did not ask for, or has already. */
  isUnasked(segment: number, hi: number, lo: number, spa: number, tpa: number, time: number): boolean {
    const row = this.table.find((segment << 16) | hi, lo, spa, tpa);
    if (row < 0 || time - this.lasts[row] > ANSWER_LATE_NS) return true;
    return this.answers[row] >= this.lasts[row] - ANSWER_EARLY_NS && time - this.answers[row] > SAME_REQUEST_NS;
  }

  /** Tells the runs that are due by now. */
  ripen(time: number): void {
    let kept = 0;
    this.due = Number.POSITIVE_INFINITY;
    for (const each of this.ripening) {
      if (each.at > time) {
        this.ripening[kept++] = each;
        if (each.at < this.due) this.due = each.at;
      } else if (this.run(each.row) >= each.run) this.report(each.row);
    }
    this.ripening.length = kept;
  }

  /** Tells all runs of at least two requests in the segments that `isOfCapture` names. */
  finish(isOfCapture: (segment: number) => boolean): void {
    this.ripening.length = 0;
    this.due = Number.POSITIVE_INFINITY;
    for (let row = 0; row < this.table.rowCount; row++) {
      if (this.run(row) >= 2 && isOfCapture(this.segment(row))) this.report(row);
    }
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

  /** Whether the station asked for more new addresses within ten seconds than hosts do. */
  sweeps(segment: number, hi: number, lo: number): boolean {
    return this.asked.has(segment, hi, lo);
  }

  private row(segment: number, hi: number, lo: number, spa: number, tpa: number): number {
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add((segment << 16) | hi, lo, spa, tpa);
    if (this.table.rowCount + this.table.evicted !== before) {
      this.lasts[row] = Number.NEGATIVE_INFINITY;
      this.answers[row] = Number.NEGATIVE_INFINITY;
      this.selfReplyTimes[row] = Number.NEGATIVE_INFINITY;
      this.repeats.begin(row);
    }
    return row;
  }

  private startRun(row: number, time: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    // What an earlier run proved stays: its frames are the finding's evidence.
    if (cells[at + RUN] >= RUN_REQUESTS || cells[at + TOLD] !== 0) this.report(row);
    else {
      // Before the first request there can only be answers that overtook it.
      if (this.lasts[row] !== Number.NEGATIVE_INFINITY) this.drop(row);
      this.firsts[row] = time;
    }
    cells[at + RUN] = 0;
  }

  /**
   * An answer ends the run. The requests before it are forgotten with it, unless they were a run of their own:
   * then they stay unanswered, and only what comes next works.
   */
  private settle(row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    const before = cells[at + RUN] - 1;
    cells[at + RUN] = 0;
    if (before >= RUN_REQUESTS) {
      cells[at + RECOVERED] = 1;
      this.report(row);
    } else if (cells[at + TOLD] !== 0) this.tell.answered(row);
    cells[at + TOLD] = 0;
    this.drop(row);
    this.dropSelfReplies(row);
  }

  private drop(row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    this.lists.release(cells[at + LIST]);
    cells[at + LIST] = 0;
    cells[at + REQUESTS] = 0;
    cells[at + ECHOES] = 0;
    cells[at + RETRIES] = 0;
    cells[at + RECOVERED] = 0;
  }

  private dropSelfReplies(row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    this.lists.release(cells[at + SELF_LIST]);
    cells[at + SELF_LIST] = 0;
    cells[at + SELF_REPLIES] = 0;
    cells[at + EARLY_SELF_REPLIES] = 0;
  }

  private dropStrays(row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    this.strayLists.release(cells[at + STRAY_LIST]);
    cells[at + STRAY_LIST] = 0;
    cells[at + STRAYS] = 0;
  }

  private report(row: number): void {
    this.table.cells[row * STRIDE + TOLD] = 1;
    this.tell.unanswered(row);
  }

  private ripenLater(row: number, time: number): void {
    if (this.ripening.length === MAX_RIPENING) return;
    const at = time + RIPE_NS;
    this.ripening.push({ row, run: RUN_REQUESTS, at });
    if (at < this.due) this.due = at;
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
