import type { Frame } from '../wire/frame.js';
import { Protocol } from '../wire/protocol.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';

const MAX_PINGS = 1 << 12;
/** Latest requests of a ping that are kept apart. */
const RING = 16;
/** A request that met no reply for this long is unanswered: what `ping` waits between two. */
const PATIENCE_NS = 0.9e9;
/** Sightings of one sequence number closer than this are one request: seen at two hops, reflected, looped. */
const SAME_REQUEST_NS = 200e6;
/** A reply may stand this long before its request where several interfaces share a capture. */
const EARLY_NS = 10e6;
/** Unanswered requests in a row, or one in ten of all and three at least: more than a lost packet now and then. */
const RUN = 2;
const LOSSES = 3;
const ONE_IN = 10;

const REQUESTS = 4;
const REPLIES = 5;
const ERRORS = 6;
const LOST = 7;
const LOST_RUN = 8;
const LONGEST = 9;
const LIST = 10;
const TOLD = 11;
const HI = 12;
const LO = 13;
const HEAD = 14;
const EARLY = 15;
const STRANGER = 16;
const STRANGE = 17;
const STRANGE_LIST = 18;
const DIRECTION = 19;
/** Bit beside those of the directions: a request was seen a second time. */
const AGAIN = 1 << 8;
const GAPS = 20;
const REPLY_HI = 21;
const REPLY_LO = 22;
const AROUND = 23;
const AROUND_LIST = 24;
const HOPS = 25;
const STRIDE = 26;

/** What a slot of the ring holds besides a sequence number that waits. */
const FREE = -1;
const ANSWERED = -2;

interface Place {
  frame: number;
  offset: number;
  length: number;
}

/** How a ping fares. */
export interface PingState {
  /** Requests that met no reply, and those among them that had time to. */
  readonly unanswered: number;
  readonly waited: number;
  /** One gap of two or more only, and replies came after it. */
  readonly passed: boolean;
  /** `Frame.time` of the first and last of them. */
  readonly first: number;
  readonly last: number;
  readonly places: Place[];
}

/**
 * Echo requests and their replies: a row is (segment, source, destination, identifier), one run of `ping`; addresses
 * are rows of `Addresses`. (`Echoes` tells sizes apart; here it is sequence numbers.)
 */
export class Pings {
  private readonly table: KeyTable;
  /** Row of the latest ping of (segment, source, identifier), whomever it is for. */
  private readonly byIdentifier = new KeyTable(5, MAX_PINGS);
  private sequences = new Int32Array(0);
  private times = new Float64Array(0);
  private frames = new Float64Array(0);
  private offsets = new Int32Array(0);
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private earlyTimes = new Float64Array(0);
  private strangeTimes = new Float64Array(0);

