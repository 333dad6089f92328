import {
  CHADDR,
  CIADDR,
  DhcpMessage,
  DhcpOption,
  dhcpHasMac,
  dhcpMessageType,
  dhcpOp,
  dhcpOptionHash,
  dhcpTransactionId,
  dhcpWantsBroadcast,
  dhcpWordOption,
  YIADDR,
} from '../../wire/dhcp.js';
import type { Frame } from '../../wire/frame.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from '../settings.js';
import {
  ANSWERED_AT,
  ASKING,
  BROADCAST,
  CHOSEN,
  CLIENT,
  CLIENT_STRIDE,
  DISCOVERS,
  EXCHANGE_STRIDE,
  IGNORED,
  LEASE,
  LeaseRows,
  LIST,
  NAKS,
  NEED,
  OFFER,
  OFFERED,
  OFFERED_ADDRESS,
  OFFERING,
  OFFERS,
  RIVAL,
  RIVAL_ROUTER,
  ROUTER,
  SERVER,
  TYPES,
  WANTED,
} from './lease-rows.js';

/** One message passes several ports and relays within this time (ns); clients wait seconds before they repeat (RFC 2131 section 4.1). */
export const SAME_MESSAGE = 0.5e9;

/** `op` of what clients send. */
const BOOTREQUEST = 1;
/** Requests that the capture cut off and that are remembered, the latest ones. */
const MAX_CUT = 64;

/** Reads DHCP messages into `LeaseRows`. */
export class Leases extends LeaseRows {
  private readonly offerTaken: number;
  private readonly cutRequests: { capture: number; time: number }[] = [];
  private nextCut = 0;

  constructor(
    lists: FrameLists,
    private readonly tell: (exchange: number, type: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    super(lists);
    this.offerTaken = ns(settings.offerTaken);
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

  /** A message that the capture cut off: only that somebody without an address asks can be read. */
  observeCut(frame: Frame, layer: number): void {
    const { view, end, capture, time } = frame;
    const at = frame.offsets[layer];
    if (end - at < YIADDR || dhcpOp(view, at) !== BOOTREQUEST || view.getInt32(at + CIADDR) !== 0) return;
    this.cutRequests[this.nextCut] = { capture, time };
    this.nextCut = (this.nextCut + 1) % MAX_CUT;
  }

  /** Whether somebody without an address asked for one between two times, in a message that the capture cut off. */
  wasCutRequest(capture: number, from: number, to: number): boolean {
    return this.cutRequests.some((each) => each.capture === capture && each.time >= from && each.time <= to);
  }

  /** Servers, addresses and routers that a message names; true if it is the first message of a second server. */
  private readServer(frame: Frame, row: number, at: number, end: number, type: number): boolean {
    const { view } = frame;
    const { cells } = this.exchanges;
    const base = row * EXCHANGE_STRIDE;
    const option = dhcpWordOption(view, at, end, DhcpOption.ServerIdentifier);
    const server = option < 0 ? 0 : option | 0;
    if (type === DhcpMessage.Request) {
      cells[base + CHOSEN] = server;
      const wanted = dhcpWordOption(view, at, end, DhcpOption.RequestedAddress);
      if (wanted >= 0) cells[base + WANTED] = wanted | 0;
    } else if (type === DhcpMessage.Decline) {
      const wanted = dhcpWordOption(view, at, end, DhcpOption.RequestedAddress);
      if (wanted >= 0) cells[base + WANTED] = wanted | 0;
      return false;
    } else if (type === DhcpMessage.Ack) cells[base + LEASE] = view.getInt32(at + YIADDR);
    if (type === DhcpMessage.Offer) cells[base + OFFER] = view.getInt32(at + YIADDR);
    if (server === 0 || (type !== DhcpMessage.Offer && type !== DhcpMessage.Request)) return false;
    const router = dhcpWordOption(view, at, end, DhcpOption.Router);
    const gateway = router < 0 ? 0 : router | 0;
    if (cells[base + SERVER] === 0) {
      // What a request names was offered, but only an offer shows that a second server is there.
      if (type === DhcpMessage.Request && cells[base + OFFERS] === 0) return false;
      cells[base + SERVER] = server;
      cells[base + ROUTER] = gateway;
      cells[base + OFFERED_ADDRESS] = view.getInt32(at + YIADDR);
      return false;
    }
    if (cells[base + SERVER] === server || cells[base + RIVAL] !== 0) return false;
    // Servers that offer the very same address and router share what they know, as the two of a network of OpenStack.
    const isOffer = type === DhcpMessage.Offer;
    const address = isOffer ? view.getInt32(at + YIADDR) : cells[base + WANTED];
    if (address === cells[base + OFFERED_ADDRESS] && (!isOffer || cells[base + ROUTER] === gateway)) return false;
    cells[base + RIVAL] = server;
    cells[base + RIVAL_ROUTER] = isOffer ? gateway : -1;
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
    this.requests.observe(frame, layer, client, type);
    if (type === DhcpMessage.Discover) {
      if (cells[at + OFFERED] > 0 && frame.time - this.offered[client] >= this.offerTaken) cells[at + IGNORED]++;
      if (cells[at + DISCOVERS] === 0) this.firsts[client] = frame.time;
      if (cells[at + DISCOVERS]++ > 0 && cells[at + OFFERED] === 0) cells[at + NEED]++;
      cells[at + BROADCAST] = dhcpWantsBroadcast(frame.view, frame.offsets[layer]) ? 1 : 0;
      cells[at + ASKING] = this.list(cells[at + ASKING], frame, layer);
      this.lasts[client] = frame.time;
    } else if (type === DhcpMessage.Offer) {
      this.exchanges.cells[exchange + OFFERS]++;
      // The client chose before this one came: it waits for no further offer.
      const seen = row * (TYPES + 1);
      if (this.seen[seen + DhcpMessage.Request] > this.seen[seen + DhcpMessage.Discover]) return;
      cells[at + OFFERED]++;
      cells[at + NEED] = 0;
      cells[at + OFFERING] = this.list(cells[at + OFFERING], frame, layer);
      this.offered[client] = frame.time;
    } else {
      if (type === DhcpMessage.Nak) this.exchanges.cells[exchange + NAKS]++;
      this.forget(client);
      if (type === DhcpMessage.Request) cells[at + NEED] = this.requests.count(client) - 1;
    }
  }

  /** The client goes on: its run of discovers is over. */
  private forget(client: number): void {
    const { cells } = this.clients;
    const at = client * CLIENT_STRIDE;
    this.lists.release(cells[at + ASKING]);
    this.lists.release(cells[at + OFFERING]);
    cells.fill(0, at + DISCOVERS, at + BROADCAST);
    cells[at + NEED] = 0;
  }

  private list(list: number, frame: Frame, layer: number): number {
    const offset = frame.offsets[layer];
    return this.lists.append(list, frame.number, offset - frame.start, frame.ends[layer] - offset);
  }
}
