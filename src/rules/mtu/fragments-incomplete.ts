import type { Network } from '../../network/network.js';
import { IpProtocol } from '../../wire/ip-protocols.js';
import { printable } from '../../wire/printable.js';
import { onHost } from '../parts/device-argument.js';
import { iptablesFor } from '../parts/firewalls/netfilter.js';
import { unansweredPings } from '../parts/pings/ping.js';
import { icmpErrorOf } from '../parts/refusals/icmp-error.js';
import { setting } from '../parts/setting.js';
import { oversizeOf, unansweredEchoes } from '../parts/sizes/oversize.js';
import { times } from '../parts/words.js';
import type { Remedy, Rule } from '../rule.js';
import { tunnelsOf } from '../vxlan/parts/tunnel.js';

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6' };

const FILTERED =
  'drops fragments: a firewall that looks for ports (only the first fragment has them), a tunnel endpoint, a network card or a cloud network.';
/** What drops fragments as such drops the same ones of each datagram. */
const BY_CHANCE =
  'Packets are lost on the way, whichever they are: a link with errors, a limit of the rate, a queue that is full or too short for all fragments of a datagram at once. ' +
  'A datagram needs all of its fragments, so it is lost more often than a small packet.';

/** Header of IPv6 in front of what is in a fragment (RFC 8200 section 4.5). */
const FRAGMENT_HEADER = 44;

/** Fragments of a datagram, each of which can be lost by the capture. */
const FRAGMENTS = 3;
/** Time that the first of the pings is given to be answered, as in icmp/echo-unanswered. */
const PATIENCE_NS = 0.9e9;

