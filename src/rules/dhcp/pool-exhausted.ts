import type { Device } from '../../network/context/device.js';
import { Wish } from '../../network/dhcp/lease-requests.js';
import type { Network } from '../../network/network.js';
import { formatIpv4, formatMac } from '../../wire/address.js';
import { DhcpMessage } from '../../wire/dhcp.js';
import { label } from '../parts/question.js';
import { applying, seconds } from '../parts/words.js';
import type { Diagnosis, Rule } from '../rule.js';
import { BusyServers } from './parts/busy-servers.js';
import { clientOf, dhcpFrames, inOrder } from './parts/client.js';
import { SERVER_LOG } from './parts/server-commands.js';

/** Clients that ask in vain at one time, as far as is looked at, and how often one asks until it does. */
const MAX_ASKING = 64;
const MANY = 2;
/** Segments whose server is remembered. */
const MAX_SERVERS = 1024;
/** An offer that takes so long (ns) waited for a ping of the server; others take milliseconds. */
const SLOW_NS = 1e9;

/** The latest answer of a server on a segment. */
interface Served {
  readonly segment: number;
  readonly capture: number;
  readonly server: number;
  readonly hi: number;
  readonly lo: number;
  readonly exchange: number;
  readonly lease: number;
  readonly time: number;
  /** Latest discover that was answered, NaN without one: a renewal needs no free address. */
  readonly fresh: number;
}

/** A server that answers others leaves one client without an offer: it may have no address left. */
export const poolExhausted: Rule = {
  meta: {
    id: 'dhcp/pool-exhausted',
    severity: 'warning',
    summary: 'A DHCP server answers other clients and has no offer for this one: its pool may be empty',
    catalogue: '',
    silence: true,
    thresholds: {
      alive: {
        value: 300,
        unit: 'seconds before the first discover in which the server must have answered somebody',
        source: 'servers answer several times an hour; one that is silent longer may be down',
      },
      silence: {
        value: 60,
        unit: 'seconds after the latest answer, from which on two new clients in vain may mean a server that is down',
        source:
          'that a server dies within the minute before a client comes is rare; that the pool ran empty by the client before is not',
      },
      discovers: {
        value: 3,
        unit: 'discovers in vain',
        source: 'two may meet a server that looks whether an address is free',
      },
      offerDelay: {
        value: 3,
        unit: 'seconds that they take',
        source: 'dnsmasq waits so long for an answer to its ping before it offers (PING_WAIT)',
      },
      trial: {
        value: 0.1,
        unit: 'seconds after a discover in which a server begins to look whether an address is free',
        source: 'it asks at once (RFC 2131 section 4.3.1); machines under load take some time',
      },
    },
  },
  create({ network, report, withdraw, thresholds }) {
    const { leases, stations } = network;
    const servers = new Map<number, Served>();
    /** By capture, when a client was last offered an address late, or took one: until then the server was trying it out. */
    const tried = new Map<number, number>();
    const trying = new BusyServers(network, { offerDelay: thresholds.offerDelay, trial: thresholds.trial });
    /** Clients that ask in vain, and their captures. */
    const asking = new Map<number, number>();

    function note(client: number, capture: number): void {
      if (leases.discovers(client) + leases.requests.count(client) >= MANY && leases.offers(client) === 0) {
        if (asking.size < MAX_ASKING) asking.set(client, capture);
      } else asking.delete(client);
    }

    /**
     * Whether nobody is answered any more since `served`: another client asks in vain too, to keep the address that it has, or for
     * a new one so long after it that the server may have died meanwhile; an empty pool leaves all new ones without.
     */
    function isSilent(client: number, capture: number, served: number): boolean {
      const isLater = leases.first(client) - served > thresholds.silence * 1e9;
      for (const [other, where] of asking) {
        const asked = leases.discovers(other) > 0 ? leases.first(other) : leases.requests.first(other);
        if (other === client || where !== capture || asked <= served) continue;
        if (isLater || leases.requests.wish(other) === Wish.Kept) return true;
      }
      return false;
    }

    function serve(exchange: number): void {
      const client = leases.clientOf(exchange);
      const segment = leases.answeredAt(exchange);
      if (segment < 0 || (servers.size === MAX_SERVERS && !servers.has(segment))) return;
      const asked = leases.time(exchange, DhcpMessage.Discover);
      const before = servers.get(segment);
      const [hi, lo] = [leases.hi(client), leases.lo(client)];
      // A client that starts anew gets the address that is its own: none need be free.
      const hasOne = before?.hi === hi && before.lo === lo && before.lease !== 0;
      servers.set(segment, {
        segment,
        capture: leases.capture(exchange),
        server: leases.servers(exchange)[0],
        hi,
        lo,
        exchange,
        lease: leases.lease(exchange) || (hasOne ? before.lease : 0),
        time: network.now,
        fresh: Number.isFinite(asked) && !hasOne ? asked : (before?.fresh ?? Number.NaN),
      });
    }

    /** Its discovers may not leave the bridge towards the server, where they do get to others. */
    function isIsolated(devices: readonly Device[]): boolean {
      return devices.some((device) => (network.context?.switchPort(device) ?? device).isolated === true);
    }

    function look(client: number): void {
      const { key, count, first, last, capture, devices } = clientOf(network, client);
      note(client, capture);
      // Whoever could not keep the address that it had either needed no free one.
      const isLost = leases.requests.hasBegunAnew(client);
      if (
        isLost ||
        isIsolated(devices) ||
        leases.offers(client) > 0 ||
        count < thresholds.discovers ||
        last - first <= thresholds.offerDelay * 1e9
      ) {
        withdraw(key);
        return;
      }
      const served = servedBeside(client);
      if (!served) return;
      report(
        exhausted(network, client, served, {
          // Another client was given an address after this one had asked in vain: there was one.
          isPassedOver: served.fresh > first + thresholds.offerDelay * 1e9,
          // A server that tries out one address after the other has not come to this client yet.
          isBusy:
            trying.isBusySince(capture, first) ||
            last - (tried.get(capture) ?? Number.NEGATIVE_INFINITY) <= thresholds.offerDelay * 1e9,
          // A server that is down answers nobody.
          isDown: served.time < first && isSilent(client, capture, served.time),
        }),
      );
    }

    /** The latest answer that another client got, from a server that hears this one. */
    function servedBeside(client: number): Served | undefined {
      const { capture, first } = clientOf(network, client);
      const [hi, lo] = [leases.hi(client), leases.lo(client)];
      return [...servers.values()].find(
        (each) =>
          each.capture === capture &&
          (each.hi !== hi || each.lo !== lo) &&
          each.time >= first - thresholds.alive * 1e9 &&
          // The server's segment hears this client: its broadcasts pass where the answers do.
          stations.find(each.segment, hi, lo) >= 0 &&
          isHeardWherever(network, hi, lo, each),
      );
    }

    return {
      events: {
        unanswered: (resolution) => trying.unanswered(resolution),
        leased(exchange, type) {
          trying.leased(exchange, type);
          const isTaken = type === DhcpMessage.Request && leases.chosen(exchange) !== 0;
          const asked = leases.first(leases.clientOf(exchange));
          if ((isTaken || type === DhcpMessage.Offer) && leases.time(exchange, type) - asked >= SLOW_NS)
            tried.set(leases.capture(exchange), leases.time(exchange, type));
          if (type === DhcpMessage.Offer || type === DhcpMessage.Ack) serve(exchange);
          look(leases.clientOf(exchange));
        },
      },
      captureEnd(capture) {
        for (let client = 0; client < leases.clientCount; client++)
          if (clientOf(network, client).capture === capture) look(client);
      },
    };
  },
};

