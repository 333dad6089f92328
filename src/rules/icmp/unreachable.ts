import { Quoted } from '../../network/icmp-errors.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { stuckConnections } from '../connection.js';
import { onHost, onlyOf } from '../device-argument.js';
import { icmpErrorOf } from '../icmp-error.js';
import { nextRouter, prefixAround } from '../next-router.js';
import { silentOtherwise } from '../refused-attempts.js';
import type { Rule } from '../rule.js';
import { Trials } from '../trials.js';
import { times } from '../words.js';

const ICMP = 1;
const UDP = 17;
const VRRP = 112;
/** Ports of VXLAN: vxlan/port-unreachable tells of the tunnel. */
const VXLAN: readonly number[] = [4789, 8472];
/** DHCP clients read with a socket below the kernel's, so that it calls their port closed; udhcpc while it renews. */
const BOOTPC = 68;

/** Errors of a filter that are looked at again at the end. */
const MAX_FILTERED = 64;
/** Targets of destination NAT that a finding names at most. */
const MAX_TARGETS = 4;

type Reason = 'network' | 'host' | 'itself' | 'scope' | 'prohibited' | 'port' | 'protocol' | 'other';

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
    const trials = new Trials(network, thresholds.trial);

    function tell(row: number): void {
      const isV6 = icmpErrors.isV6(row);
      if (icmpErrors.type(row) !== (isV6 ? 1 : 3)) return;
      // A host that tells itself: its own resolution failed, and arp/unanswered says so.
      if (icmpErrors.reporter(row) === icmpErrors.source(row)) return;
      const said = (isV6 ? V6 : V4)[icmpErrors.code(row)] ?? 'other';
      // Its own address is there: what it cannot reach is the machine that it passes such packets on to.
      const isItself = icmpErrors.reporter(row) === icmpErrors.destination(row);
      const reason = isItself && (said === 'host' || said === 'network') ? 'itself' : said;
      // Beyond a relay a DHCP server learns so that the address which it is about to give away is free.
      if (
        reason === 'host' &&
        icmpErrors.protocol(row) === ICMP &&
        trials.tries(segments.captureOf(icmpErrors.segment(row)), icmpErrors.source(row), icmpErrors.last(row))
      )
        return;
      const isUdp = icmpErrors.protocol(row) === UDP;
      const port = icmpErrors.port(row);
      if (reason === 'port' && isUdp && (VXLAN.includes(port) || (port === BOOTPC && !isV6))) return;
      if (reason === 'port' && icmpErrors.isAbout(row, Quoted.Trace)) return;
      const error = icmpErrorOf(network, row, 'destination unreachable');
      const { reporter, from, to, count } = error;
      const isRefusal = reason === 'port' && isUdp;
      const service = port === 0 ? to : `${isUdp ? 'UDP' : 'TCP'} port ${port} of ${to}`;
      // Where all that is refused went to one port, it is said of that port alone.
      const refused = port > 0 && icmpErrors.portRun(row) === icmpErrors.errors(row) ? service : to;
      const isByPort = reason === 'prohibited' || reason === 'port';
      if (isByPort && filtered.size < MAX_FILTERED) filtered.add(row);
      const isVrrp = reason === 'protocol' && icmpErrors.protocol(row) === VRRP;
      // Its daemon was stopped or is started anew: the other router takes over, as it is meant to.
      const spoke = isVrrp && virtualRouters.isSource(icmpErrors.destination(row));
      const words = (isVrrp ? vrrpWords : WORDS[reason])({
        reporter,
        from,
        to,
        service,
        refused,
        ip: isV6 ? 'ip -6' : 'ip',
        at: (address, command) => onHost(network, address, command),
        ...missingRoute(network, row),
      });
      report({
        ...error,
        ...(isRefusal && icmpErrors.portRun(row) < thresholds.datagrams ? { severity: 'info' as const } : {}),
        confidence: spoke ? 'hint' : 'certain',
        title: words.title,
        summary: `${reporter} answers packets from ${from} to ${to} with ICMP "${ICMP_WORDS[reason]}" (unreachable, code ${icmpErrors.code(row)}), ${times(count)}. ${words.says}`,
        subject: { reporter, source: from, destination: to, code: icmpErrors.code(row) },
        cause: words.cause,
        remedy: words.remedy,
        explains: isByPort && silentOtherwise(network, row) ? [] : stuckConnections(error.segment, from, to),
        caveats: spoke
          ? [`${to} spoke VRRP itself in this capture: it was stopped for a while, perhaps on purpose`]
          : [],
        context: isItself ? rewritten(network, row) : [],
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
        for (const row of filtered) if (segments.captureOf(icmpErrors.segment(row)) === capture) tell(row);
      },
    };
  },
};

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

/** The network that a router has no route to, and its next hop, where the host context shows them. */
function missingRoute({ context, addresses, icmpErrors }: Network, row: number): Pick<Who, 'prefix' | 'via'> {
  const destination = addresses.words(icmpErrors.destination(row));
  const router = onlyOf(context?.devicesByIp(addresses.words(icmpErrors.reporter(row))));
  const devices = router ? [...(context?.namespaces.get(router.namespace)?.devices.values() ?? [])] : [];
  const next = nextRouter(context, devices, icmpErrors.isV6(row) ? 6 : 4, destination);
  return {
    prefix: printable(prefixAround(context, destination, addresses.format(icmpErrors.destination(row)))),
    via: next ? `${next.address} dev ${printable(next.device.name)}` : '<next hop>',
  };
}

interface Who {
  /** A command at the host that has an address. */
  at(address: string, command: string): string;
  prefix: string;
  via: string;
  reporter: string;
  from: string;
  to: string;
  service: string;
  /** The port, or the host where more than one port was asked for. */
  refused: string;
  /** The command that shows routes and neighbours of this family. */
  ip: string;
}
interface Words {
  title: string;
  says: string;
  cause: string;
  remedy: { text: string; commands: string[] }[];
}

