import type { FrameLists } from './frame-lists.js';
import {
  EARLY_SELF_REPLIES,
  ECHOES,
  LIST,
  RECOVERED,
  REQUESTS,
  RETRIES,
  ResolutionRows,
  RUN,
  SELF_LIST,
  SELF_REPLIES,
  STRAY_LIST,
  STRAYS,
  STRIDE,
  TOLD,
} from './resolution-rows.js';
import { Sweeps } from './sweeps.js';

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

/**
 * Who asks for which address, by ARP or neighbor solicitation, and whether an answer comes (catalogue 3.3). A row
 * is (segment, sha, spa, tpa); addresses are rows of `Addresses`. Requests in a row are a run; a run that meets
 * an answer is forgotten.
 */
export class Resolutions extends ResolutionRows {
  /** `Frame.time` at which `ripen` has something to do. */
  due = Number.POSITIVE_INFINITY;
  private readonly asked = new Sweeps();
  private ripening: { row: number; run: number; at: number }[] = [];

  constructor(
    lists: FrameLists,
    private readonly tell: {
      unanswered(row: number): void;
      answered(row: number): void;
      askedAgain(row: number): void;
    },
  ) {
    super(lists, (row) => this.tell.askedAgain(row));
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
}
