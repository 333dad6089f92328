import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import { RETRY_MAX_NS, RETRY_MIN_NS, SAME_REQUEST_NS } from './resolutions.js';

const MAX_REFRESHES = 1 << 14;
/** Unicast requests in a run that is told: the kernel's ucast_solicit. */
const RUN_REQUESTS = 3;
/** The last of them is given this long, the kernel's retrans_time, before the run is told. */
const RIPE_NS = 1e9;
/** An answer this soon after such a run ends it: a kernel asks by broadcast next, which some hosts answer alone. */
const BACK_NS = 5e9;
/** Runs that wait for it at once; the end of the capture tells what found no place. */
const MAX_RIPENING = 1024;

const TO_HI = 4;
const TO_LO = 5;
const RUN = 6;
const TOLD = 7;
const LIST = 8;
const SENT = 9;
/** Row of `Addresses` of who solicits, plus 1; 0 for ARP. */
const SOURCE = 10;
const STRIDE = 11;

/**
 * ARP requests and neighbor solicitations by unicast, with which a host makes sure of a neighbour that it knows (neighbour
 * unreachability detection, RFC 4861 section 7.3), and whether they are answered. A row is (segment, sha, spa, tpa); addresses are
 * rows of `Addresses`. Requests at the pauses of a kernel's retries are a run; an answer ends it. Kernels solicit by unicast from
 * their link-local address and by multicast from another, so that rows of IPv6 have the target for spa too.
 */
export class Refreshes {
  /** `Frame.time` at which `ripen` has something to do. */
  due = Number.POSITIVE_INFINITY;
  private readonly table: KeyTable;
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private answers = new Float64Array(0);
  private ripening: { row: number; last: number }[] = [];

