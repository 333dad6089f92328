import type { Network } from '../network/network.js';
import { DhcpMessage } from '../wire/dhcp.js';
import type { Question } from './question.js';

/** Addresses, and questions about addresses, that are remembered. */
const MAX_REMEMBERED = 4096;
/** Times that are remembered of an address: request and acknowledgement, which a busy server sends seconds later, and renewals. */
const MAX_TIMES = 8;

/**
 * Tells questions of a DHCP server that tries an address out before it gives it away (RFC 2131 section 4.3.1: it pings it, so
 * that it, or the router in front of it, asks for it in vain) from those that lack an answer.
 */
export class Trials {
  /** When an address (capture and row of `Addresses`) was asked for and given away, the latest times, as `Frame.time`. */
  private readonly given = new Map<string, number[]>();
  /** When somebody asked for any address, by capture; the server tries one out at once. */
  private readonly sought = new Map<number, number>();
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
    if (this.isGoingOn(question)) return true;
    remember(this.told, address, question);
    return false;
  }

  /** An event `leased`: the question that it shows to have been a trial, if there is one. */
  leased(exchange: number, type: number): Question | null {
    if (type === DhcpMessage.Discover)
      this.sought.set(this.network.leases.capture(exchange), this.network.leases.time(exchange, type));
    if (type !== DhcpMessage.Request && type !== DhcpMessage.Ack) return null;
    const { leases, addresses } = this.network;
    const bits = leases.lease(exchange) || leases.wanted(exchange);
    if (bits === 0) return null;
    const address = `${leases.capture(exchange)} ${addresses.ipv4(bits)}`;
    const time = leases.time(exchange, type);
    remember(this.given, address, [...(this.given.get(address) ?? []), time].slice(-MAX_TIMES));
    const question = this.told.get(address);
    return question && this.isBefore(question, time) ? question : null;
  }

  /** The capture ends while a server may still be trying the address out for somebody. */
  private isGoingOn({ capture, last }: Question): boolean {
    const sought = this.sought.get(capture) ?? Number.NEGATIVE_INFINITY;
    const patience = this.patience * 1e9;
    return Math.abs(last - sought) <= patience && this.network.now - last <= patience;
  }

  private isBefore({ last }: Question, given: number): boolean {
    return given >= last && given - last <= this.patience * 1e9;
  }
}

/** The oldest makes room. */
function remember<T>(all: Map<string, T>, key: string, value: T): void {
  all.delete(key);
  for (const oldest of all.keys()) {
    if (all.size < MAX_REMEMBERED) break;
    all.delete(oldest);
  }
  all.set(key, value);
}
