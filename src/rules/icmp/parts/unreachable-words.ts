import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { onlyOf } from '../../parts/device-argument.js';
import { nextRouter, prefixAround } from '../../parts/next-router.js';
import { hasSwitch, switchPort } from '../../parts/open-vswitch.js';
import type { Remedy } from '../../rule.js';

/** Why packets cannot be delivered. */
export type Reason =
  | 'network'
  | 'host'
  | 'itself'
  | 'masqueraded'
  | 'scope'
  | 'prohibited'
  | 'port'
  | 'protocol'
  | 'other';

/** The network that a router has no route to, and its next hop, where the host context shows them. */
export function missingRoute({ context, addresses, icmpErrors }: Network, row: number): Pick<Who, 'prefix' | 'via'> {
  const destination = addresses.words(icmpErrors.destination(row));
  const router = onlyOf(context?.devicesByIp(addresses.words(icmpErrors.reporter(row))));
  const devices = router ? [...(context?.namespaces.get(router.namespace)?.devices.values() ?? [])] : [];
  const next = nextRouter(context, devices, icmpErrors.isV6(row) ? 6 : 4, destination);
  return {
    prefix: printable(prefixAround(context, destination, addresses.format(icmpErrors.destination(row)))),
    via: next ? `${next.address} dev ${printable(next.device.name)}` : '<next hop>',
  };
}

/** Who says what of whom. */
export interface Who {
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

export interface Words {
  title: string;
  says: string;
  cause: string;
  remedy: readonly Remedy[];
}

/** How each reason is told. */
export const WORDS: Readonly<Record<Reason, (who: Who) => Words>> = {
  network: ({ reporter, to, ip, at, prefix, via }) => ({
    title: `${reporter} has no route to ${to}`,
    says: 'Whoever sends this has no route to the target.',
    cause: `No route on ${reporter} covers ${to}, or one of type unreachable does.`,
    remedy: [
      { text: `On ${reporter}: see which route is taken`, commands: [at(reporter, `${ip} route get ${to}`)] },
      {
        text: `On ${reporter}: add the missing route; lasts until its network starts again`,
        commands: [at(reporter, `${ip} route replace ${prefix} via ${via}`)],
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
  masqueraded: ({ reporter, from, ip, at }) => ({
    title: `${reporter} cannot reach the host behind it that ${from} answers`,
    says: `${reporter} has that address itself, and asked ${from} from it: what it refuses are answers for a host that it masquerades.`,
    cause: `The host behind ${reporter} is gone, or the link to it is down, and its route with it.`,
    remedy: [
      {
        text: `On ${reporter}: see for whom it asked, whether the link to it is up, and whom it asks in vain`,
        commands: [`conntrack -L -d ${from}`, 'ip -br link', `${ip} neigh show nud failed`].map((command) =>
          at(reporter, command),
        ),
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
    says: 'No program listens there, or a firewall on the host refuses.',
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

/** Of a filter that says "port unreachable", as iptables does unless told otherwise. */
export function rejectWords({ reporter, from, to, refused, at }: Who): Words {
  return {
    title: `${reporter} rejects packets from ${from} to ${refused}`,
    says:
      reporter === to
        ? 'That is a firewall (REJECT), on the host or, where NAT passes packets on, on the way to who is behind it: a host by itself answers a closed TCP port by RST, and a ping by a reply.'
        : 'The answer comes from another machine than the target: a firewall on the way refuses (REJECT).',
    cause: `A firewall rule with REJECT on ${reporter}. In Kubernetes: a service without endpoints, or a network policy.`,
    remedy: [
      {
        text: `On ${reporter}: find the rule`,
        commands: ['nft list ruleset | grep -n reject', 'iptables-save | grep REJECT'].map((command) =>
          at(reporter, command),
        ),
      },
    ],
  };
}

/** Of unicast VRRP, whose other end has no daemon. */
export function vrrpWords({ from, to }: Who): Words {
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

/** Of Geneve, whose port the kernel opens for a tunnel device: `row` of `icmpErrors`. */
export function geneveWords(network: Network, row: number, { from, to, service, at }: Who): Words {
  return {
    title: `${to} refuses Geneve from ${from}: ${service} is closed`,
    says: 'It has no tunnel device for it; what the packets carry is thrown away.',
    cause: `${to} lost its Geneve device (or its port of Open vSwitch), never had one, or is not the machine that was meant.`,
    remedy: hasSwitch(network, network.icmpErrors.destination(row))
      ? switchPort(network, 'geneve', to, from)
      : [
          {
            text: `On ${to}: see which Geneve devices there are, and with Open vSwitch which ports`,
            commands: ['ip -d link show type geneve', 'ovs-vsctl show'].map((command) => at(to, command)),
          },
        ],
  };
}

/** Why a router refused what it passes on since. */
export const PASSED =
  'A link of the router was down for a while, perhaps, and its route with it, or it had not learnt the route yet: what is sent there goes on and is refused no more.';

/** What to do about a route that is there again: nothing but see what takes it away. */
export function watching({ reporter, at }: Who): readonly Remedy[] {
  return [
    {
      text: `It works again. Should it come back: see on ${reporter} which links and routes go`,
      commands: [at(reporter, 'ip -timestamp monitor link route')],
    },
  ];
}
