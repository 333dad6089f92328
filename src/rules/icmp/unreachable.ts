import { Quoted } from '../../network/icmp-errors.js';
import { stuckConnections } from '../connection.js';
import { icmpErrorOf } from '../icmp-error.js';
import type { Rule } from '../rule.js';

const UDP = 17;
/** Ports of VXLAN: vxlan/port-unreachable tells of the tunnel. */
const VXLAN: readonly number[] = [4789, 8472];

type Reason = 'network' | 'host' | 'prohibited' | 'port' | 'protocol' | 'other';

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
  2: 'network',
  3: 'host',
  4: 'port',
  5: 'prohibited',
  6: 'network',
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
    },
  },
  create({ network, report, thresholds }) {
    const { icmpErrors } = network;
    return {
      events: {
        icmpError(row) {
          const isV6 = icmpErrors.isV6(row);
          if (icmpErrors.type(row) !== (isV6 ? 1 : 3)) return;
          // A host that tells itself: its own resolution failed, and arp/unanswered says so.
          if (icmpErrors.reporter(row) === icmpErrors.source(row)) return;
          const reason = (isV6 ? V6 : V4)[icmpErrors.code(row)] ?? 'other';
          const isUdp = icmpErrors.protocol(row) === UDP;
          const port = icmpErrors.port(row);
          if (reason === 'port' && isUdp && VXLAN.includes(port)) return;
          if (reason === 'port' && icmpErrors.isAbout(row, Quoted.Trace)) return;
          const error = icmpErrorOf(network, row, 'destination unreachable');
          const { reporter, from, to, count } = error;
          const isRefusal = reason === 'port' && isUdp;
          const service = port === 0 ? to : `${isUdp ? 'UDP' : 'TCP'} port ${port} of ${to}`;
          const words = WORDS[reason]({ reporter, from, to, service });
          report({
            ...error,
            ...(isRefusal && icmpErrors.portRun(row) < thresholds.datagrams ? { severity: 'info' as const } : {}),
            confidence: 'certain',
            title: words.title,
            summary: `${reporter} answers packets from ${from} to ${to} with ICMP "destination unreachable", code ${icmpErrors.code(row)}, ${count === 1 ? 'once' : `${count} times`}. ${words.says}`,
            subject: { reporter, source: from, destination: to, code: icmpErrors.code(row) },
            cause: words.cause,
            remedy: words.remedy,
            explains: stuckConnections(error.segment, from, to),
          });
        },
      },
    };
  },
};

interface Who {
  reporter: string;
  from: string;
  to: string;
  service: string;
}
interface Words {
  title: string;
  says: string;
  cause: string;
  remedy: { text: string; commands: string[] }[];
}

const WORDS: Readonly<Record<Reason, (who: Who) => Words>> = {
  network: ({ reporter, from, to }) => ({
    title: `${reporter} has no route to ${to}`,
    says: 'Whoever sends this has no route to the target.',
    cause: `No route on ${reporter} covers ${to}, or one of type unreachable does.`,
    remedy: [
      { text: `On ${reporter}: see which route is taken`, commands: [`ip route get ${to} from ${from}`] },
      { text: `On ${reporter}: add the missing route`, commands: [`ip route add ${to} via <next hop>`] },
    ],
  }),
  host: ({ reporter, to }) => ({
    title: `${reporter} cannot reach the host ${to}`,
    says: 'The sender of this has a route, and the last step fails: nobody answers its ARP or neighbor solicitation.',
    cause: `${to} is down or does not exist, or ARP between ${reporter} and it does not get through.`,
    remedy: [
      { text: `On ${reporter}: see what it knows of the neighbour`, commands: [`ip neigh show ${to}`] },
      { text: `On ${reporter}: watch it ask`, commands: [`tcpdump -eni any 'arp or icmp6' and host ${to}`] },
    ],
  }),
  prohibited: ({ reporter, from, to }) => ({
    title: `${reporter} forbids packets from ${from} to ${to}`,
    says: 'That is a filter: a firewall rule with REJECT, or a route of type prohibit.',
    cause: `A filter on ${reporter} refuses these packets, and says so.`,
    remedy: [
      {
        text: `On ${reporter}: find the rule`,
        commands: ['nft list ruleset | grep -n reject', 'iptables-save | grep REJECT', 'ip route show type prohibit'],
      },
    ],
  }),
  port: ({ reporter, to, service }) => ({
    title: `${service} is closed`,
    says:
      reporter === to
        ? 'No program listens there, or a firewall on the host refuses.'
        : 'The answer comes from another machine than the target: a firewall on the way refuses.',
    cause: `Nothing listens on ${service}, it listens on another address only, or a firewall rejects.`,
    remedy: [
      { text: 'On the target: see who listens where', commands: ['ss -lntu'] },
      { text: `On ${reporter}: look for a rule`, commands: ['nft list ruleset | grep -n reject'] },
    ],
  }),
  protocol: ({ to }) => ({
    title: `${to} does not speak a protocol it is sent`,
    says: 'The host does not know this IP protocol.',
    cause: `The module or program for this protocol is not loaded on ${to}, or a firewall refuses it.`,
    remedy: [{ text: 'On the target: see what is loaded', commands: ['cat /proc/net/protocols'] }],
  }),
  other: ({ reporter, to }) => ({
    title: `${reporter} says that ${to} is unreachable`,
    says: 'The code is a rare one.',
    cause: `${reporter} does not deliver packets to ${to}.`,
    remedy: [{ text: `On ${reporter}: see which route is taken`, commands: [`ip route get ${to}`] }],
  }),
};
