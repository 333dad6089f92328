import { icmpv6, ip6 } from '../support/nd.js';
import { ipv4, tcpSegment, unicast, vxlanPacket } from '../support/tunnel.js';
import { ip, mac, u16 } from '../support/wire.js';

export const [ONE, TWO] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
const ALL = 'ff:ff:ff:ff:ff:ff';

export interface Flood {
  says: string;
  /** Tables that it fills, by where they are in `Network`. */
  fills: readonly string[];
  packets: number;
  /** The frames of step `i`, in order. */
  frames(i: number): readonly (readonly number[])[];
}

export const u32 = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
/** An IPv4 address of 10.0.0.0/8. */
export const host = (i: number) => `10.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`;
/** A MAC address. */
export const station = (i: number) =>
  `02:00:${u32(i)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(':')}`;
const ip6Of = (i: number) => `2001:db8::${(i >>> 16).toString(16)}:${(i & 0xffff).toString(16)}`;
const frame = (to: string, from: string, type: readonly number[], packet: readonly number[]) => [
  ...mac(to),
  ...mac(from),
  ...type,
  ...packet,
];
export const inIpv4 = (packet: readonly number[], from = ONE, to = TWO) => frame(to, from, [8, 0], packet);

/** An ARP request. */
function arp(sender: number, spa: readonly number[], tpa: readonly number[], to = ALL, from = station(sender)) {
  const packet = [0, 1, 8, 0, 6, 4, 0, 1, ...mac(station(sender)), ...spa, 0, 0, 0, 0, 0, 0, ...tpa];
  return frame(to, from, [8, 6], packet);
}

/** An ICMP echo request (type 8) or reply (0). */
function echo(type: number, source: string, destination: string, id: number, [from, to]: readonly string[]): number[] {
  return inIpv4(ipv4(source, destination, 1, [type, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3, 4], { id }), from, to);
}

function tcp(source: string, destination: string, flags: number, data = 0, more = {}): number[] {
  const segment = [...tcpSegment(source, destination, { flags, ...more }), ...new Array(data).fill(1)];
  return inIpv4(ipv4(source, destination, 6, segment));
}

/** A segment of a server on port 80 to the client's port. */
function back(server: string, client: string, flags: number): number[] {
  const segment = tcpSegment(server, client, { flags });
  return inIpv4(ipv4(server, client, 6, [...segment.slice(2, 4), ...segment.slice(0, 2), ...segment.slice(4)]));
}

function discover(i: number, giaddr = '0.0.0.0'): number[] {
  const zeros = (count: number) => new Array(count).fill(0);
  const head = [1, 1, 6, 0, ...u32(i), ...zeros(16), ...ip(giaddr), ...mac(station(i)), ...zeros(10 + 192)];
  const message = [...head, 0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255];
  const udp = [0, 68, 0, 67, ...u16(message.length + 8), 0, 0, ...message];
  return inIpv4(ipv4('0.0.0.0', '255.255.255.255', 17, udp), station(i), ALL);
}

/** Hosts of 2001:db8::/32 announce a router, of fe80::/10. */
const advertisement = (i: number) =>
  icmpv6(station(i), '33:33:00:00:00:01', `fe80::${(i >>> 8).toString(16)}:${(i & 255).toString(16)}`, 'ff02::1', [
    ...[134, 0, 0, 0, 64, 0, 7, 8],
    ...new Array(8).fill(0),
  ]);

/** A solicitation for an address, of one that has one itself or has none yet. */
const solicitation = (i: number, source: string) =>
  icmpv6(station(i), '33:33:ff:00:00:01', source, 'ff02::1:ff00:1', [135, 0, 0, 0, 0, 0, 0, 0, ...ip6(ip6Of(i))]);

