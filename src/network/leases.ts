import {
  CHADDR,
  DhcpMessage,
  DhcpOption,
  dhcpAddressOption,
  dhcpHasMac,
  dhcpMessageType,
  dhcpOptionHash,
  dhcpTransactionId,
  dhcpWantsBroadcast,
  YIADDR,
} from '../wire/dhcp.js';
import type { Frame } from '../wire/frame.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';

const MAX_EXCHANGES = 1 << 13;
const MAX_CLIENTS = 1 << 12;
/** One message passes several ports and relays within this time (ns); clients wait seconds before they repeat (RFC 2131 section 4.1). */
export const SAME_MESSAGE = 0.5e9;
/** An offer that is heard is requested at once; after this time (ns) another discover shows that it was not. */
const OFFER_TAKEN = 1e9;

/** Columns of an exchange behind its key (capture, chaddr in two words, xid). */
const CLIENT = 4;
const SERVER = 5;
const RIVAL = 6;
const ROUTER = 7;
const RIVAL_ROUTER = 8;
const LEASE = 9;
const CHOSEN = 10;
const WANTED = 11;
const OFFERS = 12;
const NAKS = 13;
const LIST = 14;
/** Segment of the latest offer or acknowledgement, and 1. */
const ANSWERED_AT = 23;
const EXCHANGE_STRIDE = 24;

/** Columns of a client behind its key (segment, chaddr in two words, client identifier). */
const DISCOVERS = 4;
const OFFERED = 5;
const IGNORED = 6;
const ASKING = 7;
const OFFERING = 8;
const BROADCAST = 9;
const CLIENT_STRIDE = 10;

/** Frames of an exchange, by message type. */
const TYPES = 8;

/**
 * DHCP as it was seen (RFC 2131). An exchange is what carries one xid for one hardware address, at whatever ports of a
 * capture it passes; its row is (capture, chaddr, xid). A client is (segment where it was first heard, chaddr, client
 * identifier) and outlives exchanges, for some clients take a new xid with every try. IPv4 addresses are signed integers.
 */
export class Leases {
  private readonly exchanges: KeyTable;
  private readonly clients: KeyTable;
  private seen = new Float64Array(0);
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private offered = new Float64Array(0);

