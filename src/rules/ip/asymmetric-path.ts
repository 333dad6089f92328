import { IPV6 } from '../../network/flows/flow-rows.js';
import { Attempt } from '../../network/flows/handshake-columns.js';
import type { Network } from '../../network/network.js';
import { formatMac } from '../../wire/address.js';
import { onHost } from '../parts/device-argument.js';
import { isVirtualRouter } from '../parts/virtual-router.js';
import { andOthers } from '../parts/words.js';
import type { EvidenceRef, Rule } from '../rule.js';

const MAX_FINDINGS = 64;
const MAX_EVIDENCE = 32;

interface Path {
  readonly segment: number;
  readonly capture: number;
  readonly to: string;
  readonly from: string;
  readonly sent: string;
  readonly came: string;
  readonly targets: Set<string>;
  readonly evidence: EvidenceRef[];
  count: number;
  first: number;
  last: number;
  /** The only address of the router that replies come through, where it is known. */
  readonly gateway: string | null;
}

/** Requests go out through one router and replies come in through another (catalogue I4). */
export const asymmetricPath: Rule = {
  meta: {
    id: 'ip/asymmetric-path',
    severity: 'info',
    summary: 'Requests leave through one router, and their replies come back through another',
    catalogue: 'I4',
    thresholds: {
      replies: {
        value: 3,
        unit: 'replies and SYN-ACKs by the other way that make it likely',
        source: 'a route that changes in between gives one or two',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { segments, addresses } = network;

    function tell({
      segment,
      capture,
      from,
      to,
      sent,
      came,
      gateway,
      targets,
      evidence,
      count,
      first,
      last,
    }: Path): void {
      const others = andOthers(targets.size - 1);
      report({
        key: `${segment} ${sent} ${came}`,
        segment,
        capture,
        count,
        first,
        last,
        confidence: count >= thresholds.replies ? 'likely' : 'hint',
        title: `${from} sends to ${to}${others} through ${sent}, and replies come through ${came}`,
        summary:
          `What ${from} sends to ${to}${others} goes to the router ${sent}; ${count === 1 ? 'the answer comes' : `${count} answers come`} from ${came}. ` +
          'Both ways work. A capture or a stateful firewall on one of the two routers sees half of each connection.',
        subject: { source: from, destination: to, out: sent, back: came },
        evidence,
        cause: `The route of ${from} leads through ${sent}, and the network behind sends back through ${came}.`,
        remedy: [
          {
            text: 'See the way out on the sender, and the way back on the target: nothing needs to change if no firewall minds',
            commands: [onHost(network, from, `ip route get ${to}`), onHost(network, to, `ip route get ${from}`)],
          },
          {
            text: `On ${from}: send through the router that replies come through`,
            commands: [onHost(network, from, `ip route replace ${to} via ${gateway ?? `<address of ${came}>`}`)],
          },
        ],
        caveats: ['one router that has several MACs (an anycast gateway, a pair of switches) looks the same'],
        wouldRaise: count >= thresholds.replies ? [] : ['more pings or connections: a route may just have changed'],
      });
    }

    return {
      captureEnd(capture) {
        const paths = new Map<string, Path>();
        for (const trip of tripsOf(network)) {
          const { segment } = trip;
          if (segments.captureOf(segment) !== capture || !isAround(network, trip)) continue;
          const sent = formatMac(trip.hi, trip.lo);
          const came = formatMac(trip.backHi, trip.backLo);
          const to = addresses.format(trip.destination);
          const key = `${segment} ${sent} ${came}`;
          const evidence = trip.places().map((place, i) => ({
            capture,
            layer: trip.layer,
            note:
              i % 2 === 0 ? `${trip.layer === 'tcp' ? 'SYN' : 'echo request'} to ${sent}` : `its answer, from ${came}`,
            ...place,
          }));
          const path = paths.get(key);
          if (path) {
            path.count += trip.count;
            path.targets.add(to);
            path.evidence.push(...evidence.slice(0, Math.max(0, MAX_EVIDENCE - path.evidence.length)));
            path.first = Math.min(path.first, trip.first);
            path.last = Math.max(path.last, trip.last);
          } else if (paths.size < MAX_FINDINGS) {
            const from = addresses.format(trip.source);
            const { count, first, last } = trip;
            paths.set(key, {
              segment,
              capture,
              from,
              to,
              sent,
              came,
              gateway: soleAddress(network, trip),
              targets: new Set([to]),
              evidence,
              count,
              first,
              last,
            });
          }
        }
        // Both ways round: somebody shares the load among the two, connection by connection.
        for (const path of paths.values()) if (!paths.has(`${path.segment} ${path.came} ${path.sent}`)) tell(path);
      },
    };
  },
};

/** A ping or a connection, the router that it was sent to, and the one that its answers came from. */
interface Trip {
  readonly segment: number;
  /** Rows of `Addresses`. */
  readonly source: number;
  readonly destination: number;
  readonly hi: number;
  readonly lo: number;
  readonly backHi: number;
  readonly backLo: number;
  /** Answers that came around. */
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly layer: 'icmp' | 'icmpv6' | 'tcp';
  /** Question and answer, by turns. */
  places(): { frame: number; offset: number; length: number }[];
}

/** Pings all of whose replies came from another MAC than requests went to, and connections whose answer did. */
function* tripsOf({ pings, handshakes, addresses }: Network): Generator<Trip> {
  for (let row = 0; row < pings.count; row++) {
    const count = pings.aroundReplies(row);
    if (count === 0 || count < pings.replies(row) || pings.wasPassedOn(row)) continue;
    yield {
      segment: pings.segment(row),
      source: pings.source(row),
      destination: pings.destination(row),
      hi: pings.hi(row),
      lo: pings.lo(row),
      backHi: pings.replyHi(row),
      backLo: pings.replyLo(row),
      count,
      first: pings.first(row),
      last: pings.last(row),
      layer: addresses.isIpv4(pings.source(row)) ? 'icmp' : 'icmpv6',
      places: () => pings.aroundPlaces(row),
    };
  }
  for (let row = 0; row < handshakes.count; row++) {
    if (!handshakes.cameAround(row) || handshakes.state(row) !== Attempt.Done) continue;
    if (handshakes.wasPassedOn(row) || handshakes.firstLeg(row) >= 0) continue;
    const isIpv6 = (handshakes.place(row) & IPV6) !== 0;
    const [client, server] = [handshakes.client(row), handshakes.server(row)];
    yield {
      segment: handshakes.segment(row),
      source: isIpv6 ? client : addresses.ipv4(client),
      destination: isIpv6 ? server : addresses.ipv4(server),
      hi: handshakes.hi(row),
      lo: handshakes.lo(row),
      backHi: handshakes.backHi(row),
      backLo: handshakes.backLo(row),
      count: 1,
      first: handshakes.first(row),
      last: handshakes.lastAnswer(row),
      layer: 'tcp',
      places: () => [...handshakes.synPlaces(row).slice(0, 1), ...handshakes.answerPlaces(row).slice(0, 1)],
    };
  }
}

/** The one address of the router that answers come through, as it is seen on the link. */
function soleAddress({ bindings, addresses }: Network, { segment, source, backHi, backLo }: Trip): string | null {
  const isIpv4 = addresses.isIpv4(source);
  const own = bindings.own(segment, backHi, backLo).filter((row) => addresses.isIpv4(row) === isIpv4);
  return own.length === 1 ? addresses.format(own[0]) : null;
}

/** Whether the target is beyond the link of both routers, and these are two. */
function isAround(network: Network, { segment, source, destination, hi, lo, backHi, backLo }: Trip): boolean {
  const { claims, bindings } = network;
  if (isOfVrf(network, segment)) return false;
  // On the link itself proxies, bonds and takeovers change MACs.
  if (claims.holder(segment, destination) >= 0) return false;
  // The asking host itself, seen from inside.
  if (bindings.own(segment, backHi, backLo).includes(source)) return false;
  // Virtual routers get packets at their virtual MAC and send from their own (RFC 5798 section 7.3, and HSRP alike).
  return !isVirtualRouter(hi, lo) && !isVirtualRouter(backHi, backLo);
}

/**
 * Whether the capture was taken on a VRF device: no link, but what several devices of the machine receive and send, some of it to
 * 00:00:00:00:00:00 (kernel: drivers/net/vrf.c).
 */
function isOfVrf({ vantage, stations }: Network, segment: number): boolean {
  return vantage?.kind === 'vrf' || stations.find(segment, 0, 0) >= 0;
}
