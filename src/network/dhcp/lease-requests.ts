import {
  CIADDR,
  DhcpMessage,
  DhcpOption,
  dhcpSeconds,
  dhcpTransactionId,
  dhcpWordOption,
  GIADDR,
  YIADDR,
} from '../../wire/dhcp.js';
import type { Frame } from '../../wire/frame.js';
import { ipv4Destination } from '../../wire/ipv4.js';
import { Protocol } from '../../wire/protocol.js';
import { longer } from '../rows/columns.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';

/** What a client wants by a request (RFC 2131 section 4.3.2). */
export const Wish = {
  None: 0,
  /** To take the address that a server offered (SELECTING). */
  Offered: 1,
  /** To have an address again that it had (INIT-REBOOT). */
  Former: 2,
  /** To keep the address that it has (RENEWING by unicast, REBINDING by broadcast). */
  Kept: 3,
} as const;

/** @param held ciaddr, 0 for none  @param server the server identifier option, negative for none */
function wishOf(held: number, server: number): number {
  if (held !== 0) return Wish.Kept;
  return server >= 0 ? Wish.Offered : Wish.Former;
}

const WISH = 0;
const ADDRESS = 1;
const SERVER = 2;
const RENEWALS = 3;
const BROADCASTS = 4;
const XID = 5;
const SECS = 6;
const FIRST_SECS = 7;
const BEGUN_ANEW = 8;
const LIST = 9;
/** Requests followed each other faster than renewals do. */
const HURRIES = 10;
/** The lease, from the latest acknowledgement. */
const LEASED = 11;
const LEASE_S = 12;
const HAS_LEASE_TIME = 13;
const RELAY = 14;
/** An offer is in the capture: what servers send the client is. */
const OFFERED = 15;
/** Seconds from the acknowledgement until the client renews. */
const RENEW_S = 16;
const STRIDE = 17;
/** Columns of a run of requests; those of the lease outlive it. */
const RUN = LEASED;

const BROADCAST_IP = -1;
/** A lease without end (RFC 2131 section 3.3). */
export const INFINITE = 0xffffffff;
/** Clients round the seconds, and one that counts from the first request may have waited a moment with it (s). */
const EXACT_S = 1.5;
/** Whoever takes an offer or asks for its former address asks again within this time (ns, RFC 2131 section 4.1: 64 s and 1). */
const RETRY_NS = 70e9;

/**
 * Requests that no acknowledgement or refusal follows, by client (rows of `LeaseRows`), and the lease that a client holds. A run begins with the
 * first request behind an answer; one with another xid, or by a client that counts its seconds anew, begins another.
 */
export class LeaseRequests {
  private cells = new Int32Array(0);
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private leasedAt = new Float64Array(0);

  constructor(private readonly lists: FrameLists) {}

  grow(capacity: number): void {
    const cells = new Int32Array(capacity * STRIDE);
    cells.set(this.cells);
    this.cells = cells;
    this.firsts = longer(this.firsts, capacity);
    this.lasts = longer(this.lasts, capacity);
    this.leasedAt = longer(this.leasedAt, capacity);
  }

  /** The row is given to another client. */
  evict(client: number): void {
    this.endRun(client);
    this.cells.fill(0, client * STRIDE, (client + 1) * STRIDE);
  }

  /** A message of a client or to it, each once. */
  observe(frame: Frame, layer: number, client: number, type: number): void {
    if (type === DhcpMessage.Request) this.request(frame, layer, client);
    else if (type === DhcpMessage.Ack) this.acknowledge(frame, layer, client);
    else if (type === DhcpMessage.Discover) this.discover(client);
    else if (type === DhcpMessage.Offer) this.cells[client * STRIDE + OFFERED] = 1;
    else if (type !== DhcpMessage.Inform) {
      this.endRun(client);
      this.cells.fill(0, client * STRIDE + LEASED, (client + 1) * STRIDE);
    }
  }

