import type { Addresses } from '../addresses.js';
import { IPV6 } from '../flows/flow-rows.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { type NetworkSettings, ns } from '../settings.js';
import { MAX_PINGS, PingFacts } from './ping-facts.js';
import {
  AGAIN,
  ANSWERED,
  DIRECTION,
  DOUBLED,
  ERRORS,
  FRAME,
  GAPS,
  HI,
  LIST,
  LO,
  LONGEST,
  LOST,
  LOST_RUN,
  OFFSET,
  REPLIES,
  REQUESTS,
  SLOT,
  SLOT_DOUBLES,
  STRIDE,
  TIME,
  WAITING,
} from './ping-layout.js';

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

/** Which pings there are between whom, and how they fare. Request n of a row is kept in slot n % `RING` of its ring. */
export abstract class PingRows extends PingFacts {
  protected readonly ring = new Int32Array(MAX_PINGS * RING * SLOT);
  protected readonly ringDoubles = new Float64Array(this.ring.buffer);

  /** A request is lost if its reply does not come within this time. */
  protected readonly patience: number;

  constructor(
    addresses: Addresses,
    lists: FrameLists,
    /** Lists of `DoubleReplies`. */
    doubleLists: FrameLists,
    settings: NetworkSettings,
  ) {
    super(addresses, lists, doubleLists);
    this.patience = ns(settings.pingPatience);
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

  /** Whether one of the latest requests, sent after this time, met its reply, or an error. */
  answeredAfter(row: number, time: number): boolean {
    return this.slots(row).some(
      (slot) => this.ring[slot * SLOT] === ANSWERED && this.ringDoubles[slot * SLOT_DOUBLES + TIME] > time,
    );
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
