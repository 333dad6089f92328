import type { Frame } from '../../wire/frame.js';
import type { Stations } from '../link/stations.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import { type NetworkSettings, ns } from '../settings.js';
import { NEAR_QUESTIONS, nearQuestion } from './near-questions.js';
import { SAME_REQUEST_NS } from './same-request.js';

const MAX_REFRESHES = 1 << 14;
/** Unicast requests in a run that is told: the kernel's ucast_solicit. */
const RUN_REQUESTS = 3;
/** The last of them is given this long, the kernel's retrans_time, before the run is told. */
const RIPE_NS = 1e9;
/** Runs that wait for it at once; the end of the capture tells what found no place. */
const MAX_RIPENING = 1024;

const TO_HI = 4;
const TO_LO = 5;
const RUN = 6;
const TOLD = 7;
const LIST = 8;
const SENT = 9;
/** `Frame.time` of the first and last request of the run, and of the latest answer, as doubles. */
const FIRST = 5;
const LAST = 6;
const ANSWER = 7;
/** Row of `Stations` that may be the neighbour's. */
const STATION = 16;
/** Row of `Addresses` of who solicits, plus 1; 0 for ARP. */
const SOURCE = 17;
const STRIDE = 18;
const DOUBLES = STRIDE / 2;

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
  /** The row found last for each hash: its key tells whether it is the right one. */
  private readonly near = new Int32Array(NEAR_QUESTIONS);
  private ripening: { row: number; last: number }[] = [];
  /** An answer this soon after a run that was told ends it. */
  private readonly backWithin: number;
  private readonly retryMin: number;
  private readonly retryMax: number;

  constructor(
    private readonly lists: FrameLists,
    private readonly stations: Stations,
    settings: NetworkSettings,
    private readonly tell: {
      /** A run of three or more requests was in vain. */
      lost(row: number): void;
      /** An answer came soon after a run that was told. */
      back(row: number): void;
    },
  ) {
    this.backWithin = ns(settings.neighborBack);
    this.retryMin = ns(settings.retryMin);
    this.retryMax = ns(settings.retryMax);
    this.table = new KeyTable(STRIDE, MAX_REFRESHES, (row) => lists.release(this.of(row, LIST)));
  }

  /** A request by unicast to (hiTo, loTo), with its header in `layer` of the frame. */
  request(
    segment: number,
    hi: number,
    lo: number,
    spa: number,
    tpa: number,
    hiTo: number,
    loTo: number,
    frame: Frame,
    layer: number,
  ): void {
    const row = this.row(segment, hi, lo, spa, tpa);
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    const { time } = frame;
    const gap = time - doubles[double + LAST];
    // The same request, seen at another port.
    if (gap < SAME_REQUEST_NS && gap > -SAME_REQUEST_NS) return;
    const isSame = cells[at + TO_HI] === hiTo && cells[at + TO_LO] === loTo;
    if (cells[at + RUN] > 0 && (gap < this.retryMin || gap > this.retryMax || !isSame)) {
      // What was told stays: its frames are the finding's.
      if (cells[at + TOLD] !== 0) return;
      this.reset(row);
    }
    cells[at + TO_HI] = hiTo;
    cells[at + TO_LO] = loTo;
    if (cells[at + RUN] === 0) {
      doubles[double + FIRST] = time;
      cells[at + SENT] = this.sent(row);
    }
    doubles[double + LAST] = time;
    cells[at + LIST] = this.lists.appendHeader(cells[at + LIST], frame, layer);
    if (++cells[at + RUN] >= RUN_REQUESTS) this.ripenLater(row, time);
  }

  /** A neighbor solicitation by unicast to (hiTo, loTo), with its header in `layer` of the frame. */
  solicit(
    segment: number,
    hi: number,
    lo: number,
    source: number,
    target: number,
    hiTo: number,
    loTo: number,
    frame: Frame,
    layer: number,
  ): void {
    this.request(segment, hi, lo, target, target, hiTo, loTo, frame, layer);
    const row = this.find(segment, hi, lo, target, target);
    // The first stays: findings go by it.
    if (this.of(row, SOURCE) === 0) this.table.cells[row * STRIDE + SOURCE] = source + 1;
  }

  /** An answer to (hi, lo, spa) that says where tpa is; for IPv6 spa = tpa. */
  answer(segment: number, hi: number, lo: number, spa: number, tpa: number, frame: Frame): void {
    const row = this.find(segment, hi, lo, spa, tpa);
    if (row < 0) return;
    const { cells, doubles } = this.table;
    const { time } = frame;
    doubles[row * DOUBLES + ANSWER] = time;
    if (cells[row * STRIDE + TOLD] !== 0) {
      // After a longer time what was told stays: it was lost, and came back.
      if (time - doubles[row * DOUBLES + LAST] > this.backWithin) return;
      this.tell.back(row);
    }
    if (cells[row * STRIDE + RUN] !== 0) this.reset(row);
  }

  /** Tells the runs that are due by now. */
  ripen(time: number): void {
    let kept = 0;
    this.due = Number.POSITIVE_INFINITY;
    for (const each of this.ripening) {
      if (each.last + RIPE_NS > time) {
        this.ripening[kept++] = each;
        this.due = Math.min(this.due, each.last + RIPE_NS);
      } else if (this.of(each.row, RUN) >= RUN_REQUESTS && this.last(each.row) === each.last) this.report(each.row);
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
    return this.sent(row) - this.of(row, SENT);
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
    return this.table.doubles[row * DOUBLES + FIRST];
  }

  last(row: number): number {
    return this.table.doubles[row * DOUBLES + LAST];
  }

  /** `Frame.time` of the latest answer, also to a broadcast; -Infinity if there was none. */
  lastAnswer(row: number): number {
    return this.table.doubles[row * DOUBLES + ANSWER];
  }

  frames(row: number): Place[] {
    return this.lists.read(this.of(row, LIST));
  }

  /** The row of a question, -1 if it was not asked by unicast. */
  private find(segment: number, hi: number, lo: number, spa: number, tpa: number): number {
    const { cells, rowCount } = this.table;
    const row = this.near[nearQuestion(lo, spa, tpa)];
    const asker = (segment << 16) | hi;
    const at = row * STRIDE;
    if (cells[at + 3] === tpa && cells[at + 1] === lo && cells[at + 2] === spa && cells[at] === asker && row < rowCount)
      return row;
    return this.table.find(asker, lo, spa, tpa);
  }

  private row(segment: number, hi: number, lo: number, spa: number, tpa: number): number {
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add((segment << 16) | hi, lo, spa, tpa);
    if (this.table.rowCount + this.table.evicted !== before) {
      const { doubles } = this.table;
      doubles[row * DOUBLES + LAST] = Number.NEGATIVE_INFINITY;
      doubles[row * DOUBLES + ANSWER] = Number.NEGATIVE_INFINITY;
    }
    this.near[nearQuestion(lo, spa, tpa)] = row;
    return row;
  }

  /** Frames that the neighbour has sent so far. */
  private sent(row: number): number {
    const { stations } = this;
    const { cells } = this.table;
    const at = row * STRIDE;
    const segment = this.segment(row);
    const hi = cells[at + TO_HI];
    const lo = cells[at + TO_LO];
    let station = cells[at + STATION];
    if (stations.lo(station) !== lo || stations.hi(station) !== hi || stations.segment(station) !== segment) {
      station = stations.find(segment, hi, lo);
      if (station < 0) return 0;
      cells[at + STATION] = station;
    }
    return stations.sent(station);
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
