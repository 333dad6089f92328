import { Quoted } from '../../network/icmp/icmp-errors.js';
import type { Network } from '../../network/network.js';
import { IpProtocol } from '../../wire/ip-protocols.js';
import { printable } from '../../wire/printable.js';
import { stuckConnections } from '../parts/connections/connection.js';
import { onHost } from '../parts/device-argument.js';
import { kubeCause } from '../parts/firewalls/kube-proxy.js';
import { cureOf, placeContext, placeWords } from '../parts/firewalls/words.js';
import { silentOtherwise } from '../parts/refusals/attempts.js';
import { icmpErrorOf } from '../parts/refusals/icmp-error.js';
import { refusedBy } from '../parts/refusals/refused.js';
import { attempts, refusedNoMore } from '../parts/refusals/refused-no-more.js';
import { Trials } from '../parts/trials.js';
import { applying, times } from '../parts/words.js';
import type { Rule } from '../rule.js';
import { refusedDhcp } from './parts/refused-dhcp.js';
import { byRoute, refusedByRoute } from './parts/refusing-route.js';
import { sendsGeneve } from './parts/sends-geneve.js';
import {
  geneveWords,
  missingRoute,
  PASSED,
  type Reason,
  rejectWords,
  vrrpWords,
  type Who,
  WORDS,
  watching,
} from './parts/unreachable-words.js';

const VRRP = 112;
/** Ports of VXLAN: vxlan/port-unreachable tells of the tunnel. */
const VXLAN: readonly number[] = [4789, 8472];
const GENEVE = 6081;
/** Protocols in which a host that gets a packet for a closed port, or a ping, says so otherwise. */
const REPLYING: readonly number[] = [IpProtocol.Tcp, IpProtocol.Icmp, IpProtocol.Icmpv6];
/** DHCP clients read with a socket below the kernel's, so that it calls their port closed; udhcpc while it renews. */
const BOOTPC = 68;

/** Errors of a filter, and of a router that lacks a route, that are looked at again at the end. */
const MAX_FILTERED = 64;
/** Targets of destination NAT that a finding names at most. */
const MAX_TARGETS = 4;

/** What a link that is down for a while makes a router say. */
const isForNow = new Set<Reason>(['network', 'masqueraded']);

/** Codes of ICMP type 3 (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1). */
const V4: Readonly<Record<number, Reason>> = {
  0: 'network',
  1: 'host',
  2: 'protocol',
  3: 'port',
  6: 'network',
  7: 'host',
  9: 'prohibited',
  10: 'prohibited',
  11: 'network',
  12: 'host',
  13: 'prohibited',
};
/** Codes of ICMPv6 type 1 (RFC 4443 section 3.1). */
const V6: Readonly<Record<number, Reason>> = {
  0: 'network',
  1: 'prohibited',
  2: 'scope',
  3: 'host',
  4: 'port',
  5: 'prohibited',
  6: 'network',
};

/** Reasons in the words of tcpdump and ping. */
const ICMP_WORDS: Readonly<Record<Reason, string>> = {
  network: 'network unreachable',
  host: 'host unreachable',
  itself: 'host unreachable',
  masqueraded: 'host unreachable',
  scope: 'beyond scope of source address',
  prohibited: 'administratively prohibited',
  port: 'port unreachable',
  protocol: 'protocol unreachable',
  other: 'destination unreachable',
};

