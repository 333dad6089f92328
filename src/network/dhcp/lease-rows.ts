import { longer } from '../rows/columns.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import { LeaseRequests } from './lease-requests.js';

const MAX_EXCHANGES = 1 << 13;
const MAX_CLIENTS = 1 << 12;

/** Columns of an exchange behind its key (capture, chaddr in two words, xid). */
export const CLIENT = 4;
export const SERVER = 5;
export const RIVAL = 6;
export const ROUTER = 7;
export const RIVAL_ROUTER = 8;
export const LEASE = 9;
export const CHOSEN = 10;
export const WANTED = 11;
export const OFFERS = 12;
export const NAKS = 13;
export const LIST = 14;
/** Segment of the latest offer or acknowledgement, and 1. */
export const ANSWERED_AT = 23;
/** Address of the first server's offer. */
export const OFFERED_ADDRESS = 24;
/** Address of the latest offer. */
export const OFFER = 25;
export const EXCHANGE_STRIDE = 26;

/** Columns of a client behind its key (segment, chaddr in two words, client identifier). */
export const DISCOVERS = 4;
export const OFFERED = 5;
export const IGNORED = 6;
export const ASKING = 7;
export const OFFERING = 8;
export const BROADCAST = 9;
/** Discovers behind the first, while no offer comes, or requests behind the first. */
export const NEED = 10;
export const CLIENT_STRIDE = 11;

/** Frames of an exchange, by message type. */
export const TYPES = 8;

/**
 * DHCP as it was seen (RFC 2131). An exchange is what carries one xid for one hardware address, at whatever ports of a
 * capture it passes; its row is (capture, chaddr, xid). A client is (segment where it was first heard, chaddr, client
 * identifier) and outlives exchanges, for some clients take a new xid with every try. IPv4 addresses are signed integers.
 * `Leases` writes it.
 */
export abstract class LeaseRows {
  protected readonly exchanges: KeyTable;
  protected readonly clients: KeyTable;
  /** What each client requested in vain. */
  readonly requests: LeaseRequests;
  protected seen = new Float64Array(0);
  protected firsts = new Float64Array(0);
  protected lasts = new Float64Array(0);
  protected offered = new Float64Array(0);

  constructor(protected readonly lists: FrameLists) {
    this.requests = new LeaseRequests(lists);
    this.exchanges = new KeyTable(
      EXCHANGE_STRIDE,
      MAX_EXCHANGES,
      (row) => {
        for (let type = 1; type <= TYPES; type++) lists.release(this.exchange(row, LIST + type));
      },
      (capacity) => {
        this.seen = longer(this.seen, capacity * (TYPES + 1));
      },
    );
    this.clients = new KeyTable(
      CLIENT_STRIDE,
      MAX_CLIENTS,
      (row) => {
        lists.release(this.of(row, ASKING));
        lists.release(this.of(row, OFFERING));
        this.requests.evict(row);
      },
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
        this.offered = longer(this.offered, capacity);
        this.requests.grow(capacity);
      },
      NEED,
    );
  }

  protected exchange(row: number, column: number): number {
    return this.exchanges.cells[row * EXCHANGE_STRIDE + column];
  }

  protected of(client: number, column: number): number {
    return this.clients.cells[client * CLIENT_STRIDE + column];
  }

  get exchangeCount(): number {
    return this.exchanges.rowCount;
  }

  get clientCount(): number {
    return this.clients.rowCount;
  }

  /** Clients given up though they had asked in vain. */
  get missed(): number {
    return this.clients.missed;
  }

  capture(row: number): number {
    return this.exchange(row, 0);
  }

  xid(row: number): number {
    return this.exchange(row, 3) >>> 0;
  }

  /** Row of the client of an exchange. */
  clientOf(row: number): number {
    return this.exchange(row, CLIENT);
  }

  /** Servers that offered: the first, and a second one or 0. */
  servers(row: number): [server: number, rival: number] {
    return [this.exchange(row, SERVER), this.exchange(row, RIVAL)];
  }

  /** Default routers that both offered; 0 for none, -1 where the offer itself was not seen. */
  routers(row: number): [router: number, rival: number] {
    return [this.exchange(row, ROUTER), this.exchange(row, RIVAL_ROUTER)];
  }

  /** Address acknowledged, 0 for none. */
  lease(row: number): number {
    return this.exchange(row, LEASE);
  }

  /** Address of the latest offer, 0 for none. */
  offer(row: number): number {
    return this.exchange(row, OFFER);
  }

  /** Segment where a server's latest answer was first seen, -1 if there was none. */
  answeredAt(row: number): number {
    return this.exchange(row, ANSWERED_AT) - 1;
  }

  /** Server that the request names, 0 where it names none: the client asks for an address that it had. */
  chosen(row: number): number {
    return this.exchange(row, CHOSEN);
  }

  /** Address that the client requested or declined. */
  wanted(row: number): number {
    return this.exchange(row, WANTED);
  }

  naks(row: number): number {
    return this.exchange(row, NAKS);
  }

  /** Messages of a type as evidence. */
  places(row: number, type: number): Place[] {
    return this.lists.read(this.exchange(row, LIST + type));
  }

  /** `Frame.time` of the latest message of a type, -Infinity without one. */
  time(row: number, type: number): number {
    return this.seen[row * (TYPES + 1) + type];
  }

  segment(client: number): number {
    return this.of(client, 0);
  }

  hi(client: number): number {
    return this.of(client, 1);
  }

  lo(client: number): number {
    return this.of(client, 2);
  }

  /** Number standing for the client identifier, 0 without one. */
  identifier(client: number): number {
    return this.of(client, 3);
  }

  /** Discovers since the client last went on to anything else. */
  discovers(client: number): number {
    return this.of(client, DISCOVERS);
  }

  /** Offers in the same time. */
  offers(client: number): number {
    return this.of(client, OFFERED);
  }

  /** Discovers sent in spite of an offer before. */
  ignored(client: number): number {
    return this.of(client, IGNORED);
  }

  wantsBroadcast(client: number): boolean {
    return this.of(client, BROADCAST) !== 0;
  }

  first(client: number): number {
    return this.firsts[client];
  }

  last(client: number): number {
    return this.lasts[client];
  }

  /** The discovers, and the offers to them, as evidence. */
  asking(client: number): Place[] {
    return this.lists.read(this.of(client, ASKING));
  }

  offering(client: number): Place[] {
    return this.lists.read(this.of(client, OFFERING));
  }
}
