import { describe, expect, it } from 'vitest';
import type { NetworkEvents } from '../../src/network/events.js';
import { KeyTable } from '../../src/network/key-table.js';
import { Network } from '../../src/network/network.js';
import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame } from '../../src/wire/frame.js';
import { icmpv6, ip6 } from '../support/nd.js';
import { ipv4, tcpSegment, unicast, vxlanPacket } from '../support/tunnel.js';
import { ip, mac, u16 } from '../support/wire.js';

/** Events that nobody handles, but those that are given. */
const listening = (events: Partial<NetworkEvents>) =>
  new Proxy(events, { get: (given, name) => Reflect.get(given, name) ?? (() => {}) }) as NetworkEvents;
const [ONE, TWO] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
const ALL = 'ff:ff:ff:ff:ff:ff';
const GAP_NS = 1e6;

interface Flood {
  says: string;
  /** Tables that it fills, by where they are in `Network`. */
  fills: readonly string[];
  packets: number;
  /** The frames of step `i`, in order. */
  frames(i: number): readonly (readonly number[])[];
}

const u32 = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
/** An IPv4 address of 10.0.0.0/8. */
const host = (i: number) => `10.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`;
/** A MAC address. */
const station = (i: number) =>
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
const inIpv4 = (packet: readonly number[], from = ONE, to = TWO) => frame(to, from, [8, 0], packet);

function arp(sender: number, spa: readonly number[], tpa: readonly number[]): number[] {
  const packet = [0, 1, 8, 0, 6, 4, 0, 1, ...mac(station(sender)), ...spa, 0, 0, 0, 0, 0, 0, ...tpa];
  return frame(ALL, station(sender), [8, 6], packet);
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

function discover(i: number): number[] {
  const zeros = (count: number) => new Array(count).fill(0);
  const head = [1, 1, 6, 0, ...u32(i), ...zeros(20), ...mac(station(i)), ...zeros(10 + 192)];
  const message = [...head, 0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255];
  const udp = [0, 68, 0, 67, ...u16(message.length + 8), 0, 0, ...message];
  return inIpv4(ipv4('0.0.0.0', '255.255.255.255', 17, udp), station(i), ALL);
}

/** Hosts of 2001:db8::/32 announce a router, of fe80::/10. */
const advertisement = (i: number) =>
  icmpv6(ONE, '33:33:00:00:00:01', `fe80::${(i >>> 8).toString(16)}:${(i & 255).toString(16)}`, 'ff02::1', [
    ...[134, 0, 0, 0, 64, 0, 7, 8],
    ...new Array(8).fill(0),
  ]);

/** A solicitation for an address, of one that has one itself or has none yet. */
const solicitation = (i: number, source: string) =>
  icmpv6(station(i), '33:33:ff:00:00:01', source, 'ff02::1:ff00:1', [135, 0, 0, 0, 0, 0, 0, 0, ...ip6(ip6Of(i))]);

const FLOODS: readonly Flood[] = [
  {
    says: 'ARP requests, each from another station with another address, for another address',
    fills: [
      'stations.table',
      'bindings.table',
      'addresses.table',
      'claims.table',
      'resolutions.table',
      'resolutions.asked.askers',
    ],
    packets: 140_000,
    frames: (i) => [arp(i, ip(host(i)), [11, ...u32(i).slice(1)])],
  },
  {
    says: 'ARP probes, each for another address',
    fills: ['probes.table'],
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
    says: 'IPv6 addresses that are tried out',
    fills: ['dadProbes.table'],
    packets: 17_000,
    frames: (i) => [solicitation(i, '::')],
  },
  {
    says: 'neighbor solicitations, each for another address',
    fills: ['resolver.solicitors'],
    packets: 17_000,
    frames: (i) => [solicitation(i, '2001:db8:1::1')],
  },
  {
    says: 'router advertisements, each of another router',
    fills: ['routers.table'],
    packets: 1100,
    frames: (i) => [advertisement(i)],
  },
  {
    says: 'pings, each of another host',
    fills: ['pings.table', 'pings.byIdentifier', 'echoes.table', 'echoes.latest'],
    packets: 9000,
    frames: (i) => [inIpv4(ipv4(host(i), '10.255.0.1', 1, [8, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3, 4]))],
  },
  {
    says: 'DHCP, each discover of another client',
    fills: ['leases.exchanges', 'leases.clients'],
    packets: 8500,
    frames: (i) => [discover(i)],
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

/** Runs a flood through the network model; at two ports in turn where `ports` is 2. */
function flooded({ packets, frames }: Flood, ports = 1, listener = listening({})): Network {
  const network = new Network({ context: null, vantage: null, listener });
  const target = new Frame();
  target.udpPorts = udpPortTable();
  target.linkType = 1;
  const buffer = new Uint8Array(2048);
  target.useBuffer(buffer);
  let time = 0;
  for (let i = 0; i < packets; i++) {
    for (const bytes of frames(i)) {
      buffer.set(bytes);
      target.end = bytes.length;
      target.wireLength = bytes.length;
      for (let port = 0; port < ports; port++) {
        target.number++;
        target.interface = port;
        time += GAP_NS;
        target.setTime(1_700_000_000 + Math.floor(time / 1e9), time % 1e9);
        decode(target);
        network.observe(target);
      }
    }
  }
  network.endCapture(0);
  return network;
}

/** All tables of the network model, by the names of the fields that lead to them. */
function tablesOf(of: object, path: readonly string[] = [], seen = new Set<object>()): Map<string, KeyTable> {
  const found = new Map<string, KeyTable>();
  for (const [name, value] of Object.entries(of)) {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue;
    seen.add(value);
    const names = [...path, name];
    if (value instanceof KeyTable) found.set(names.join('.'), value);
    else for (const [inner, table] of tablesOf(value, names, seen)) found.set(inner, table);
  }
  return found;
}

it('knows whose ping a stranger replies to, however many there are', () => {
  const strange = new Set<number>();
  const listener = listening({ strangeReply: (row) => strange.add(row) });
  const frames = (i: number) => [
    inIpv4(ipv4(host(i), '10.255.0.1', 1, [8, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3, 4])),
    inIpv4(ipv4('10.255.0.2', host(i), 1, [0, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3, 4]), TWO, ONE),
  ];
  flooded({ says: '', fills: [], packets: 1000, frames }, 1, listener);
  expect(strange.size).toBe(1000);
});

describe('a flood of', { timeout: 300_000 }, () => {
  const filled = new Set<string>();

  it.each(FLOODS)('$says', (flood) => {
    const tables = tablesOf(flooded(flood));
    for (const name of flood.fills) {
      const table = tables.get(name);
      expect([name, table?.rowCount]).toEqual([name, table?.maxRows ?? 'no such table']);
      filled.add(name);
    }
  });

  it('stations at two ports of a bridge', () => {
    const frames = (i: number) => [inIpv4(ipv4('10.0.0.1', '10.0.0.2', 253, u32(i)), station(i))];
    const tables = tablesOf(flooded({ says: '', fills: [], packets: 20_000, frames }, 2));
    const table = tables.get('locations.table');
    expect(table?.evicted).toBeGreaterThan(1000);
    filled.add('locations.table');
  });

  it('some kind fills each table that there is', () => {
    const all = tablesOf(new Network({ context: null, vantage: null, listener: listening({}) }));
    expect([...all.keys()].filter((name) => !filled.has(name))).toEqual([]);
    expect(all.size).toBeGreaterThan(35);
  });
});
