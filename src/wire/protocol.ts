/**
 * The numbers by which this program knows protocols: the value in `Frame.kinds`, the index into
 * the decoder table of `protocols.ts`, and what a decoder returns as "what follows".
 * They fit in a byte, count up without gaps, and have no meaning outside the process.
 */
export const Protocol = {
  /** Nothing follows that anybody decodes, or the header says that nothing follows. */
  None: 0,
  Ethernet: 1,
  Sll: 2,
  Sll2: 3,
  Null: 4,
  Loop: 5,
  RawIp: 6,
  Vlan: 7,
  Llc: 8,
  Arp: 9,
  Ipv4: 10,
  Ipv6: 11,
  Icmp: 12,
  Icmpv6: 13,
  Udp: 14,
  Tcp: 15,
  Vxlan: 16,
  Geneve: 17,
  Gre: 18,
  Dhcp: 19,
  Stp: 20,
  Lacp: 21,
  Lldp: 22,
  Igmp: 23,
  Vrrp: 24,
  Mpls: 25,
  Pppoe: 26,
  Ipv6Extension: 27,
  Dhcpv6: 28,
  Erspan: 29,
  Cdp: 30,
  /** Bytes that nobody decodes; the layer spans all of them. */
  Data: 31,
} as const;

export type Protocol = (typeof Protocol)[keyof typeof Protocol];

/** One more than the greatest protocol number: the length of tables indexed by protocol. */
export const PROTOCOL_COUNT = 32;

const NAMES: readonly string[] = Object.keys(Protocol).map((name) =>
  name === 'Ipv6Extension' ? 'ipv6-extension' : name.toLowerCase(),
);

/** Name of a protocol (`Frame.kinds`) as `netdiag frames` prints it: `ethernet`, `ipv6-extension`. */
export function protocolName(protocol: number): string {
  return NAMES[protocol];
}
