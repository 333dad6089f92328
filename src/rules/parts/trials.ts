import type { Network } from '../../network/network.js';
import { DhcpMessage } from '../../wire/dhcp.js';
import type { Question } from './question.js';

/** Addresses, and questions about addresses, that are remembered. */
const MAX_REMEMBERED = 4096;
/** Times that are remembered of an address: request and acknowledgement, which a busy server sends seconds later, and renewals. */
const MAX_TIMES = 8;
/** Exchanges in which a client waits for an offer, at most. */
const MAX_SOUGHT = 64;
/** Servers that are known, and latest discovers, whatever became of them. */
const MAX_SERVERS = 64;
const MAX_DISCOVERS = 64;
/** Requests that a ping of a server makes a kernel send (`mcast_solicit`). */
const TRIAL_REQUESTS = 3;
/** A server that hears a discover asks for the address that it has in mind within this time (ns). */
const AT_ONCE_NS = 10e6;

/**
 * Tells questions of a DHCP server that tries an address out before it gives it away (RFC 2131 section 4.3.1: it pings it, so
 * that it, or the router in front of it, asks for it in vain) from those that lack an answer.
 */
export class Trials {
  /** When an address (capture and row of `Addresses`) was asked for and given away, the latest times, as `Frame.time`. */
  private readonly given = new Map<string, number[]>();
  /** Who asked for any address and was offered none yet, by exchange; the server tries one out at once. */
  private readonly sought = new Map<number, { capture: number; time: number }>();
  /** Servers, by capture and row of `Addresses`; and when clients sent a discover, the latest ones. */
  private readonly servers = new Set<string>();
  private readonly discovers: { capture: number; time: number }[] = [];
  /** The latest question told about an address. */
  private readonly told = new Map<string, Question>();

  constructor(
    private readonly network: Network,
    /** Seconds from the last request of a trial until the address is given away. */
    private readonly patience: number,
  ) {}

  /** Whether a question was a trial, as far as is known; if not, it is remembered in case that shows later. */
  isTrial(question: Question): boolean {
    const address = `${question.capture} ${this.network.resolutions.tpa(question.row)}`;
    if (this.given.get(address)?.some((time) => this.isBefore(question, time))) return true;
    if (this.isGoingOn(question) || this.isOfServer(question) || this.isBesideCut(question)) return true;
    remember(this.told, address, question, MAX_REMEMBERED);
    return false;
  }

  /** An event `leased`: the question that it shows to have been a trial, if there is one. */
  leased(exchange: number, type: number): Question | null {
    const { leases, addresses } = this.network;
    if (type !== DhcpMessage.Discover) this.sought.delete(exchange);
    else {
      const discover = { capture: leases.capture(exchange), time: leases.time(exchange, type) };
      remember(this.sought, exchange, discover, MAX_SOUGHT);
      if (this.discovers.push(discover) > MAX_DISCOVERS) this.discovers.shift();
    }
    for (const server of [...leases.servers(exchange), leases.chosen(exchange)])
      if (server !== 0 && this.servers.size < MAX_SERVERS)
        this.servers.add(`${leases.capture(exchange)} ${addresses.ipv4(server)}`);
    const isOffer = type === DhcpMessage.Offer;
    if (!isOffer && type !== DhcpMessage.Request && type !== DhcpMessage.Ack) return null;
    const bits = isOffer ? leases.offer(exchange) : leases.lease(exchange) || leases.wanted(exchange);
    if (bits === 0) return null;
    const address = `${leases.capture(exchange)} ${addresses.ipv4(bits)}`;
    const time = leases.time(exchange, type);
    remember(this.given, address, [...(this.given.get(address) ?? []), time].slice(-MAX_TIMES), MAX_REMEMBERED);
    const question = this.told.get(address);
    return question && this.isBefore(question, time) ? question : null;
  }

  /** The capture ends while a server may still be trying the address out for somebody. */
  private isGoingOn({ capture, requests, last }: Question): boolean {
    const patience = this.patience * 1e9;
    if (requests > TRIAL_REQUESTS || this.network.now - last > patience) return false;
    for (const sought of this.sought.values())
      if (sought.capture === capture && Math.abs(last - sought.time) <= patience) return true;
    return false;
  }

  /**
   * A server asked for it while clients were looking for a lease: its offer need not pass here, nor come, as the client may
   * have taken another server's. A kernel asks three times for one ping.
   */
  private isOfServer({ capture, row, requests, first }: Question): boolean {
    if (requests > TRIAL_REQUESTS) return false;
    const asker = this.network.resolutions.spa(row);
    // Whoever asks as soon as a client looks for a server is one.
    if (this.servers.size < MAX_SERVERS && this.wasSought(capture, first, AT_ONCE_NS))
      this.servers.add(`${capture} ${asker}`);
    return this.tries(capture, asker, first);
  }

  /** Whether clients asked for an address around these few requests in messages that the capture cut off (`-s 96`), which name neither server nor lease. */
  private isBesideCut({ capture, requests, first, last }: Question): boolean {
    const patience = this.patience * 1e9;
    return requests <= TRIAL_REQUESTS && this.network.leases.wasCutRequest(capture, first - patience, last + patience);
  }

  /** Whether what a host (row of `Addresses`) sends somebody at a time may be the ping of a server that tries an address out. */
  tries(capture: number, host: number, time: number): boolean {
    return this.servers.has(`${capture} ${host}`) && this.wasSought(capture, time, this.patience * 1e9);
  }

  private wasSought(capture: number, time: number, within: number): boolean {
    return this.discovers.some((each) => each.capture === capture && time >= each.time && time - each.time <= within);
  }

  private isBefore({ last }: Question, given: number): boolean {
    return given >= last && given - last <= this.patience * 1e9;
  }
}

/** The oldest makes room. */
function remember<K, T>(all: Map<K, T>, key: K, value: T, most: number): void {
  all.delete(key);
  for (const oldest of all.keys()) {
    if (all.size < most) break;
    all.delete(oldest);
  }
  all.set(key, value);
}
