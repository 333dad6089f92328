import type { Network } from '../../../network/network.js';
import { DhcpMessage } from '../../../wire/dhcp.js';

/** Captures, servers, and latest discovers that are remembered. */
const MAX_CAPTURES = 64;
const MAX_SERVERS = 64;
const MAX_DISCOVERS = 64;
/** Requests that a ping of a server makes a kernel send (`mcast_solicit`), and what it waits for the last one's answer (ns). */
const TRIAL_REQUESTS = 3;
const LAST_WAIT_NS = 1e9;
/** dnsmasq pings 0.6 addresses in 3 s at most, on the average of 30 s (`PING_CACHE_TIME`): 18 s, and what queues up behind (ns). */
const LONGEST_NS = 30e9;

interface Busy {
  first: number;
  last: number;
}

/**
 * Servers that try one address out after the other (RFC 2131 section 4.3.1). dnsmasq pings each for 3 s and reads no other message meanwhile, so that
 * offers and acknowledgements for all other clients wait. That shows by its ARP requests for addresses that nobody has.
 */
export class BusyServers {
  /** By capture and row of `Addresses`. */
  private readonly servers = new Set<string>();
  private readonly discovers: { capture: number; time: number }[] = [];
  /** By capture, when trials followed each other without a pause. */
  private readonly busy = new Map<number, Busy>();

  constructor(
    private readonly network: Network,
    private readonly limits: {
      /** Seconds that an offer takes after a trial, at most. */
      readonly offerDelay: number;
      /** Seconds from a discover until a server begins to try. */
      readonly trial: number;
    },
  ) {}

  /** An event `leased`. */
  leased(exchange: number, type: number): void {
    const { leases, addresses } = this.network;
    const capture = leases.capture(exchange);
    for (const server of [...leases.servers(exchange), leases.chosen(exchange)])
      if (server !== 0 && this.servers.size < MAX_SERVERS) this.servers.add(`${capture} ${addresses.ipv4(server)}`);
    if (type !== DhcpMessage.Discover) return;
    if (this.discovers.push({ capture, time: leases.time(exchange, type) }) > MAX_DISCOVERS) this.discovers.shift();
  }

  /** An event `unanswered`: somebody asked for an address in vain. */
  unanswered(row: number): void {
    const { resolutions, segments } = this.network;
    if (resolutions.requests(row) > TRIAL_REQUESTS) return;
    const capture = segments.captureOf(resolutions.segment(row));
    const first = resolutions.first(row);
    const asker = `${capture} ${resolutions.spa(row)}`;
    // Whoever asks for an address as soon as a client looks for a server is one.
    if (!this.servers.has(asker)) {
      if (this.servers.size >= MAX_SERVERS || !this.isAtOnce(capture, first)) return;
      this.servers.add(asker);
    }
    const last = resolutions.last(row) + LAST_WAIT_NS;
    const before = this.busy.get(capture);
    if (!before && this.busy.size >= MAX_CAPTURES) return;
    const goesOn = before && first - before.last <= this.limits.offerDelay * 1e9;
    this.busy.set(capture, { first: goesOn ? before.first : first, last: Math.max(last, goesOn ? before.last : 0) });
  }

  /** Whether a server has been trying addresses out since a client began to wait, all the time until now. */
  isBusySince(capture: number, since: number): boolean {
    const busy = this.busy.get(capture);
    const patience = this.limits.offerDelay * 1e9;
    const { now } = this.network;
    if (!busy || now - since > LONGEST_NS) return false;
    return busy.first - since <= patience && now - busy.last <= patience;
  }

  private isAtOnce(capture: number, time: number): boolean {
    const delay = this.limits.trial * 1e9;
    return this.discovers.some((each) => each.capture === capture && time >= each.time && time - each.time <= delay);
  }
}