const WORDS: Readonly<Record<Reason, (who: Who) => Words>> = {
  network: ({ reporter, to, ip, at, prefix, via }) => ({
    title: `${reporter} has no route to ${to}`,
    says: 'Whoever sends this has no route to the target.',
    cause: `No route on ${reporter} covers ${to}, or one of type unreachable does.`,
    remedy: [
      { text: `On ${reporter}: see which route is taken`, commands: [at(reporter, `${ip} route get ${to}`)] },
      {
        text: `On ${reporter}: add the missing route; lasts until its network starts again`,
        commands: [at(reporter, `${ip} route add ${prefix} via ${via}`)],
      },
    ],
  }),
  host: ({ reporter, to, ip, at }) => ({
    title: `${reporter} cannot reach the host ${to}`,
    says: 'The sender of this has a route, and the last step fails: nobody answers its ARP or neighbor solicitation.',
    cause: `${to} is down or does not exist, or ARP between ${reporter} and it does not get through.`,
    remedy: [
      {
        text: `On ${reporter}: see what it knows of the neighbour`,
        commands: [at(reporter, `${ip} neigh show ${to}`)],
      },
      {
        text: `On ${reporter}: watch it ask`,
        commands: [at(reporter, `tcpdump -eni any '(arp or icmp6) and host ${to}'`)],
      },
    ],
  }),
  itself: ({ reporter, from, service, ip, at }) => ({
    title: `${service} is passed on to a machine that ${reporter} cannot reach`,
    says: `${reporter} has that address itself, and calls it unreachable: a rule of destination NAT (a published port, a load balancer) sends the packets on, to a machine that does not answer.`,
    cause: `The machine or container behind the published address is gone or has another address now, and the rule on ${reporter} still names the old one.`,
    remedy: [
      {
        text: `On ${reporter}: see where the rule sends them, and whom it asks in vain`,
        commands: [
          'nft list ruleset | grep -n dnat',
          'iptables -t nat -S | grep DNAT',
          `${ip} neigh show nud failed`,
        ].map((command) => at(reporter, command)),
      },
      {
        text: 'Start what is behind it again, or publish the port anew; then let go of connections that still go the old way',
        commands: [at(reporter, `conntrack -D -s ${from} -d ${reporter}`)],
      },
    ],
  }),
  scope: ({ reporter, from, to, at }) => ({
    title: `${reporter} does not pass on packets to ${to}: their source ${from} is not valid beyond its link`,
    says: 'The router has a route, and may not use it: a link-local source stays on its link (RFC 4291 section 2.5.6).',
    cause: `The sender had no better source address when it sent: no router advertisement with a prefix yet, an address still in duplicate address detection (tentative) or failed in it, or none configured.`,
    remedy: [
      {
        text: `On the sender: look for an address of global scope that is neither tentative nor dadfailed, and what it would use`,
        commands: [at(from, 'ip -6 addr show scope global'), at(from, `ip -6 route get ${to}`)],
      },
      { text: 'On the sender: ask the router for a prefix', commands: ['rdisc6 <device>'] },
    ],
  }),
  prohibited: ({ reporter, from, refused, ip, at }) => ({
    title: `${reporter} forbids packets from ${from} to ${refused}`,
    says: 'That is a filter: a firewall rule with REJECT, or a route of type prohibit.',
    cause: `A filter on ${reporter} refuses these packets, and says so.`,
    remedy: [
      {
        text: `On ${reporter}: find the rule`,
        commands: [
          'nft list ruleset | grep -n reject',
          'iptables-save | grep REJECT',
          `${ip} route show type prohibit`,
        ].map((command) => at(reporter, command)),
      },
    ],
  }),
  port: ({ reporter, to, service, at }) => ({
    title: `${service} is closed`,
    says:
      reporter === to
        ? 'No program listens there, or a firewall on the host refuses.'
        : 'The answer comes from another machine than the target: a firewall on the way refuses.',
    cause: `Nothing listens on ${service}, it listens on another address only, or a firewall rejects.`,
    remedy: [
      { text: 'On the target: see who listens where', commands: [at(to, 'ss -lntu')] },
      {
        text: `On ${reporter}: look for a rule`,
        commands: [at(reporter, 'nft list ruleset | grep -n reject')],
      },
    ],
  }),
  protocol: ({ to, at }) => ({
    title: `${to} does not speak a protocol it is sent`,
    says: 'The host does not know this IP protocol.',
    cause: `The module or program for this protocol is not loaded on ${to}, or a firewall refuses it.`,
    remedy: [{ text: 'On the target: see what is loaded', commands: [at(to, 'cat /proc/net/protocols')] }],
  }),
  other: ({ reporter, to, ip, at }) => ({
    title: `${reporter} says that ${to} is unreachable`,
    says: 'The code is a rare one.',
    cause: `${reporter} does not deliver packets to ${to}.`,
    remedy: [{ text: `On ${reporter}: see which route is taken`, commands: [at(reporter, `${ip} route get ${to}`)] }],
  }),
};

/** Of unicast VRRP, whose other end has no daemon. */
function vrrpWords({ from, to }: Who): Words {
  return {
    title: `${to} does not speak VRRP, and ${from} tells it its state`,
    says: 'No program on it takes IP protocol 112.',
    cause: `keepalived (or another VRRP daemon) is stopped on ${to}: ${from} has no standby.`,
    remedy: [
      {
        text: `On ${to}: see why it does not run`,
        commands: ['systemctl status keepalived', 'journalctl -u keepalived -n 50'],
      },
    ],
  };
}