  constructor(
    private readonly lists: FrameLists,
    private readonly tell: {
      /** The 2nd, 4th, 8th … request is known to be lost, or the capture ended. Row of `pings`. */
      lost(row: number): void;
      /** A reply came from an address that was not asked, for the 1st, 2nd, 4th … time. Row of `pings`. */
      strange(row: number): void;
    },
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_PINGS,
      (row) => {
        this.lists.release(this.table.cells[row * STRIDE + LIST]);
        this.lists.release(this.table.cells[row * STRIDE + STRANGE_LIST]);
        this.lists.release(this.table.cells[row * STRIDE + AROUND_LIST]);
      },
      (capacity) => this.growRows(capacity),
    );
  }

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  /** A request to the hardware address (hi, lo), with `hops` as TTL or hop limit; `layer` is its ICMP header. */
  request(
    segment: number,
    source: number,
    destination: number,
    id: number,
    sequence: number,
    hops: number,
    hi: number,
    lo: number,
    frame: Frame,
    layer: number,
  ): void {
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add(segment, source, destination, id);
    if (this.table.rowCount + this.table.evicted !== before) this.start(row);
    const { cells } = this.table;
    const { time } = frame;
    const at = row * STRIDE;
    const waiting = this.slotOf(row, sequence);
    if (waiting >= 0 && Math.abs(time - this.times[waiting]) < SAME_REQUEST_NS) {
      cells[at + DIRECTION] |= AGAIN;
      return;
    }
    if (cells[at + REQUESTS]++ === 0) this.firsts[row] = time;
    this.lasts[row] = time;
    cells[at + HOPS] = hops;
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    cells[at + DIRECTION] |= 1 << frame.direction;
    this.byIdentifier.cells[this.byIdentifier.add(segment, source, id, 0) * 5 + 4] = row;
    const slot = row * RING + cells[at + HEAD];
    cells[at + HEAD] = (cells[at + HEAD] + 1) % RING;
    this.leave(row, slot, time);
    const isEarly = cells[at + EARLY] === sequence && time - this.earlyTimes[row] <= EARLY_NS;
    this.sequences[slot] = isEarly ? ANSWERED : sequence;
    this.times[slot] = time;
    this.frames[slot] = frame.number;
    this.offsets[slot] = frame.offsets[layer] - frame.start;
  }

  /** A reply, from `destination` back to `source`; `layer` is its ICMP header. */
  reply(
    segment: number,
    source: number,
    destination: number,
    id: number,
    sequence: number,
    frame: Frame,
    layer: number,
  ): void {
    let row = this.table.find(segment, source, destination, id);
    if (row < 0) {
      if (this.fromStranger(segment, source, destination, id, sequence, frame)) return;
      // The request was seen at another port, perhaps.
      row = this.table.add(segment, source, destination, id);
      this.start(row);
    }
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + REPLIES]++;
    const slot = this.slotOf(row, sequence);
    if (slot >= 0) {
      this.sequences[slot] = ANSWERED;
      if (cells[at + HI] >= 0) this.comparePath(row, slot, frame, layer);
    } else {
      cells[at + EARLY] = sequence;
      this.earlyTimes[row] = frame.time;
    }
  }

  /** An ICMP error that quotes a request. */
  refused(segment: number, source: number, destination: number, id: number, sequence: number): void {
    const row = this.table.find(segment, source, destination, id);
    if (row < 0) return;
    this.table.cells[row * STRIDE + ERRORS]++;
    const slot = this.slotOf(row, sequence);
    if (slot >= 0) this.sequences[slot] = ANSWERED;
  }

  /** Tells of all pings in the segments that `isOfCapture` names that lack replies, or lacked some before. */
  finish(isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++) {
      const { cells } = this.table;
      if (!isOfCapture(this.segment(row))) continue;
      if (cells[row * STRIDE + TOLD] !== 0 || cells[row * STRIDE + REPLIES] < cells[row * STRIDE + REQUESTS])
        this.tell.lost(row);
    }
  }

  /** The rows of all pings between two addresses. For rare use: it looks at every ping. */
  between(segment: number, source: number, destination: number): number[] {
    const found: number[] = [];
    const { cells, rowCount } = this.table;
    for (let row = 0; row < rowCount; row++) {
      const at = row * STRIDE;
      if (cells[at] === segment && cells[at + 1] === source && cells[at + 2] === destination) found.push(row);
    }
    return found;
  }

  /** The rows of all pings whose latest request went to a hardware address. For rare use, as above. */
  sentTo(segment: number, hi: number, lo: number): number[] {
    const found: number[] = [];
    const { cells, rowCount } = this.table;
    for (let row = 0; row < rowCount; row++) {
      const at = row * STRIDE;
      if (cells[at] === segment && cells[at + HI] === hi && cells[at + LO] === lo) found.push(row);
    }
    return found;
  }

  /** The latest requests, answered or not, as evidence. */
  latest(row: number): Place[] {
    const places: Place[] = [];
    for (let i = 0; i < RING; i++) {
      const slot = row * RING + ((this.table.cells[row * STRIDE + HEAD] + i) % RING);
      if (this.sequences[slot] !== FREE)
        places.push({ frame: this.frames[slot], offset: this.offsets[slot], length: 8 });
    }
    return places;
  }

  /** Other rows of the same ping: seen at another port, in another VLAN or tunnel. For rare use, as above. */
  elsewhere(row: number): number[] {
    const found: number[] = [];
    const { cells, rowCount } = this.table;
    const own = row * STRIDE;
    for (let other = 0; other < rowCount; other++) {
      const at = other * STRIDE;
      if (other === row || cells[at + 3] !== cells[own + 3]) continue;
      if (cells[at + 1] === cells[own + 1] && cells[at + 2] === cells[own + 2]) found.push(other);
    }
    return found;
  }

  /** How a ping fares at `now`; null where no more than a stray request is unanswered, or errors answer. */
  state(row: number, now: number): PingState | null {
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + ERRORS] > 0 && cells[at + REPLIES] === 0) return null;
    let waited = cells[at + LOST];
    let run = cells[at + LOST_RUN];
    let longest = cells[at + LONGEST];
    let recent = 0;
    let gaps = cells[at + GAPS];
    const places = this.lists.read(cells[at + LIST]);
    let first = waited > 0 ? this.firsts[row] : Number.NaN;
    let last = first;
    for (let i = 0; i < RING; i++) {
      const slot = row * RING + ((cells[at + HEAD] + i) % RING);
      if (this.sequences[slot] === FREE) continue;
      if (this.sequences[slot] === ANSWERED) {
        run = 0;
        continue;
      }
      if (now - this.times[slot] >= PATIENCE_NS) {
        waited++;
        longest = Math.max(longest, ++run);
        if (run === RUN) gaps++;
      } else recent++;
      if (Number.isNaN(first)) first = this.times[slot];
      last = this.times[slot];
      places.push({ frame: this.frames[slot], offset: this.offsets[slot], length: 8 });
    }
    const isDead = cells[at + REPLIES] === 0 && waited >= 1 && waited + recent >= RUN;
    const isLossy = waited >= LOSSES && waited * ONE_IN >= cells[at + REQUESTS];
    if (!isDead && longest < RUN && !isLossy) return null;
    return { unanswered: waited + recent, waited, passed: gaps === 1 && run === 0, first, last, places };
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  source(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  destination(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  identifier(row: number): number {
    return this.table.cells[row * STRIDE + 3];
  }

  requests(row: number): number {
    return this.table.cells[row * STRIDE + REQUESTS];
  }

  replies(row: number): number {
    return this.table.cells[row * STRIDE + REPLIES];
  }

  /** Hardware address that the latest request was sent to; hi is -1 where the capture does not tell. */
  hi(row: number): number {
    return this.table.cells[row * STRIDE + HI];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + LO];
  }

  /** TTL or hop limit of the latest request. */
  hops(row: number): number {
    return this.table.cells[row * STRIDE + HOPS];
  }

  /** Whether requests were seen going this way (`Direction`). */
  went(row: number, direction: number): boolean {
    return (this.table.cells[row * STRIDE + DIRECTION] & (1 << direction)) !== 0;
  }

  /** Whether a request was seen a second time at once, and not as a copy: somebody passed it on. */
  wasPassedOn(row: number): boolean {
    return (this.table.cells[row * STRIDE + DIRECTION] & AGAIN) !== 0;
  }

  /** Who replied without having been asked, how often, and when last. */
  stranger(row: number): number {
    return this.table.cells[row * STRIDE + STRANGER];
  }

  strangeReplies(row: number): number {
    return this.table.cells[row * STRIDE + STRANGE];
  }

  lastStrange(row: number): number {
    return this.strangeTimes[row];
  }

  /** Requests and the replies to them that came from elsewhere, as evidence. */
  strangePlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + STRANGE_LIST]);
  }

  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  /** Replies that came from another hardware address than the requests went to, and that address. */
  aroundReplies(row: number): number {
    return this.table.cells[row * STRIDE + AROUND];
  }

  replyHi(row: number): number {
    return this.table.cells[row * STRIDE + REPLY_HI];
  }

  replyLo(row: number): number {
    return this.table.cells[row * STRIDE + REPLY_LO];
  }

  /** Requests and those replies in turn, as evidence. */
  aroundPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + AROUND_LIST]);
  }

  /** Counts a reply to the request in a slot if it came from another hardware address than requests go to. */
  private comparePath(row: number, slot: number, frame: Frame, layer: number): void {
    let link = layer - 1;
    while (link > 0 && frame.kinds[link] !== Protocol.Ethernet) link--;
    if (frame.kinds[link] !== Protocol.Ethernet) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    const hi = frame.view.getUint16(frame.offsets[link] + 6);
    const lo = frame.view.getInt32(frame.offsets[link] + 8);
    if (cells[at + HI] === hi && cells[at + LO] === lo) return;
    cells[at + REPLY_HI] = hi;
    cells[at + REPLY_LO] = lo;
    cells[at + AROUND]++;
    const list = this.lists.append(cells[at + AROUND_LIST], this.frames[slot], this.offsets[slot], 8);
    cells[at + AROUND_LIST] = this.lists.append(list, frame.number, frame.offsets[layer] - frame.start, 8);
  }

  private start(row: number): void {
    this.sequences.fill(FREE, row * RING, (row + 1) * RING);
    this.table.cells[row * STRIDE + EARLY] = FREE;
    this.earlyTimes[row] = Number.NEGATIVE_INFINITY;
  }

  /** Slot of the latest waiting request with this sequence number, -1 if there is none. */
  private slotOf(row: number, sequence: number): number {
    const head = this.table.cells[row * STRIDE + HEAD];
    for (let i = 1; i <= RING; i++) {
      const slot = row * RING + ((head - i + RING) % RING);
      if (this.sequences[slot] === sequence) return slot;
    }
    return -1;
  }

  /** What is in a slot makes room: a request that still waits is lost if it waited long enough. */
  private leave(row: number, slot: number, time: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    const sequence = this.sequences[slot];
    if (sequence === FREE) return;
    if (sequence === ANSWERED) {
      cells[at + LOST_RUN] = 0;
      return;
    }
    if (time - this.times[slot] < PATIENCE_NS) return;
    const lost = ++cells[at + LOST];
    cells[at + LONGEST] = Math.max(cells[at + LONGEST], ++cells[at + LOST_RUN]);
    if (cells[at + LOST_RUN] === RUN) cells[at + GAPS]++;
    cells[at + LIST] = this.lists.append(cells[at + LIST], this.frames[slot], this.offsets[slot], 8);
    if (lost >= RUN && (lost & (lost - 1)) === 0) {
      cells[at + TOLD] = 1;
      this.tell.lost(row);
    }
  }

  /** A reply from an address that was not asked: to a request that waits, sent to somebody else. */
  private fromStranger(
    segment: number,
    source: number,
    replier: number,
    id: number,
    sequence: number,
    frame: Frame,
  ): boolean {
    const found = this.byIdentifier.find(segment, source, id, 0);
    if (found < 0) return false;
    const row = this.byIdentifier.cells[found * 5 + 4];
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at] !== segment || cells[at + 1] !== source || cells[at + 3] !== id) return false;
    const slot = this.slotOf(row, sequence);
    if (slot < 0 || frame.time - this.times[slot] > PATIENCE_NS) return false;
    this.sequences[slot] = ANSWERED;
    cells[at + STRANGER] = replier;
    const count = ++cells[at + STRANGE];
    this.strangeTimes[row] = frame.time;
    let list = this.lists.append(cells[at + STRANGE_LIST], this.frames[slot], this.offsets[slot], 8);
    list = this.lists.append(list, frame.number, this.offsets[slot], 8);
    cells[at + STRANGE_LIST] = list;
    if ((count & (count - 1)) === 0) this.tell.strange(row);
    return true;
  }

  private growRows(capacity: number): void {
    const sequences = new Int32Array(capacity * RING).fill(FREE);
    sequences.set(this.sequences);
    this.sequences = sequences;
    const offsets = new Int32Array(capacity * RING);
    offsets.set(this.offsets);
    this.offsets = offsets;
    this.times = longer(this.times, capacity * RING);
    this.frames = longer(this.frames, capacity * RING);
    this.firsts = longer(this.firsts, capacity);
    this.lasts = longer(this.lasts, capacity);
    this.earlyTimes = longer(this.earlyTimes, capacity);
    this.strangeTimes = longer(this.strangeTimes, capacity);
  }
}