/** A router or host says that packets cannot be delivered (catalogue I8). */
export const unreachable: Rule = {
  meta: {
    id: 'icmp/unreachable',
    severity: 'warning',
    summary: 'A router or host says that packets cannot be delivered: no route, no host, filtered, no port',
    catalogue: 'I8',
    thresholds: {
      datagrams: {
        value: 3,
        unit: 'refused datagrams in a row from which on a closed UDP port is a warning',
        source:
          'one or two may be answers that came too late, after the asker had closed its port; a scan asks each port once',
      },
      trial: {
        value: 8,
        unit: "seconds from the discover of a DHCP client to the news that an address which the server pinged is nobody's",
        source:
          'dnsmasq tries out one address after the other, 3 s each (PING_WAIT); a router gives a neighbour up after 3 s',
      },
    },
  },
  create({ network, report, thresholds }) {
    const { icmpErrors, segments, virtualRouters } = network;
    /** Rows of what a filter refuses, by port. */
    const filtered = new Set<number>();
    let isAtEnd = false;
    const trials = new Trials(network, thresholds.trial);

    /** Why the target cannot be reached; null where that is no error, meant to be, or for another rule to say. */
    function reasonOf(row: number): Reason | null {
      const isV6 = icmpErrors.isV6(row);
      if (icmpErrors.type(row) !== (isV6 ? 1 : 3)) return null;
      // A host that tells itself: its own resolution failed, and arp/unanswered says so.
      if (icmpErrors.reporter(row) === icmpErrors.source(row)) return null;
      const said = (isV6 ? V6 : V4)[icmpErrors.code(row)] ?? 'other';
      // Its own address is there: what it cannot reach is the machine that it passes such packets on to.
      const reason = isAboutItself(row) && (said === 'host' || said === 'network') ? byNat(row) : said;
      // Beyond a relay a DHCP server learns so that the address which it is about to give away is free.
      if (
        reason === 'host' &&
        icmpErrors.protocol(row) === IpProtocol.Icmp &&
        trials.tries(segments.captureOf(icmpErrors.segment(row)), icmpErrors.source(row), icmpErrors.last(row))
      )
        return null;
      if (reason !== 'port') return reason;
      const port = icmpErrors.port(row);
      const isUdp = icmpErrors.protocol(row) === IpProtocol.Udp;
      const isOthers = isUdp && (VXLAN.includes(port) || (port === BOOTPC && !isV6));
      return isOthers || icmpErrors.isAbout(row, Quoted.Trace) ? null : reason;
    }

    /** Destination NAT passes on what others ask; what the machine asked itself is a masqueraded host's. */
    function byNat(row: number): Reason {
      const [asker, target] = [icmpErrors.destination(row), icmpErrors.source(row)];
      const segment = icmpErrors.segment(row);
      const asks =
        network.pings.between(segment, asker, target).length > 0 ||
        attempts(network, segment, asker, target).some((attempt) => isItsPort(attempt, icmpErrors.port(row)));
      return asks ? 'masqueraded' : 'itself';
    }

    /** A host answers a closed port of TCP by RST, and pings by replies; of UDP nobody but the target knows what is closed. */
    function isRejected(row: number): boolean {
      const protocol = icmpErrors.protocol(row);
      if (protocol === IpProtocol.Udp) return icmpErrors.reporter(row) !== icmpErrors.destination(row);
      return REPLYING.includes(protocol);
    }

    function isItsPort(attempt: number, port: number): boolean {
      return port === 0 || network.handshakes.clientPort(attempt) === port;
    }

    function isAboutItself(row: number): boolean {
      return icmpErrors.reporter(row) === icmpErrors.destination(row);
    }

    /** The rule of the reporter's firewall that refuses, where the host context shows it; `port` where all was for one. */
    function filterOf(row: number, port: number | null, asPort: boolean) {
      return refusedBy(network, {
        reporter: icmpErrors.reporter(row),
        source: icmpErrors.source(row),
        destination: icmpErrors.destination(row),
        protocol: icmpErrors.protocol(row),
        port,
        asPort,
      });
    }

    function tell(row: number): void {
      const reason = reasonOf(row);
      if (reason === null) return;
      const isV6 = icmpErrors.isV6(row);
      const isUdp = icmpErrors.protocol(row) === IpProtocol.Udp;
      const port = icmpErrors.port(row);
      const error = icmpErrorOf(network, row, 'destination unreachable');
      const { reporter, from, to, count } = error;
      const isRefusal = reason === 'port' && isUdp;
      const service = port === 0 ? to : `${isUdp ? 'UDP' : 'TCP'} port ${port} of ${to}`;
      // Where all that is refused went to one port, it is said of that port alone.
      const isOnePort = port > 0 && icmpErrors.portRun(row) === icmpErrors.errors(row);
      const refused = isOnePort ? service : to;
      const isByPort = reason === 'prohibited' || reason === 'port';
      const isGeneve = isRefusal && port === GENEVE && reporter === to;
      const isBeside = isGeneve && sendsGeneve(network, row);
      if ((isByPort || isForNow.has(reason)) && filtered.size < MAX_FILTERED) filtered.add(row);
      const isOver = isAtEnd && isForNow.has(reason) && refusedNoMore(network, row);
      const isReject = reason === 'port' && isRejected(row);
      const filter = reason === 'prohibited' || isReject ? filterOf(row, isOnePort ? port : null, isReject) : null;
      const isVrrp = reason === 'protocol' && icmpErrors.protocol(row) === VRRP;
      // Its daemon was stopped or is started anew: the other router takes over, as it is meant to.
      const spoke = isVrrp && virtualRouters.isSource(icmpErrors.destination(row));
      // Where the capture cut the ports off, traceroute looks alike: it sends to ports that are closed.
      const isCut = isRefusal && port === 0;
      // Of a ping a filter says the same in the target's name: ACLs of OVN that reject.
      const isPing = reason === 'itself' && icmpErrors.protocol(row) === IpProtocol.Icmp;
      const isTrial = reason === 'host' && count === 1 && isOnePing(network, row);
      const route = filter ? null : refusedByRoute(network, row, reason);
      const who: Who = {
        reporter,
        from,
        to,
        service,
        refused,
        ip: isV6 ? 'ip -6' : 'ip',
        at: (address, command) => onHost(network, address, command),
        ...missingRoute(network, row),
      };
      const told = isReject ? rejectWords : WORDS[reason];
      const words = isGeneve ? geneveWords(network, row, who) : (isVrrp ? vrrpWords : told)(who);
      const usualCause = isOver ? PASSED : words.cause;
      const usualRemedy = isOver ? watching(who) : words.remedy;
      const filterCause =
        filter &&
        (kubeCause(filter.place) ?? `On ${reporter} ${placeWords(filter.place)} refuses these packets, and says so.`);
      const dhcp = refusedDhcp(network, row);
      const isFew = isRefusal && icmpErrors.portRun(row) < thresholds.datagrams;
      report({
        ...error,
        ...(isFew ? { severity: 'info' as const } : {}),
        ...(dhcp.length > 0 ? { severity: 'error' as const } : {}),
        confidence: spoke || isCut || isBeside || isPing || (isTrial && !route) ? 'hint' : 'certain',
        title: words.title,
        summary: `${reporter} answers packets from ${from} to ${to} with ICMP "${ICMP_WORDS[reason]}" (unreachable, code ${icmpErrors.code(row)}), ${times(count)}. ${words.says}`,
        subject: { reporter, source: from, destination: to, code: icmpErrors.code(row) },
        cause: filterCause ?? usualCause,
        remedy: filter ? cureOf([filter], reporter) : usualRemedy,
        explains: [
          ...dhcp,
          ...(isByPort && silentOtherwise(network, row) ? [] : stuckConnections(error.segment, from, to)),
          // Who looks for a route, or for the target, does forward: before the first error it looks as if it did not.
          ...(reason === 'network' || reason === 'host'
            ? [{ rule: 'ip/not-forwarded' as const, key: `${error.segment} ${icmpErrors.reporter(row)}` }]
            : []),
        ],
        caveats: applying([
          spoke && `${to} spoke VRRP itself in this capture: it was stopped for a while, perhaps on purpose`,
          isCut && 'the capture cut off the ports: what traceroute sends is refused alike',
          isOver && 'it is refused no more: it passed',
          isBeside &&
            `${to} sends Geneve itself: where a switch in user space reads the device (Open vSwitch, datapath_type=netdev), its kernel refuses a second copy, and the tunnel works`,
          isPing && `a filter that rejects in the name of ${to} says the same of pings (ACL reject of OVN)`,
          isTrial && 'one ping alone: so DHCP servers try out an address before they offer it',
        ]),
        wouldRaise: applying([
          isCut && 'a capture with more of each frame (`-s 128`)',
          isBeside && `on ${to}: ovs-vsctl get bridge <bridge> datapath_type`,
          isTrial && 'a capture that has DHCP too, or a second ping',
        ]),
        context: [
          ...(filter ? [placeContext(filter.place)] : []),
          ...(reason === 'itself' && !filter ? rewritten(network, row) : []),
        ],
        ...(route ? byRoute(network, route, who) : {}),
      });
    }

    return {
      events: {
        icmpError: tell,
        leased(exchange, type) {
          trials.leased(exchange, type);
        },
      },
      // Which other attempts stay silent is known by then.
      captureEnd(capture) {
        isAtEnd = true;
        for (const row of filtered) if (segments.captureOf(icmpErrors.segment(row)) === capture) tell(row);
        isAtEnd = false;
      },
    };
  },
};

/** Whether the error is about a ping, and the source sent no more than one to this target. */
function isOnePing({ icmpErrors, pings }: Network, row: number): boolean {
  if (icmpErrors.protocol(row) !== IpProtocol.Icmp) return false;
  const segment = icmpErrors.segment(row);
  const sent = pings
    .between(segment, icmpErrors.source(row), icmpErrors.destination(row))
    .reduce((sum, each) => sum + pings.requests(each), 0);
  return sent === 1;
}

/** What the host context says of destination NAT on the machine that reports. */
function rewritten({ context, addresses, icmpErrors }: Network, row: number): string[] {
  const homes = new Set(
    (context?.devicesByIp(addresses.words(icmpErrors.reporter(row))) ?? []).map(({ namespace }) => namespace),
  );
  const [home] = homes;
  const rules = homes.size === 1 ? (context?.namespaces.get(home)?.firewall?.destinationNat ?? []) : [];
  const targets = [...new Set(rules.flatMap(({ to }) => (to ? [to.text] : [])))].slice(0, MAX_TARGETS);
  return targets.length > 0 ? [`destination NAT in ${printable(home)}: to ${targets.map(printable).join(', ')}`] : [];
}