export const FLOODS: readonly Flood[] = [
  {
    says: 'ARP requests, each from another station with another address, for another address',
    fills: [
      'stations.table',
      'bindings.table',
      'bindings.owners',
      'claims.table',
      'resolutions.table',
      'resolutions.asked.askers',
    ],
    packets: 140_000,
    frames: (i) => [arp(i, ip(host(i)), [11, ...u32(i).slice(1)])],
  },
  {
    says: 'IPv4 packets, each from another address',
    fills: ['addresses.table'],
    packets: 1_100_000,
    frames: (i) => [inIpv4(ipv4(host(i), '10.255.0.1', 253, []))],
  },
  {
    says: 'ARP probes, each for another address',
    fills: ['probes.table', 'probes.latest'],
    packets: 20_000,
    frames: (i) => [arp(i, [0, 0, 0, 0], ip(host(i)))],
  },
  {
    says: 'ARP announcements, each of another address',
    fills: ['announcements.table'],
    packets: 34_000,
    frames: (i) => [arp(i, ip(host(i)), ip(host(i)))],
  },
  {
    says: 'ARP requests by unicast, each of another station for another address',
    fills: ['refreshes.table'],
    packets: 17_000,
    frames: (i) => [arp(i, ip(host(i)), [11, ...u32(i).slice(1)], TWO)],
  },
  {
    says: 'ARP requests, each of another station in a frame of one',
    fills: ['arpSenders.table'],
    packets: 4200,
    frames: (i) => [arp(i, ip(host(i)), [11, 0, 0, 1], ALL, ONE)],
  },
  {
    says: 'guests that a hypervisor announces by RARP',
    fills: ['arrivals.table'],
    packets: 4200,
    frames: (i) => [
      frame(
        ALL,
        station(i),
        [0x80, 0x35],
        [...[0, 1, 8, 0, 6, 4, 0, 3], ...[...mac(station(i)), 0, 0, 0, 0], ...[...mac(station(i)), 0, 0, 0, 0]],
      ),
    ],
  },
  {
    says: 'addresses that move to another station, each with two stations that go on sending to the old one',
    fills: ['moves.moves', 'moves.senders'],
    packets: 4200,
    frames: (i) => {
      const address = ip(host(i));
      const packet = ipv4('11.0.0.1', host(i), 253, u32(i));
      return [
        arp(4 * i, address, address),
        arp(4 * i + 1, address, address),
        inIpv4(packet, station(4 * i + 2), station(4 * i)),
        inIpv4(packet.with(8, 63), station(4 * i + 3), station(4 * i)),
      ];
    },
  },
  {
    says: 'unicast, each frame for another station',
    fills: ['unheard.table'],
    packets: 17_000,
    frames: (i) => [inIpv4(ipv4('10.0.0.1', '10.0.0.2', 253, u32(i)), ONE, station(i))],
  },
  {
    says: 'IPv6 addresses that are tried out',
    fills: ['dadProbes.table'],
    packets: 17_000,
    frames: (i) => [solicitation(i, '::')],
  },
  {
    says: 'neighbor solicitations, each from another address for another',
    fills: ['resolver.solicitors', 'neighborHolders.table'],
    packets: 17_000,
    frames: (i) => [solicitation(i, ip6Of(i).replace('db8', 'db9'))],
  },
  {
    says: 'router advertisements, each of another router',
    fills: ['routers.table', 'neighborRoles.table'],
    packets: 1100,
    frames: (i) => [advertisement(i)],
  },
  {
    says: 'pings, each of another host',
    fills: ['pings.table', 'pings.byIdentifier', 'echoes.table'],
    packets: 9000,
    frames: (i) => [echo(8, host(i), '10.255.0.1', 1, [ONE, TWO])],
  },
  {
    says: 'pings of a group, each of another host',
    fills: ['echoes.latest'],
    packets: 9000,
    frames: (i) => [echo(8, host(i), '224.0.0.1', 1, [ONE, TWO])],
  },
  {
    says: 'pings that are answered twice, each of another host',
    fills: ['pings.table'],
    packets: 4200,
    frames: (i) => [
      echo(8, host(i), '10.255.0.1', 1, [ONE, TWO]),
      echo(0, '10.255.0.1', host(i), 2, [TWO, ONE]),
      echo(0, '10.255.0.1', host(i), 3, [TWO, ONE]),
    ],
  },
  {
    says: 'DHCP, each discover of another client',
    fills: ['leases.exchanges', 'leases.clients'],
    packets: 8500,
    frames: (i) => [discover(i)],
  },
  {
    says: 'DHCP, each discover through another relay',
    fills: ['relays.table'],
    packets: 1100,
    frames: (i) => [discover(i, host(i + 1))],
  },
  {
    says: 'VRRP, of all groups in many VLANs, each advertisement of another router',
    fills: ['virtualRouters.groups', 'virtualRouters.table'],
    packets: 1100,
    frames: (i) => {
      const vrrp = [0x21, (i % 255) + 1, 100, 1, 0, 1, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
      const packet = ipv4(host(i), '224.0.0.18', 112, vrrp);
      return [frame('01:00:5e:00:00:12', ONE, [0x81, 0, ...u16(1 + Math.floor(i / 255)), 8, 0], packet)];
    },
  },
  {
    says: 'packets to a router whose virtual address another took over, of each group in many VLANs, from as many hosts',
    fills: ['strays.formers', 'strays.senders'],
    packets: 4200,
    frames: (i) => {
      const vlan = [0x81, 0, ...u16(1 + Math.floor(i / 255)), 8, 0];
      const advert = (nr: number) => {
        const vrrp = [0x21, (i % 255) + 1, 100, 1, 0, 1, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        return frame('01:00:5e:00:00:12', station(nr), vlan, ipv4(host(nr), '224.0.0.18', 112, vrrp));
      };
      return [
        advert(2 * i),
        advert(2 * i + 1),
        frame(station(2 * i), station(100_000 + i), vlan, ipv4(host(i), '192.0.2.1', 17, [0, 9, 0, 9, 0, 8, 0, 0])),
      ];
    },
  },
  {
    says: 'TCP connections that open, each of another client',
    fills: ['handshakes.table', 'handshakes.bySequence', 'handshakes.established', 'handshakes.answered'],
    packets: 4200,
    frames: (i) => [
      tcp(host(i), '10.255.0.1', 2, 0, { sequence: i }),
      back('10.255.0.1', host(i), 18),
      tcp(host(i), '10.255.0.1', 16, 0, { sequence: i + 1 }),
    ],
  },
  {
    says: 'TCP connections with data, each of another client, that are reset',
    fills: ['flows.resets.table'],
    packets: 2200,
    frames: (i) => [
      tcp(host(i), '10.255.0.1', 16, 10),
      back('10.255.0.1', host(i), 16),
      tcp(host(i), '10.255.0.1', 4, 0, { sequence: 1010 }),
    ],
  },
  {
    says: 'TCP data with a gap, each of another client',
    fills: ['flows.gaps.table'],
    packets: 2200,
    frames: (i) => [
      tcp(host(i), '10.255.0.1', 16, 10, { sequence: 1000 }),
      tcp(host(i), '10.255.0.1', 16, 10, { sequence: 1100 }),
    ],
  },
  {
    says: 'TCP data, each of another client, and more of it after a rest',
    fills: ['flows.rests.table'],
    packets: 2200 + 60_000 + 2200,
    frames: (i) => {
      if (i < 2200) return [tcp(host(i), '10.255.0.1', 16, 10, { sequence: 1000 })];
      if (i < 62_200) return [arp(1, [10, 255, 0, 2], [10, 255, 0, 1])];
      return [tcp(host(i - 62_200), '10.255.0.1', 16, 10, { sequence: 1010 })];
    },
  },
  {
    says: 'TCP data three times over with the window closed, each of another client',
    fills: ['flows.table', 'flows.retransmissions.table', 'flows.windows.table'],
    packets: 33_000,
    frames: (i) => {
      const first = tcp(host(i), '10.255.0.1', 16, 10);
      return i < 2200
        ? [
            first,
            first.with(14 + 5, 2),
            first
              .with(14 + 5, 3)
              .with(14 + 20 + 14, 0)
              .with(14 + 20 + 15, 0),
          ]
        : [first];
    },
  },
  {
    says: 'ICMP errors, each of another router',
    fills: ['icmpErrors.table'],
    packets: 2200,
    frames: (i) => [
      inIpv4(
        ipv4(host(i), '10.255.0.1', 1, [
          3,
          1,
          0,
          0,
          0,
          0,
          0,
          0,
          ...ipv4('10.255.0.1', host(i), 17, [0, 1, 0, 2, 0, 8, 0, 0]),
        ]),
      ),
    ],
  },
  {
    says: 'ICMP errors about sizes, and about tunnels, each with another destination',
    fills: ['pathMtus.table', 'tunnelErrors.table'],
    packets: 2200,
    frames: (i) => {
      const quoted = vxlanPacket(unicast(ONE, TWO), { from: '10.255.0.1', to: host(i) });
      return [inIpv4(ipv4('10.1.1.254', '10.255.0.1', 1, [3, 4, 0, 0, 0, 0, 5, 120, ...quoted]))];
    },
  },
  {
    says: 'datagrams that go round between two stations, other ones each time',
    fills: ['routingLoops.table'],
    packets: 1100,
    frames: (i) =>
      [64, 63, 62, 61, 60, 59, 58].map((ttl, turn) => {
        const packet = ipv4('10.255.0.1', host(i), 17, [0, 1, 0, 2, 0, 8, 0, 0]).with(8, ttl);
        return turn % 2 === 0 ? inIpv4(packet, station(2 * i), ONE) : inIpv4(packet, ONE, station(2 * i));
      }),
  },
  {
    says: 'fragments, each of another datagram of another host',
    fills: ['fragments.table', 'fragments.flows'],
    packets: 17_000,
    frames: (i) => [
      inIpv4(ipv4(host(i), '10.255.0.1', 17, new Array(64).fill(1), { id: i & 0xffff, fragment: 0x2000 })),
    ],
  },
  {
    says: 'priority tags inside more VLANs than there are rows',
    fills: ['tags.table'],
    packets: 4200,
    frames: (i) => {
      const [outer, inner] = [1 + (i % 4000), 1 + Math.floor(i / 4000)];
      return [
        frame(
          ALL,
          ONE,
          [0x81, 0, ...u16(outer), 0x81, 0, ...u16(inner), 8, 6],
          arp(1, [1, 1, 1, 1], [2, 2, 2, 2]).slice(14),
        ),
      ];
    },
  },
  {
    says: 'VXLAN, each packet of another endpoint and station',
    fills: ['tunnels.table', 'tunnelStations.table'],
    packets: 70_000,
    frames: (i) => [inIpv4(vxlanPacket(unicast(station(i), TWO), { from: host(i) }))],
  },
  {
    says: 'VXLAN, each packet with another VNI',
    fills: ['segments.table'],
    packets: 66_000,
    frames: (i) => [inIpv4(vxlanPacket([], { vni: i }))],
  },
];