/** Fragments of datagrams are missing (catalogue G4). */
export const fragmentsIncomplete: Rule = {
  meta: {
    id: 'mtu/fragments-incomplete',
    severity: 'warning',
    summary: 'Datagrams come without some of their fragments, so the receiver drops all of them',
    catalogue: 'G4',
    silence: true,
    thresholds: {
      datagrams: { value: 2, unit: 'datagrams without all their fragments', source: 'one may be an accident' },
      late: setting('fragmentLate'),
    },
  },
  create({ network, report, thresholds }) {
    const { fragments, segments, addresses, tunnels } = network;
    /** Captures with ARP, which no filter with ports lets pass. */
    const withoutPorts = new Set<number>();
    let latestWithout = -1;

    function missingOf(flow: number): string {
      const lost = fragments.lost(flow);
      if (fragments.lostRest(flow) === lost) return 'only their first fragments come';
      return fragments.lostFirst(flow) === lost ? 'their first fragments are missing' : 'fragments are missing';
    }

    /** Some datagrams come whole, or lack now their first fragment, now others: nothing looks for fragments and drops them. */
    function isByChance(flow: number): boolean {
      const lost = fragments.lost(flow);
      return (
        lost > 0 && (fragments.whole(flow) > 0 || (fragments.lostRest(flow) < lost && fragments.lostFirst(flow) < lost))
      );
    }

    /** What is in the fragments: errors of IPv6 name the fragment header, so it is what the two send each other in fragments here. */
    function carriedBy(protocol: number, segment: number, source: number, destination: number): number {
      if (protocol !== FRAGMENT_HEADER) return protocol;
      const carried = [IpProtocol.Icmpv6, IpProtocol.Udp, IpProtocol.Tcp];
      return carried.find((each) => fragments.find(segment, each, source, destination) >= 0) ?? protocol;
    }

    /** So it is where a reply in fragments comes back: its request came whole. */
    function wasReplied(segment: number, protocol: number, source: number, destination: number): boolean {
      if (protocol !== IpProtocol.Icmp && protocol !== IpProtocol.Icmpv6) return false;
      const back = fragments.find(segment, protocol, destination, source);
      return back >= 0 && fragments.whole(back) + fragments.lost(back) > 0;
    }

    function tell(flow: number): void {
      const lost = fragments.lost(flow);
      const segment = fragments.segment(flow);
      const capture = segments.captureOf(segment);
      const from = addresses.format(fragments.source(flow));
      const to = addresses.format(fragments.destination(flow));
      const protocol = PROTOCOLS[fragments.protocol(flow)] ?? `protocol ${fragments.protocol(flow)}`;
      // `tcpdump udp port …` keeps first fragments only: what has no ports is the sign that nothing was filtered so.
      const isFiltered = fragments.lostRest(flow) === lost && !withoutPorts.has(capture);
      const isLikely = lost >= thresholds.datagrams && !isFiltered && lost > fragments.whole(flow);
      const missing = missingOf(flow);
      const byChance = isByChance(flow);
      report({
        key: String(flow),
        segment,
        capture,
        confidence: isLikely ? 'likely' : 'hint',
        title: `Fragments from ${from} to ${to} are lost: ${missing}`,
        summary:
          `Of ${lost} ${protocol} datagrams from ${from} to ${to} some fragments are not in this capture: ${missing}; ${fragments.whole(flow) === 0 ? 'none' : fragments.whole(flow)} came whole. ` +
          'The receiver waits 30 seconds for the rest and drops what it has.',
        subject: { sender: from, receiver: to, protocol },
        count: lost,
        tries: (lost + fragments.whole(flow)) * FRAGMENTS,
        first: fragments.first(flow),
        last: fragments.last(flow),
        evidence: fragments.places(flow).map((place) => ({
          capture,
          layer: addresses.isIpv4(fragments.source(flow)) ? 'ipv4' : 'ipv6',
          note: `fragment of an incomplete ${protocol} datagram`,
          ...place,
        })),
        cause: byChance ? BY_CHANCE : `Something on the way ${FILTERED}`,
        explains: unansweredPings(network, segment, fragments.source(flow), fragments.destination(flow)),
        remedy: remediesOf(network, from, to, byChance ? 'chance' : 'filter'),
        caveats: [
          ...(isFiltered
            ? ['a capture filter with ports (tcpdump udp port …) leaves later fragments out: then nothing is lost']
            : []),
        ],
        wouldRaise: isLikely
          ? [`a capture at ${from}: do all fragments leave there?`]
          : ['a longer capture, without a filter', `a capture at ${from}: do all fragments leave there?`],
      });
    }

    /** All fragments of VXLAN packets pass here, and the pings in them get no reply, while smaller ones do. */
    function tellLostFurtherOn(tunnel: number): void {
      const carried = new Set(tunnels.fragmentedPlaces(tunnel).map(({ frame }) => frame));
      if (carried.size < thresholds.datagrams) return;
      const segment = tunnels.segment(tunnel);
      const [source, destination] = [tunnels.source(tunnel), tunnels.destination(tunnel)];
      const flow = fragments.find(segment, IpProtocol.Udp, source, destination);
      if (flow < 0 || fragments.lost(flow) > 0) return;
      const capture = segments.captureOf(segment);
      for (const row of unansweredEchoes(network, capture)) {
        if (network.echoes.segment(row) !== tunnels.inner(tunnel)) continue;
        const found = oversizeOf(network, row, thresholds.datagrams);
        if (!found || network.now - found.first < PATIENCE_NS) continue;
        if (!found.evidence.every(({ frame }) => carried.has(frame))) continue;
        const [from, to] = [addresses.format(source), addresses.format(destination)];
        report({
          key: String(flow),
          segment,
          capture,
          confidence: 'likely',
          title: `Fragments from ${from} to ${to} are lost further on: pings in them get no reply, smaller ones do`,
          summary:
            `Pings of ${found.fails} bytes (IP) from ${found.from} to ${found.to} leave ${from} as VXLAN in fragments, all of which are here, and none of ${found.count} is answered. ` +
            `Pings of ${found.passes} bytes between the same two, which need no fragments, are answered.`,
          subject: { sender: from, receiver: to, protocol: 'UDP' },
          count: found.count,
          first: found.first,
          last: found.last,
          evidence: fragments.wholePlaces(flow).map((place) => ({
            capture,
            layer: addresses.isIpv4(source) ? 'ipv4' : 'ipv6',
            note: 'fragment of a VXLAN packet whose contents get no reply',
            ...place,
          })),
          cause: `Something between here and ${to} ${FILTERED}`,
          remedy: remediesOf(network, from, to, 'tunnel'),
          caveats: ['a target or firewall that ignores big pings looks alike'],
          wouldRaise: [`a capture at ${to}: do all fragments arrive there?`],
          explains: [
            ...unansweredPings(network, found.segment, network.echoes.source(row), network.echoes.destination(row)),
            { rule: 'mtu/black-hole', key: found.key },
          ],
        });
        return;
      }
    }

    /** The receiver itself says that not all fragments came (ICMP time exceeded, code 1). */
    function tellSaid(row: number): void {
      const { icmpErrors } = network;
      if (icmpErrors.type(row) !== (icmpErrors.isV6(row) ? 3 : 11) || icmpErrors.code(row) !== 1) return;
      const error = icmpErrorOf(network, row, 'not all fragments of a datagram came in time');
      const { segment, capture, reporter, from, to, count, first, last, evidence } = error;
      const [source, destination] = [icmpErrors.source(row), icmpErrors.destination(row)];
      const number = carriedBy(icmpErrors.protocol(row), segment, source, destination);
      const protocol = PROTOCOLS[number] ?? (number === FRAGMENT_HEADER ? 'IPv6' : `protocol ${number}`);
      const flow = fragments.find(segment, number, source, destination);
      const isEnough = count >= thresholds.datagrams;
      const byChance = (flow >= 0 && isByChance(flow)) || wasReplied(segment, number, source, destination);
      report({
        key: `said ${row}`,
        segment,
        capture,
        confidence: isEnough ? 'certain' : 'hint',
        title: `Fragments from ${from} to ${to} are lost: ${reporter} says that it did not get all of them`,
        summary:
          `${reporter} says ${times(count)} that it gave ${protocol} datagrams from ${from} to ${to} up, as some of their fragments did not come in time. ` +
          'Who puts datagrams together again is their receiver, or a firewall or NAT on the way.',
        subject: { sender: from, receiver: to, protocol },
        count,
        first,
        last,
        evidence,
        cause: byChance ? BY_CHANCE : `Something between the two ${FILTERED}`,
        explains: [
          ...unansweredPings(network, segment, source, destination),
          ...(flow < 0 ? [] : [{ rule: 'mtu/fragments-incomplete', key: String(flow) } as const]),
        ],
        remedy: remediesOf(network, from, to, byChance ? 'chance' : 'filter'),
        caveats: isEnough ? [] : ['one datagram may be an accident'],
        wouldRaise: isEnough ? [] : ['more such messages: Linux sends one a second at most'],
      });
    }

    return {
      layers: {
        Arp(frame) {
          if (frame.capture === latestWithout || frame.tunnels !== 0) return;
          latestWithout = frame.capture;
          withoutPorts.add(latestWithout);
        },
      },
      events: { fragmentsLost: tell, icmpError: tellSaid },
      captureEnd(capture) {
        for (let flow = 0; flow < fragments.count; flow++)
          if (fragments.lost(flow) > 0 && segments.captureOf(fragments.segment(flow)) === capture) tell(flow);
        for (const tunnel of tunnelsOf(network, capture)) if (tunnels.inner(tunnel) >= 0) tellLostFurtherOn(tunnel);
      },
    };
  },
};

