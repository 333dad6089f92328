import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';

export const MAX_PINGS = 1 << 12;
/** Latest requests of a ping that are kept apart. */
export const RING = 16;
/** A request that met no reply for this long is unanswered: what `ping` waits between two. */
export const PATIENCE_NS = 0.9e9;
/** Unanswered requests in a row, or one in ten of all and three at least: more than a lost packet now and then. */
export const RUN = 2;
const LOSSES = 3;
const ONE_IN = 10;

export const REQUESTS = 4;
export const REPLIES = 5;
export const ERRORS = 6;
export const LOST = 7;
export const LOST_RUN = 8;
export const LONGEST = 9;
export const LIST = 10;
export const TOLD = 11;
export const HI = 12;
export const LO = 13;
export const HEAD = 14;
export const EARLY = 15;
export const STRANGER = 16;
export const STRANGE = 17;
export const STRANGE_LIST = 18;
export const DIRECTION = 19;
/** Bit beside those of the directions: a request was seen a second time. */
export const AGAIN = 1 << 8;
export const GAPS = 20;
export const REPLY_HI = 21;
export const REPLY_LO = 22;
export const AROUND = 23;
export const AROUND_LIST = 24;
export const HOPS = 25;
export const STRIDE = 26;

/** What a slot of the ring holds besides a sequence number that waits. */
export const FREE = -1;
export const ANSWERED = -2;

export interface Place {
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

/** What is known of each ping, and what rules ask of it; `Pings` writes it. */
export abstract class PingRows {
  protected readonly table: KeyTable;
  protected sequences = new Int32Array(0);
  protected times = new Float64Array(0);
  protected frames = new Float64Array(0);
  protected offsets = new Int32Array(0);
  protected firsts = new Float64Array(0);
  protected lasts = new Float64Array(0);
  protected earlyTimes = new Float64Array(0);
  protected strangeTimes = new Float64Array(0);

  constructor(protected readonly lists: FrameLists) {
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