/** Why a client without an offer may have met something else than an empty pool. */
interface Doubts {
  readonly isPassedOver: boolean;
  readonly isBusy: boolean;
  readonly isDown: boolean;
}

function exhausted(
  network: Network,
  client: number,
  served: Served,
  { isPassedOver, isBusy, isDown }: Doubts,
): Diagnosis {
  const { leases } = network;
  const { mac, devices, ...fields } = clientOf(network, client);
  const { key, count, first, last, capture } = fields;
  const isFresh = !Number.isNaN(served.fresh);
  const isLikely = isFresh && !isPassedOver && !isBusy && !isDown;
  const server = served.server === 0 ? 'the server' : formatIpv4(served.server);
  const other = formatMac(served.hi, served.lo);
  const who = devices.length === 1 ? label(devices[0]) : mac;
  return {
    ...fields,
    confidence: isLikely ? 'likely' : 'hint',
    // A client without an address is as badly off as by any other silence.
    ...(isLikely ? { severity: 'error' } : {}),
    title: `${who} gets no DHCP offer from ${server}, which answers others: its pool may be empty`,
    summary:
      `${mac} sent ${count} DHCP discovers within ${seconds(last - first)} and got no offer. They reach the segment of ${server}, ` +
      `which answered ${other}${served.lease === 0 ? '' : ` (${formatIpv4(served.lease)})`} in this capture: it is alive, and has nothing for ${mac}.`,
    subject: { mac, server },
    evidence: inOrder(
      dhcpFrames(capture, 'DHCP discover, no offer follows', leases.asking(client)),
      dhcpFrames(capture, `answer to ${other}`, leases.places(served.exchange, DhcpMessage.Ack)),
    ),
    cause: `No address is free in the pool of ${server}, or its configuration passes this client over (known hosts only, a list of MACs, another class or subnet).`,
    remedy: [
      {
        text: 'On the server: read why it keeps silent, and which leases it holds',
        commands: [SERVER_LOG, 'cat /var/lib/misc/dnsmasq.leases'],
      },
      {
        text: 'Enlarge the range, or shorten leases so that addresses come back sooner',
        commands: ['grep -rn dhcp-range /etc/dnsmasq.conf /etc/dnsmasq.d'],
      },
    ],
    caveats: applying([
      isPassedOver && `another client got an address meanwhile: the server rather passes ${mac} over`,
      isBusy &&
        'the server offers seconds after it is asked, as one that first pings an address: it may not have come to this client yet',
      isDown && 'others ask in vain too, and nobody was answered since: the server may be down',
      !isFresh && 'what the server answered needs no free address: a renewal',
    ]),
    wouldRaise: ['the log of the server: dnsmasq says "no address available"'],
    explains: [{ rule: 'dhcp/no-offer', key }],
  };
}

/**
 * Whether a client is heard at each port of the capture where one that was served is: discovers are broadcast, and pass all ports of
 * their network. `tcpdump -i any` leaves the tags out, so that the clients of two VLANs meet at the trunk.
 */
function isHeardWherever({ stations, segments }: Network, hi: number, lo: number, served: Served): boolean {
  return stations
    .withMac(served.hi, served.lo)
    .map((each) => stations.segment(each))
    .every((segment) => segments.captureOf(segment) !== served.capture || stations.find(segment, hi, lo) >= 0);
}