  private request(frame: Frame, layer: number, client: number): void {
    const { view, time } = frame;
    const { cells } = this;
    const at = frame.offsets[layer];
    const end = frame.ends[layer];
    const cell = client * STRIDE;
    const held = view.getInt32(at + CIADDR);
    const chosen = dhcpWordOption(view, at, end, DhcpOption.ServerIdentifier);
    const wish = wishOf(held, chosen);
    const wanted = dhcpWordOption(view, at, end, DhcpOption.RequestedAddress);
    const address = held === 0 && wanted >= 0 ? wanted | 0 : held;
    const xid = dhcpTransactionId(view, at) | 0;
    const secs = dhcpSeconds(view, at);
    if (!this.goesOn(client, wish, address, xid, secs, time)) {
      this.endRun(client);
      cells[cell + WISH] = wish;
      cells[cell + ADDRESS] = address;
      cells[cell + FIRST_SECS] = secs;
      this.firsts[client] = time;
    } else if (time - this.lasts[client] < (cells[cell + RENEW_S] * 1e9) / 2) cells[cell + HURRIES] = 1;
    cells[cell + XID] = xid;
    cells[cell + SECS] = secs;
    this.lasts[client] = time;
    const ip = layer - 2;
    const target =
      ip >= 0 && frame.kinds[ip] === Protocol.Ipv4 ? ipv4Destination(view, frame.offsets[ip]) : BROADCAST_IP;
    // A relay writes to the server by itself, what it heard by broadcast.
    if (target === BROADCAST_IP || view.getInt32(at + GIADDR) !== 0) cells[cell + BROADCASTS]++;
    else {
      cells[cell + RENEWALS]++;
      cells[cell + SERVER] = target;
    }
    if (wish === Wish.Offered) cells[cell + SERVER] = chosen | 0;
    const list = cells[cell + LIST];
    cells[cell + LIST] = this.lists.append(list, frame.number, at - frame.start, end - at);
  }

  /** Whether a request repeats those before. */
  private goesOn(client: number, wish: number, address: number, xid: number, secs: number, time: number): boolean {
    const { cells } = this;
    const cell = client * STRIDE;
    if (cells[cell + WISH] !== wish || cells[cell + ADDRESS] !== address) return false;
    const pause = time - this.lasts[client];
    // It went round: another discover, another offer, and the same again.
    if (wish !== Wish.Kept && pause > RETRY_NS) return false;
    if (wish === Wish.Offered && this.count(client) > 1) return true;
    if (cells[cell + BEGUN_ANEW] !== 0 || cells[cell + XID] !== xid) return false;
    const begun = cells[cell + FIRST_SECS];
    // One that counts from a later request on had an answer before it.
    const isCounted = Math.abs(secs - begun - (time - this.firsts[client]) / 1e9) <= EXACT_S;
    return isCounted || (secs === begun && cells[cell + SECS] === begun);
  }

  private acknowledge(frame: Frame, layer: number, client: number): void {
    const { view } = frame;
    const { cells } = this;
    const at = frame.offsets[layer];
    const cell = client * STRIDE;
    this.endRun(client);
    const lease = view.getInt32(at + YIADDR);
    // An answer to INFORM leases nothing.
    if (lease === 0) return;
    const time = dhcpWordOption(view, at, frame.ends[layer], DhcpOption.LeaseTime);
    cells[cell + LEASED] = lease;
    cells[cell + LEASE_S] = time < 0 ? 0 : time | 0;
    cells[cell + HAS_LEASE_TIME] = time < 0 ? 0 : 1;
    const renewal = dhcpWordOption(view, at, frame.ends[layer], DhcpOption.RenewalTime);
    // Half the time of the lease where the server does not say (RFC 2131 section 4.4.5).
    cells[cell + RENEW_S] = renewal < 0 ? cells[cell + LEASE_S] >>> 1 : renewal | 0;
    cells[cell + RELAY] = view.getInt32(at + GIADDR);
    this.leasedAt[client] = frame.time;
  }