  constructor(
    private readonly lists: FrameLists,
    private readonly tell: (exchange: number, type: number) => void,
  ) {
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
      },
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
        this.offered = longer(this.offered, capacity);
      },
    );
  }

  /** The DHCP message at `layer`; returns the row of its exchange, -1 without one. */
  observe(frame: Frame, layer: number, segment: number): number {
    const { view } = frame;
    const at = frame.offsets[layer];
    const end = frame.ends[layer];
    if (!dhcpHasMac(view, at)) return -1;
    const type = dhcpMessageType(view, at, end);
    if (type < 1 || type > TYPES) return -1;
    const hi = view.getUint16(at + CHADDR);
    const lo = view.getInt32(at + CHADDR + 2);
    const { rowCount, evicted } = this.exchanges;
    const row = this.exchanges.add(frame.capture, hi, lo, dhcpTransactionId(view, at) | 0);
    const isNew = rowCount !== this.exchanges.rowCount || evicted !== this.exchanges.evicted;
    if (isNew) {
      this.seen.fill(Number.NEGATIVE_INFINITY, row * (TYPES + 1), (row + 1) * (TYPES + 1));
      const id = dhcpOptionHash(view, at, end, DhcpOption.ClientIdentifier);
      this.exchanges.cells[row * EXCHANGE_STRIDE + CLIENT] = this.clients.add(segment, hi, lo, id);
    }
    const server = this.readServer(frame, row, at, end, type);
    // Two servers answer in one moment: their answers are two messages.
    if (frame.time - this.seen[row * (TYPES + 1) + type] < SAME_MESSAGE && !server) return row;
    this.seen[row * (TYPES + 1) + type] = frame.time;
    const { cells } = this.exchanges;
    const base = row * EXCHANGE_STRIDE;
    if (type === DhcpMessage.Offer || type === DhcpMessage.Ack) cells[base + ANSWERED_AT] = segment + 1;
    cells[base + LIST + type] = this.list(cells[base + LIST + type], frame, layer);
    this.client(frame, layer, row, type);
    this.tell(row, type);
    return row;
  }

  /** Servers, addresses and routers that a message names; true if it is the first message of a second server. */
  private readServer(frame: Frame, row: number, at: number, end: number, type: number): boolean {
    const { view } = frame;
    const { cells } = this.exchanges;
    const base = row * EXCHANGE_STRIDE;
    const option = dhcpAddressOption(view, at, end, DhcpOption.ServerIdentifier);
    const server = option < 0 ? 0 : view.getInt32(option);
    if (type === DhcpMessage.Request) {
      cells[base + CHOSEN] = server;
      const wanted = dhcpAddressOption(view, at, end, DhcpOption.RequestedAddress);
      if (wanted >= 0) cells[base + WANTED] = view.getInt32(wanted);
    } else if (type === DhcpMessage.Decline) {
      const wanted = dhcpAddressOption(view, at, end, DhcpOption.RequestedAddress);
      if (wanted >= 0) cells[base + WANTED] = view.getInt32(wanted);
      return false;
    } else if (type === DhcpMessage.Ack) cells[base + LEASE] = view.getInt32(at + YIADDR);
    if (server === 0 || (type !== DhcpMessage.Offer && type !== DhcpMessage.Request)) return false;
    const router = dhcpAddressOption(view, at, end, DhcpOption.Router);
    const gateway = router < 0 ? 0 : view.getInt32(router);
    if (cells[base + SERVER] === 0) {
      // What a request names was offered, but only an offer shows that a second server is there.
      if (type === DhcpMessage.Request && cells[base + OFFERS] === 0) return false;
      cells[base + SERVER] = server;
      cells[base + ROUTER] = gateway;
      return false;
    }
    if (cells[base + SERVER] === server || cells[base + RIVAL] !== 0) return false;
    cells[base + RIVAL] = server;
    cells[base + RIVAL_ROUTER] = type === DhcpMessage.Offer ? gateway : -1;
    return true;
  }

  private client(frame: Frame, layer: number, row: number, type: number): void {
    const exchange = row * EXCHANGE_STRIDE;
    const client = this.exchanges.cells[exchange + CLIENT];
    const { cells } = this.clients;
    const at = client * CLIENT_STRIDE;
    // The client's row may have been given to another since.
    if (cells[at + 1] !== this.exchanges.cells[exchange + 1] || cells[at + 2] !== this.exchanges.cells[exchange + 2])
      return;
    if (type === DhcpMessage.Discover) {
      if (cells[at + OFFERED] > 0 && frame.time - this.offered[client] >= OFFER_TAKEN) cells[at + IGNORED]++;
      if (cells[at + DISCOVERS] === 0) this.firsts[client] = frame.time;
      cells[at + DISCOVERS]++;
      cells[at + BROADCAST] = dhcpWantsBroadcast(frame.view, frame.offsets[layer]) ? 1 : 0;
      cells[at + ASKING] = this.list(cells[at + ASKING], frame, layer);
      this.lasts[client] = frame.time;
    } else if (type === DhcpMessage.Offer) {
      this.exchanges.cells[exchange + OFFERS]++;
      cells[at + OFFERED]++;
      cells[at + OFFERING] = this.list(cells[at + OFFERING], frame, layer);
      this.offered[client] = frame.time;
    } else {
      if (type === DhcpMessage.Nak) this.exchanges.cells[exchange + NAKS]++;
      this.forget(client);
    }
  }

  /** The client goes on: its run of discovers is over. */
  private forget(client: number): void {
    const { cells } = this.clients;
    const at = client * CLIENT_STRIDE;
    this.lists.release(cells[at + ASKING]);
    this.lists.release(cells[at + OFFERING]);
    cells.fill(0, at + DISCOVERS, at + BROADCAST);
  }

  private list(list: number, frame: Frame, layer: number): number {
    const offset = frame.offsets[layer];
    return this.lists.append(list, frame.number, offset - frame.start, frame.ends[layer] - offset);
  }

  private exchange(row: number, column: number): number {
    return this.exchanges.cells[row * EXCHANGE_STRIDE + column];
  }

  private of(client: number, column: number): number {
    return this.clients.cells[client * CLIENT_STRIDE + column];
  }

  get exchangeCount(): number {
    return this.exchanges.rowCount;
  }

  get clientCount(): number {
    return this.clients.rowCount;
  }

  /** Exchanges and clients given up for newer ones. */
  get evicted(): number {
    return this.exchanges.evicted + this.clients.evicted;
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
  places(row: number, type: number): { frame: number; offset: number; length: number }[] {
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
  asking(client: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.of(client, ASKING));
  }

  offering(client: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.of(client, OFFERING));
  }
}
