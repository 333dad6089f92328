import type { Addresses } from '../addresses.js';
import { IPV6 } from '../flows/flow-rows.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import { type NetworkSettings, ns } from '../settings.js';
import {
  AGAIN,
  ANSWERED,
  AROUND,
  AROUND_LIST,
  DIRECTION,
  DOUBLED,
  DOUBLED_LIST,
  DOUBLES,
  ERRORS,
  FIRST,
  FOR_OTHER,
  FRAME,
  GAPS,
  HI,
  HOPS,
  LAST,
  LIST,
  LO,
  LONGEST,
  LOST,
  LOST_RUN,
  OFFSET,
  REPLIES,
  REPLY_HI,
  REPLY_LO,
  REQUESTS,
  SLOT,
  SLOT_DOUBLES,
  STRANGE,
  STRANGE_LIST,
  STRANGE_TIME,
  STRANGER,
  STRIDE,
  TIME,
  TUNNELLED,
  WAITING,
} from './ping-layout.js';

export const MAX_PINGS = 1 << 12;
/** Latest requests of a ping that are kept apart; a power of two. */
export const RING = 16;
/** Unanswered requests in a row, or one in ten of all and three at least: more than a lost packet now and then. */
export const RUN = 2;
const LOSSES = 3;
const ONE_IN = 10;

/** How a ping fares. */
export interface PingState {
  /** Requests that met no reply, and those among them that had time to. */
  readonly unanswered: number;
  readonly waited: number;
  /** Gaps of two or more, after each of which replies came; 0 if one goes on. */
  readonly passed: number;
  /** `Frame.time` of the first and last of them. */
  readonly first: number;
  readonly last: number;
  readonly places: Place[];
}

/**
 * What is known of each ping, and what rules ask of it; `Pings` and `DoubleReplies` write it. A row is (segment, source,
 * destination, identifier), with `IPV6` in the first word if its addresses are rows of `Addresses`; IPv4 addresses stand for
 * themselves. Request n of a row is kept in slot n % `RING` of its ring.
 */
export abstract class PingRows {
  readonly table: KeyTable;
  protected readonly ring = new Int32Array(MAX_PINGS * RING * SLOT);
  protected readonly ringDoubles = new Float64Array(this.ring.buffer);

  /** A request is lost if its reply does not come within this time. */
  protected readonly patience: number;

  constructor(
    private readonly addresses: Addresses,
    protected readonly lists: FrameLists,
    /** Lists of `DoubleReplies`. */
    doubleLists: FrameLists,
    settings: NetworkSettings,
  ) {
    this.patience = ns(settings.pingPatience);
    const release = (row: number) => {
      const { cells } = this.table;
      const at = row * STRIDE;
      this.lists.release(cells[at + LIST]);
      this.lists.release(cells[at + STRANGE_LIST]);
      this.lists.release(cells[at + AROUND_LIST]);
      doubleLists.release(cells[at + DOUBLED_LIST]);
    };
    this.table = new KeyTable(STRIDE, MAX_PINGS, release, null, WAITING);
  }

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  /** Pings given up though replies were lacking. */
  get missed(): number {
    return this.table.missed;
  }

  /** The rows of all pings from one address to another (rows of `Addresses`). For rare use: it looks at every ping. */
  between(segment: number, source: number, destination: number): number[] {
    return this.ofPair(source, destination).filter(
      (row) => this.segment(row) === segment && this.source(row) === source,
    );
  }

  /** The rows of all pings between two addresses, either way and in whatever segments. For rare use, as above. */
  ofPair(one: number, other: number): number[] {
    const found: number[] = [];
    const { cells, rowCount } = this.table;
    const isIpv6 = !this.addresses.isIpv4(one);
    const [a, b] = [one, other].map((row) => (isIpv6 ? row : this.addresses.words(row)[0]));
    for (let row = 0; row < rowCount; row++) {
      const at = row * STRIDE;
      if (((cells[at] & IPV6) !== 0) !== isIpv6) continue;
      const [from, to] = [cells[at + 1], cells[at + 2]];
      if ((from === a && to === b) || (from === b && to === a)) found.push(row);
    }
    return found;
  }

  /** The rows of all pings whose latest request went to a hardware address. For rare use, as above. */
  sentTo(segment: number, hi: number, lo: number): number[] {
    const found: number[] = [];
    const { cells, rowCount } = this.table;
    for (let row = 0; row < rowCount; row++) {
      const at = row * STRIDE;
      if ((cells[at] & ~IPV6) === segment && cells[at + HI] === hi && cells[at + LO] === lo) found.push(row);
    }
    return found;
  }

  /** The latest requests, answered or not, as evidence. */
  latest(row: number): Place[] {
    return this.slots(row).map((slot) => this.place(slot));
  }