  constructor(
    private readonly lists: FrameLists,
    /** Frames that a station has sent so far. */
    private readonly sentBy: (segment: number, hi: number, lo: number) => number,
    private readonly tell: {
      /** A run of three or more requests was in vain. */
      lost(row: number): void;
      /** An answer came soon after a run that was told. */
      back(row: number): void;
    },
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_REFRESHES,
      (row) => lists.release(this.of(row, LIST)),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
        this.answers = longer(this.answers, capacity);
      },
    );
  }

  /** A request by unicast to (hiTo, loTo). */
  request(
    segment: number,
    hi: number,
    lo: number,
    spa: number,
    tpa: number,
    hiTo: number,
    loTo: number,
    time: number,
    frame: number,
    offset: number,
    length: number,
  ): void {
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add((segment << 16) | hi, lo, spa, tpa);
    const { cells } = this.table;
    const at = row * STRIDE;
    if (this.table.rowCount + this.table.evicted !== before) {
      this.lasts[row] = Number.NEGATIVE_INFINITY;
      this.answers[row] = Number.NEGATIVE_INFINITY;
    }
    const gap = time - this.lasts[row];
    // The same request, seen at another port.
    if (Math.abs(gap) < SAME_REQUEST_NS) return;
    const isSame = cells[at + TO_HI] === hiTo && cells[at + TO_LO] === loTo;
    if (cells[at + RUN] > 0 && (gap < RETRY_MIN_NS || gap > RETRY_MAX_NS || !isSame)) {
      // What was told stays: its frames are the finding's.
      if (cells[at + TOLD] !== 0) return;
      this.reset(row);
    }
    if (cells[at + RUN] === 0) {
      this.firsts[row] = time;
      cells[at + SENT] = this.sentBy(segment, hiTo, loTo);
    }
    cells[at + TO_HI] = hiTo;
    cells[at + TO_LO] = loTo;
    this.lasts[row] = time;
    cells[at + LIST] = this.lists.append(cells[at + LIST], frame, offset, length);
    if (++cells[at + RUN] >= RUN_REQUESTS) this.ripenLater(row, time);
  }

  /** A neighbor solicitation by unicast to (hiTo, loTo). */
  solicit(
    segment: number,
    hi: number,
    lo: number,
    source: number,
    target: number,
    hiTo: number,
    loTo: number,
    time: number,
    frame: number,
    offset: number,
    length: number,
  ): void {
    this.request(segment, hi, lo, target, target, hiTo, loTo, time, frame, offset, length);
    const row = this.table.find((segment << 16) | hi, lo, target, target);
    // The first stays: findings go by it.
    if (this.of(row, SOURCE) === 0) this.table.cells[row * STRIDE + SOURCE] = source + 1;
  }

  /** An answer to (hi, lo, spa) that says where tpa is; for IPv6 spa = tpa. */
  answer(segment: number, hi: number, lo: number, spa: number, tpa: number, time: number): void {
    const row = this.table.find((segment << 16) | hi, lo, spa, tpa);
    if (row < 0) return;
    this.answers[row] = time;
    if (this.of(row, TOLD) !== 0) {
      // After a longer time what was told stays: it was lost, and came back.
      if (time - this.lasts[row] > BACK_NS) return;
      this.tell.back(row);
    }
    this.reset(row);
  }

  /** Tells the runs that are due by now. */
  ripen(time: number): void {
    let kept = 0;
    this.due = Number.POSITIVE_INFINITY;
    for (const each of this.ripening) {
      if (each.last + RIPE_NS > time) {
        this.ripening[kept++] = each;
        this.due = Math.min(this.due, each.last + RIPE_NS);
      } else if (this.of(each.row, RUN) >= RUN_REQUESTS && this.lasts[each.row] === each.last) this.report(each.row);
    }
    this.ripening.length = kept;
  }

  /** Tells all runs in the segments that `isOfCapture` names. */
  finish(isOfCapture: (segment: number) => boolean): void {
    this.ripening.length = 0;
    this.due = Number.POSITIVE_INFINITY;
    for (let row = 0; row < this.table.rowCount; row++)
      if (this.of(row, RUN) >= RUN_REQUESTS && isOfCapture(this.segment(row))) this.report(row);
  }

  segment(row: number): number {
    return this.of(row, 0) >>> 16;
  }

  /** Who asks. */
  hi(row: number): number {
    return this.of(row, 0) & 0xffff;
  }

  lo(row: number): number {
    return this.of(row, 1);
  }

  /** The address it asks from. */
  spa(row: number): number {
    const source = this.of(row, SOURCE);
    return source === 0 ? this.of(row, 2) : source - 1;
  }

  tpa(row: number): number {
    return this.of(row, 3);
  }

  /** MAC that the requests go to. */
  toHi(row: number): number {
    return this.of(row, TO_HI);
  }

  toLo(row: number): number {
    return this.of(row, TO_LO);
  }

  /** Frames that the neighbour sent since the run began: it is there, and does not answer. */
  heard(row: number): number {
    return this.sentBy(this.segment(row), this.toHi(row), this.toLo(row)) - this.of(row, SENT);
  }

  /** Frames that it sent before. */
  sentBefore(row: number): number {
    return this.of(row, SENT);
  }

  /** Requests of the run. */
  requests(row: number): number {
    return this.of(row, RUN);
  }

  /** `Frame.time` of the first and last request of the run. */
  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  /** `Frame.time` of the latest answer, also to a broadcast; -Infinity if there was none. */
  lastAnswer(row: number): number {
    return this.answers[row];
  }

  frames(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.of(row, LIST));
  }

  private report(row: number): void {
    this.table.cells[row * STRIDE + TOLD] = 1;
    this.tell.lost(row);
  }

  private reset(row: number): void {
    const at = row * STRIDE;
    this.lists.release(this.table.cells[at + LIST]);
    this.table.cells[at + LIST] = 0;
    this.table.cells[at + RUN] = 0;
    this.table.cells[at + TOLD] = 0;
  }

  private ripenLater(row: number, last: number): void {
    if (this.ripening.length === MAX_RIPENING) return;
    this.ripening.push({ row, last });
    this.due = Math.min(this.due, last + RIPE_NS);
  }

  private of(row: number, column: number): number {
    return this.table.cells[row * STRIDE + column];
  }
}
