import type { Addresses } from '../addresses.js';
import { IPV6 } from '../flows/flow-rows.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import {
  AGAIN,
  AROUND,
  AROUND_LIST,
  DIRECTION,
  DOUBLED_LIST,
  DOUBLES,
  ERRORS,
  FIRST,
  FIRST_SEQUENCE,
  FOR_OTHER,
  HI,
  HOPS,
  LAST,
  LIST,
  LO,
  REPLIES,
  REPLY_HI,
  REPLY_LO,
  REQUESTS,
  STRANGE,
  STRANGE_LIST,
  STRANGE_TIME,
  STRANGER,
  STRIDE,
  TUNNELLED,
  WAITING,
} from './ping-layout.js';

export const MAX_PINGS = 1 << 12;

/**
 * What is known of each ping; `Pings` and `DoubleReplies` write it. A row is (segment, source, destination, identifier), with
 * `IPV6` in the first word if its addresses are rows of `Addresses`; IPv4 addresses stand for themselves.
 */
export abstract class PingFacts {
  readonly table: KeyTable;

  constructor(
    protected readonly addresses: Addresses,
    protected readonly lists: FrameLists,
    /** Lists of `DoubleReplies`. */
    doubleLists: FrameLists,
  ) {
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

  /** Sequence number of the first request here. */
  firstSequence(row: number): number {
    return this.table.cells[row * STRIDE + FIRST_SEQUENCE];
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
}