  /** Other rows of the same ping: seen at another port, in another VLAN or tunnel. For rare use, as above. */
  elsewhere(row: number): number[] {
    const found: number[] = [];
    const { cells, rowCount } = this.table;
    const own = row * STRIDE;
    for (let other = 0; other < rowCount; other++) {
      const at = other * STRIDE;
      if (other === row || cells[at + 3] !== cells[own + 3] || ((cells[at] ^ cells[own]) & IPV6) !== 0) continue;
      if (cells[at + 1] === cells[own + 1] && cells[at + 2] === cells[own + 2]) found.push(other);
    }
    return found;
  }

  /**
   * Replies to requests that are not in the capture, though others of the same ping are: those it lost, or they passed elsewhere. 0 where
   * requests or replies were seen twice. Errors that answer some make it less than it is.
   */
  unseenRequests(row: number): number {
    const { cells } = this.table;
    const at = row * STRIDE;
    if ((cells[at + DIRECTION] & AGAIN) !== 0 || cells[at + DOUBLED] > 0) return 0;
    const answered = cells[at + REQUESTS] - cells[at + LOST] - cells[at + WAITING];
    return Math.max(cells[at + REPLIES] - answered, 0);
  }

  /** The latest requests that nobody answered, with `Frame.time`. */
  requestsKept(row: number): { sequence: number; time: number }[] {
    return this.slots(row)
      .filter((slot) => this.ring[slot * SLOT] !== ANSWERED)
      .map((slot) => ({ sequence: this.ring[slot * SLOT], time: this.ringDoubles[slot * SLOT_DOUBLES + TIME] }));
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
    let first = waited > 0 ? this.first(row) : Number.NaN;
    let last = first;
    for (const slot of this.slots(row)) {
      if (this.ring[slot * SLOT] === ANSWERED) {
        run = 0;
        continue;
      }
      const time = this.ringDoubles[slot * SLOT_DOUBLES + TIME];
      if (now - time >= this.patience) {
        waited++;
        longest = Math.max(longest, ++run);
        if (run === RUN) gaps++;
      } else recent++;
      if (Number.isNaN(first)) first = time;
      last = time;
      places.push(this.place(slot));
    }
    const isDead = cells[at + REPLIES] === 0 && waited >= 1 && waited + recent >= RUN;
    const isLossy = waited >= LOSSES && waited * ONE_IN >= cells[at + REQUESTS];
    if (!isDead && longest < RUN && !isLossy) return null;
    return { unanswered: waited + recent, waited, passed: run === 0 ? gaps : 0, first, last, places };
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE] & ~IPV6;
  }

  /** Rows of `Addresses`. */
  source(row: number): number {
    return this.addressAt(row, 1);
  }

  destination(row: number): number {
    return this.addressAt(row, 2);
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

  /** ICMP errors that quote requests. */
  errors(row: number): number {
    return this.table.cells[row * STRIDE + ERRORS];
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

  /** Whether a cooked capture says that requests came in for another machine than the one that captured. */
  wasForOther(row: number): boolean {
    return (this.table.cells[row * STRIDE + DIRECTION] & FOR_OTHER) !== 0;
  }

  /** Whether requests came in another IP packet. */
  wasTunnelled(row: number): boolean {
    return (this.table.cells[row * STRIDE + DIRECTION] & TUNNELLED) !== 0;
  }

  /** Whether a request was seen a second time at once, and not as a copy: somebody passed it on. */
  wasPassedOn(row: number): boolean {
    return (this.table.cells[row * STRIDE + DIRECTION] & AGAIN) !== 0;
  }

  /** Who replied without having been asked (row of `Addresses`), how often, and when last. */
  stranger(row: number): number {
    return this.addressAt(row, STRANGER);
  }

  strangeReplies(row: number): number {
    return this.table.cells[row * STRIDE + STRANGE];
  }

  lastStrange(row: number): number {
    return this.table.doubles[row * DOUBLES + STRANGE_TIME];
  }

  /** Requests and the replies to them that came from elsewhere, as evidence. */
  strangePlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + STRANGE_LIST]);
  }

  first(row: number): number {
    return this.table.doubles[row * DOUBLES + FIRST];
  }

  last(row: number): number {
    return this.table.doubles[row * DOUBLES + LAST];
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

  private addressAt(row: number, word: number): number {
    const { cells } = this.table;
    const at = row * STRIDE;
    return (cells[at] & IPV6) === 0 ? this.addresses.ipv4(cells[at + word]) : cells[at + word];
  }

  /** Slots of the requests that are kept of a ping, in the order in which they came. */
  private slots(row: number): number[] {
    const requests = this.table.cells[row * STRIDE + REQUESTS];
    const kept = Math.min(requests, RING);
    return Array.from({ length: kept }, (_, i) => row * RING + ((requests - kept + i) & (RING - 1)));
  }

  private place(slot: number): Place {
    const frame = this.ringDoubles[slot * SLOT_DOUBLES + FRAME];
    return { frame, offset: this.ring[slot * SLOT + OFFSET], length: 8 };
  }
}
