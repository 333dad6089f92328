import type { Frame } from '../../wire/frame.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { type NetworkSettings, ns } from '../settings.js';
import {
  ANSWER,
  DOUBLES,
  EARLY_SELF_REPLIES,
  ECHOES,
  FIRST,
  FLAGS,
  Flag,
  LAST,
  LAST_FRAME,
  LATE,
  LIST,
  REQUESTS,
  RETRIES,
  RUN,
  SELF_LIST,
  SELF_REPLIES,
  SELF_TIME,
  STRAY_LIST,
  STRAYS,
  STRIDE,
} from './resolution-columns.js';
import { ResolutionRows } from './resolution-rows.js';
import { SAME_REQUEST_NS } from './same-request.js';
import { Sweeps } from './sweeps.js';

/** Requests of a run that is told as unanswered: the kernel's mcast_solicit. */
export const RUN_REQUESTS = 3;
/** A third request is given this long, the kernel's retrans_time, before the run is told. */
const RIPE_NS = 1e9;
/** Runs that wait for it at once; the end of the capture tells what found no place. */
const MAX_RIPENING = 4096;
/** A queue on the way holds answers back for no longer than this: bloated ones of radio and satellite links hold seconds. */
const QUEUED_NS = 10e9;

/**
 * Who asks for which address, by ARP or neighbor solicitation, and whether an answer comes (catalogue 3.3). A row
 * is (segment, sha, spa, tpa); addresses are rows of `Addresses`. Requests in a row are a run; a run that meets
 * an answer is forgotten.
 */
export class Resolutions extends ResolutionRows {
  /** `Frame.time` at which `ripen` has something to do. */
  due = Number.POSITIVE_INFINITY;
  private readonly asked: Sweeps;
  /** An answer counts from so long before a request to so long after it. */
  private readonly answerEarly: number;
  private readonly answerLate: number;
  /** A request after a longer pause begins a new run. */
  private readonly runPause: number;
  private readonly retryMin: number;
  private readonly retryMax: number;
  private ripening: { row: number; run: number; at: number }[] = [];

  constructor(
    lists: FrameLists,
    settings: NetworkSettings,
    private readonly tell: {
      unanswered(row: number): void;
      answered(row: number): void;
      askedAgain(row: number): void;
    },
  ) {
    super(lists, (row) => this.tell.askedAgain(row), settings);
    this.asked = new Sweeps(settings);
    this.answerEarly = ns(settings.answerEarly);
    this.answerLate = ns(settings.answerLate);
    this.runPause = ns(settings.runPause);
    this.retryMin = ns(settings.retryMin);
    this.retryMax = ns(settings.retryMax);
  }