  /** A client that begins anew has given up; one that goes round may be at it again. */
  private discover(client: number): void {
    const cell = client * STRIDE;
    if (this.cells[cell + WISH] === Wish.Kept || (this.cells[cell + WISH] === Wish.Offered && this.count(client) > 1))
      this.cells[cell + BEGUN_ANEW] = 1;
    else this.endRun(client);
  }

  private endRun(client: number): void {
    const cell = client * STRIDE;
    this.lists.release(this.cells[cell + LIST]);
    this.cells.fill(0, cell, cell + RUN);
  }

  /** A value of `Wish`; none while nothing is asked in vain. */
  wish(client: number): number {
    return this.cells[client * STRIDE + WISH];
  }

  /** Address that is asked for, 0 for none. */
  address(client: number): number {
    return this.cells[client * STRIDE + ADDRESS];
  }

  /** Server that was asked by unicast, or whose offer is taken; 0 where only broadcasts were seen. */
  server(client: number): number {
    return this.cells[client * STRIDE + SERVER];
  }

  /** Requests of the run by unicast, and those by broadcast. */
  renewals(client: number): number {
    return this.cells[client * STRIDE + RENEWALS];
  }

  broadcasts(client: number): number {
    return this.cells[client * STRIDE + BROADCASTS];
  }

  count(client: number): number {
    return this.renewals(client) + this.broadcasts(client);
  }

  first(client: number): number {
    return this.firsts[client];
  }

  last(client: number): number {
    return this.lasts[client];
  }

  /**
   * Whether the client itself shows that it has no answer: it takes an offer twice, counts the seconds from its first request on, asks again long
   * before it would renew, or goes over from unicast to broadcast. One that renews each lease by the clock, and whose answers are not in the capture, does none of these.
   */
  isRepeated(client: number): boolean {
    const cell = client * STRIDE;
    if (this.count(client) < 2) return false;
    if (
      this.cells[cell + WISH] !== Wish.Kept ||
      this.cells[cell + HURRIES] !== 0 ||
      (this.renewals(client) > 0 && this.broadcasts(client) > 0)
    )
      return true;
    return this.cells[cell + FIRST_SECS] <= EXACT_S && this.cells[cell + SECS] > EXACT_S;
  }

  /** Whether the client went back to discovers. */
  hasBegunAnew(client: number): boolean {
    return this.cells[client * STRIDE + BEGUN_ANEW] !== 0;
  }

  /** The requests, as evidence. */
  places(client: number): Place[] {
    return this.lists.read(this.cells[client * STRIDE + LIST]);
  }

  /** Address of the relay that the lease came through, 0 for none. */
  relay(client: number): number {
    return this.cells[client * STRIDE + RELAY];
  }

  /** Whether an offer for the client was seen: what servers send it is in the capture then. */
  isOffered(client: number): boolean {
    return this.cells[client * STRIDE + OFFERED] !== 0;
  }

  /** The lease that the client holds: when it was acknowledged, and for how many seconds; null where the capture does not tell. */
  lease(client: number): { address: number; at: number; seconds: number } | null {
    const cell = client * STRIDE;
    if (this.cells[cell + HAS_LEASE_TIME] === 0) return null;
    return { address: this.cells[cell + LEASED], at: this.leasedAt[client], seconds: this.cells[cell + LEASE_S] >>> 0 };
  }

  /** When that lease runs out, as `Frame.time`; NaN where the capture does not tell, or never. */
  leaseEnd(client: number): number {
    const cell = client * STRIDE;
    const seconds = this.cells[cell + LEASE_S] >>> 0;
    const isKnown = this.cells[cell + HAS_LEASE_TIME] !== 0 && seconds !== INFINITE;
    return isKnown ? this.leasedAt[client] + seconds * 1e9 : Number.NaN;
  }
}