/** What loses the fragments: a filter, a filter below a tunnel, or chance. */
type Loser = 'filter' | 'tunnel' | 'chance';

function remediesOf(network: Network, from: string, to: string, loser: Loser): Remedy[] {
  return [
    {
      text: 'See what the receiver counts as failed reassemblies',
      commands: [onHost(network, to, 'nstat -az IpReasmFails IpReasmTimeout Ip6ReasmFails')],
    },
    loser === 'chance' ? LOOK_FOR_DROPS : letPass(from, to),
    loser === 'tunnel'
      ? {
          text: 'Or avoid them: make what goes into the tunnel smaller, at each station behind it',
          commands: ['ip link set <device of the station> mtu 1450'],
        }
      : {
          text: 'Or avoid them: let the program send smaller datagrams (DNS: a buffer of 1232 bytes). A smaller MTU would only cut them into more',
          commands: [onHost(network, from, `ip route get ${printable(to)}`)],
        },
  ];
}

const LOOK_FOR_DROPS: Remedy = {
  text: 'Look for errors and drops on each device of the path',
  commands: ['ip -s -s link', 'tc -s qdisc'],
};

function letPass(from: string, to: string): Remedy {
  return {
    text: 'Let fragments pass on the firewalls between (made by iptables; what a rule of another nftables table drops stays dropped)',
    commands: [
      `${iptablesFor(from)} -I FORWARD ${from.includes(':') ? '-m frag' : '-f'} -s ${printable(from)} -d ${printable(to)} -j ACCEPT`,
    ],
  };
}