  /** A broadcast or multicast request; its header is in `layer` of the frame. */
  request(row: number, frame: Frame, layer: number): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    const { time } = frame;
    const last = doubles[double + LAST];
    const isFirst = last === Number.NEGATIVE_INFINITY;
    if (isFirst) {
      this.asked.asks(this.segment(row), this.hi(row), this.lo(row), time);
      this.dropStrays(row);
    }
    const gap = time - last;
    if (gap < SAME_REQUEST_NS && gap > -SAME_REQUEST_NS) {
      if (cells[at + RUN] > 0) cells[at + LIST] = this.lists.appendHeader(cells[at + LIST], frame, layer);
      cells[at + ECHOES]++;
      return;
    }
    // Before `Repeats` writes `LAST`: what is told of the run before ends with that run.
    if (cells[at + RUN] === 0 || gap > this.runPause || gap < 0) this.startRun(row, time, isFirst);
    // arping asks each second however often it is answered.
    else if (gap >= this.retryMin && gap <= this.retryMax && !this.repeats.isByProgram(row)) cells[at + RETRIES]++;
    this.repeats.request(row, frame, layer);
    doubles[double + LAST_FRAME] = frame.number;
    cells[at + RUN]++;
    cells[at + REQUESTS]++;
    cells[at + LIST] = this.lists.appendHeader(cells[at + LIST], frame, layer);
    const hasReplied = (cells[at + FLAGS] & Flag.SelfReplied) !== 0;
    if (hasReplied && time - doubles[double + SELF_TIME] <= this.answerEarly) cells[at + EARLY_SELF_REPLIES]++;
    if (time - doubles[double + ANSWER] <= this.answerEarly) this.settle(row);
    else if (cells[at + RUN] === RUN_REQUESTS) this.ripenLater(row, time);
  }

  /**
   * An answer that says where tpa is. A unicast answer whose Ethernet header names one address
   * twice (`toSelf`) is no answer until the wire brings it back: `isCopy`.
   */
  answer(row: number, frame: Frame, layer: number, toSelf: boolean, isCopy: boolean): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    const { time } = frame;
    if (toSelf && !isCopy) {
      this.answerItself(row, frame, layer);
      return;
    }
    const last = doubles[double + LAST];
    doubles[double + ANSWER] = time;
    if (last === Number.NEGATIVE_INFINITY && !isCopy) {
      cells[at + STRAYS]++;
      cells[at + STRAY_LIST] = this.strayLists.appendHeader(cells[at + STRAY_LIST], frame, layer);
    }
    this.repeats.answer(row, frame, layer);
    if (cells[at + RUN] > 0 && time - last <= this.answerLate) this.settle(row);
    else if (!isCopy && time - last <= QUEUED_NS) this.answerLater(row);
  }

  /** Each request gets its answer, seconds later: none was lost, so that the run was no run in vain. */
  private answerLater(row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    const isSettled = (cells[at + FLAGS] & Flag.Waited) !== 0;
    if (!isSettled && cells[at + RUN] < RUN_REQUESTS) return;
    if (++cells[at + LATE] < RUN_REQUESTS) return;
    this.tell.answered(row);
    cells[at + RUN] = 0;
    cells[at + LATE] = 0;
    cells[at + FLAGS] &= ~(Flag.Told | Flag.Waited);
    this.drop(row);
  }

  /** Whether an answer that comes now, with `frame`, is one that the asker did not ask for, or has already. */
  isUnasked(row: number, { time }: Frame): boolean {
    const { doubles } = this.table;
    const last = doubles[row * DOUBLES + LAST];
    const answer = doubles[row * DOUBLES + ANSWER];
    return time - last > this.answerLate || (answer >= last - this.answerEarly && time - answer > SAME_REQUEST_NS);
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

  /** Whether the station asked for more new addresses within ten seconds than hosts do. */
  sweeps(segment: number, hi: number, lo: number): boolean {
    return this.asked.has(segment, hi, lo);
  }

  /** Whether any station does. */
  get someSweep(): boolean {
    return this.asked.some;
  }

  private answerItself(row: number, frame: Frame, layer: number): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    // What was sent before the run is another exchange's.
    if (cells[at + RUN] === 0 && frame.time - doubles[double + SELF_TIME] > this.runPause) this.dropSelfReplies(row);
    cells[at + FLAGS] |= Flag.SelfReplied;
    doubles[double + SELF_TIME] = frame.time;
    cells[at + SELF_REPLIES]++;
    cells[at + SELF_LIST] = this.lists.appendHeader(cells[at + SELF_LIST], frame, layer);
  }

  private startRun(row: number, time: number, isFirst: boolean): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    // What an earlier run proved stays: its frames are the finding's evidence.
    if (cells[at + RUN] >= RUN_REQUESTS || (cells[at + FLAGS] & Flag.Told) !== 0) this.report(row);
    else {
      // Before the first request there can only be answers that overtook it.
      if (!isFirst) this.drop(row);
      doubles[row * DOUBLES + FIRST] = time;
    }
    cells[at + RUN] = 0;
    cells[at + LATE] = 0;
    cells[at + FLAGS] &= ~Flag.Waited;
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
      cells[at + FLAGS] |= Flag.Recovered | Flag.Waited;
      this.report(row);
    } else if ((cells[at + FLAGS] & Flag.Told) !== 0) this.tell.answered(row);
    cells[at + FLAGS] &= ~Flag.Told;
    this.drop(row);
    if ((cells[at + FLAGS] & Flag.SelfReplied) !== 0) this.dropSelfReplies(row);
  }

  private drop(row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    this.lists.release(cells[at + LIST]);
    cells[at + LIST] = 0;
    cells[at + REQUESTS] = 0;
    cells[at + ECHOES] = 0;
    cells[at + RETRIES] = 0;
    cells[at + FLAGS] &= ~Flag.Recovered;
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
    this.table.cells[row * STRIDE + FLAGS] |= Flag.Told;
    this.tell.unanswered(row);
  }

  private ripenLater(row: number, time: number): void {
    if (this.ripening.length === MAX_RIPENING) return;
    const at = time + RIPE_NS;
    this.ripening.push({ row, run: RUN_REQUESTS, at });
    if (at < this.due) this.due = at;
  }
}
