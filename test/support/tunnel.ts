import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';
import type { Way } from './wire.js';
import { Capture, ip, mac, u16 } from './wire.js';

const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** Tunnel endpoints and the stations behind the first two. */
export const ONE = '10.1.1.1';
export const TWO = '10.1.1.2';
export const THREE = '10.1.1.3';
export const A = '52:54:00:00:00:0a';
export const B = '52:54:00:00:00:0b';

export interface Outer {
  from?: string;
  to?: string;
  port?: number;
  vni?: number;
  /** First four bytes of the VXLAN header, if not only the I flag. */
  flags?: readonly number[];
  sourcePort?: number;
  /** Flags and offset of the IPv4 header. */
  fragment?: number;
  id?: number;
  ttl?: number;
  way?: Way;
}

/** MAC of a tunnel endpoint below, made of its address. */
export function underlayMac(endpoint: string): string {
  return `02:00:0a:01:01:${ip(endpoint)[3].toString(16).padStart(2, '0')}`;
}

export function ipv4(
  source: string,
  destination: string,
  protocol: number,
  payload: readonly number[],
  { id = 1, fragment = 0 } = {},
): number[] {
  const head = [0x45, 0, ...u16(payload.length + 20), ...u16(id), ...u16(fragment), 64, protocol, 0, 0];
  return [...head, ...ip(source), ...ip(destination), ...payload];
}

/** The outer IPv4 packet around an inner frame. */
export function vxlanPacket(inner: readonly number[], outer: Outer = {}): number[] {
  const { from = ONE, to = TWO, port = 4789, vni = 5, flags = [8, 0, 0, 0], sourcePort = 40000 } = outer;
  const vxlan = [...flags, vni >> 16, (vni >> 8) & 255, vni & 255, 0, ...inner];
  const udp = [...u16(sourcePort), ...u16(port), ...u16(vxlan.length + 8), 0, 0, ...vxlan];
  const packet = ipv4(from, to, 17, udp, { id: outer.id ?? 7, fragment: outer.fragment ?? 0 });
  packet[8] = outer.ttl ?? 64;
  return packet;
}

export function tunnelled(capture: Capture, inner: readonly number[], outer: Outer = {}): Capture {
  const { from = ONE, to = TWO } = outer;
  const link = [...mac(underlayMac(to)), ...mac(underlayMac(from)), 8, 0];
  return capture.raw([...link, ...vxlanPacket(inner, outer)], outer.way);
}

/** who-has `tpa` tell `spa`, a broadcast. */
export function arpRequest(from: string, spa: string, tpa: string): number[] {
  const packet = [0, 1, 8, 0, 6, 4, 0, 1, ...mac(from), ...ip(spa), 0, 0, 0, 0, 0, 0, ...ip(tpa)];
  return [...mac(BROADCAST), ...mac(from), 8, 6, ...packet];
}

export function arpReply(from: string, spa: string, to: string, tpa: string): number[] {
  const packet = [0, 1, 8, 0, 6, 4, 0, 2, ...mac(from), ...ip(spa), ...mac(to), ...ip(tpa)];
  return [...mac(to), ...mac(from), 8, 6, ...packet];
}

/** An inner IPv4 packet from station to station. */
export function unicast(from: string, to: string, source = '192.168.5.1', destination = '192.168.5.2'): number[] {
  return [...mac(to), ...mac(from), 8, 0, ...ipv4(source, destination, 253, [1, 2, 3, 4])];
}

/** Asks inside, three times, a kernel's second apart, from `at` on; by default A behind ONE asks TWO. */
export function askInside(
  capture: Capture,
  outer: Outer = {},
  { at = 1, times = 3, vlan = 0, asker = A } = {},
): Capture {
  const question = arpRequest(asker, '192.168.5.1', '192.168.5.2');
  const tag = vlan === 0 ? [] : [0x81, 0, ...u16(vlan)];
  for (let i = 0; i < times; i++)
    tunnelled(capture.at(at + i * 1.02), [...question.slice(0, 12), ...tag, ...question.slice(12)], outer);
  return capture;
}

/** An ICMP error of type 3 (or `type`) that quotes a VXLAN packet; from its destination unless `reporter` is given. */
export function refuse(
  capture: Capture,
  quoted: Outer,
  { type = 3, code = 3, reporter = quoted.to ?? TWO, mtu = 0, way = {} as Way } = {},
): Capture {
  const packet = vxlanPacket(arpRequest(A, '192.168.5.1', '192.168.5.2'), quoted);
  const icmp = [type, code, 0, 0, 0, 0, ...u16(mtu), ...packet];
  const to = quoted.from ?? ONE;
  return capture.raw(
    [...mac(underlayMac(to)), ...mac(underlayMac(reporter)), 8, 0, ...ipv4(reporter, to, 1, icmp)],
    way,
  );
}

interface Endpoint {
  name: string;
  address: string;
  vni?: number;
  port?: number;
  remote?: string;
  group?: string;
  received?: number;
  /** Rows of `bridge fdb` on the VXLAN device: MAC and endpoint. */
  fdb?: readonly (readonly [string, string])[];
  mtu?: number;
  vxlanMac?: string;
  isBridged?: boolean;
  /** What `nft -j list ruleset` says there. */
  nft?: readonly object[];
  /** `ip -j neigh` of it. */
  neigh?: readonly unknown[];
}

/** A host context of machines that have an underlay device eth0 and a VXLAN device vx0. */
export function endpoints(machines: readonly Endpoint[]): HostContext {
  return parseContext({
    namespaces: Object.fromEntries(
      machines.map(({ name, address, vni = 5, port = 4789, remote, group, received = 1, fdb, ...more }) => {
        const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'], mtu: more.mtu ?? 1500 };
        const data = {
          id: vni,
          port,
          remote,
          group,
          link: 'eth0',
          ...(more.isBridged === false ? { local: address } : {}),
        };
        const { vxlanMac = '02:00:00:00:00:99', isBridged = true } = more;
        const stats = { packets: received, bytes: received * 100 };
        return [
          name,
          {
            'ip -d -j link': [
              { ...up, ifindex: 2, ifname: 'eth0', address: underlayMac(address) },
              {
                ...up,
                ifindex: 3,
                ifname: 'vx0',
                address: vxlanMac,
                linkinfo: { info_kind: 'vxlan', info_data: data },
                ...(isBridged ? { master: 'br0' } : {}),
              },
            ],
            'ip -j addr': [
              { ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local: address, prefixlen: 24 }] },
            ],
            'ip -s -j link': [{ ifname: 'vx0', stats64: { rx: stats, tx: stats } }],
            ...(more.nft ? { 'nft -j list ruleset': { nftables: more.nft } } : {}),
            ...(more.neigh ? { 'ip -j neigh': more.neigh } : {}),
            'bridge -j fdb': fdb?.map(([entry, dst]) => ({ mac: entry, ifname: 'vx0', dst, flags: ['self'] })) ?? null,
          },
        ];
      }),
    ),
  });
}

/** A TCP header with options, its checksum right, wrong, or left to the device. */
export function tcpSegment(
  source: string,
  destination: string,
  {
    flags = 2,
    mss = 0,
    sequence = 1000,
    sourcePort = 40000,
    checksum = 'right',
  }: {
    flags?: number;
    mss?: number;
    sequence?: number;
    sourcePort?: number;
    checksum?: 'right' | 'wrong' | 'unfinished';
  } = {},
): number[] {
  const options = mss === 0 ? [] : [2, 4, ...u16(mss)];
  const segment = [
    ...u16(sourcePort),
    ...[0, 80],
    ...u16(sequence >>> 16),
    ...u16(sequence & 0xffff),
    ...[0, 0, 0, 0],
    ...[(5 + options.length / 4) << 4, flags, 0xff, 0xff, 0, 0, 0, 0],
    ...options,
  ];
  const pseudo = [...ip(source), ...ip(destination), 0, 6, ...u16(segment.length)];
  const sum = checksum === 'unfinished' ? onesSum(pseudo) : ~onesSum([...pseudo, ...segment]) & 0xffff;
  const [high, low] = u16(checksum === 'wrong' ? sum ^ 0x5a5a : sum);
  return [...segment.slice(0, 16), high, low, ...segment.slice(18)];
}

/** Sum of 16-bit words in ones' complement (RFC 1071). */
export function onesSum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** B speaks behind TWO and THREE by turns, and is back behind TWO `times` times; then frames for it go to THREE. */
export function heardByTurns(times: number, station = B): Capture {
  const capture = new Capture();
  const own = arpRequest(station, '192.168.5.2', '192.168.5.9');
  tunnelled(capture, own, { from: TWO, to: ONE });
  for (let i = 0; i < times; i++) tunnelled(capture.at(1 + i), own, { from: i % 2 === 0 ? THREE : TWO, to: ONE });
  const other = times % 2 === 0 ? THREE : TWO;
  for (let i = 0; i < 4; i++) tunnelled(capture.at(10 + i), unicast(A, station), { to: other });
  return capture;
}
