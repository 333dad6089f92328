import { decodeArp } from './arp.js';
import { decodeData } from './data.js';
import { decodeDhcp } from './dhcp.js';
import { decodeDhcpv6 } from './dhcpv6.js';
import { decodeEthernet } from './ethernet.js';
import type { Frame } from './frame.js';
import { decodeGeneve } from './geneve.js';
import { decodeGre } from './gre.js';
import { decodeIcmp } from './icmp.js';
import { decodeIcmpv6 } from './icmpv6.js';
import { decodeIgmp } from './igmp.js';
import { decodeIpv4 } from './ipv4.js';
import { decodeIpv6 } from './ipv6.js';
import { decodeIpv6Extension } from './ipv6-extension.js';
import { decodeLacp } from './lacp.js';
import { decodeLlc } from './llc.js';
import { decodeLldp } from './lldp.js';
import { decodeMpls } from './mpls.js';
import { decodeLoop, decodeNull } from './null.js';
import { decodePppoe } from './pppoe.js';
import { PROTOCOL_COUNT, Protocol } from './protocol.js';
import { decodeRawIp } from './raw-ip.js';
import { decodeSll, decodeSll2 } from './sll.js';
import { decodeStp } from './stp.js';
import { decodeTcp } from './tcp.js';
import { decodeUdp } from './udp.js';
import { decodeVlan } from './vlan.js';
import { decodeVrrp } from './vrrp.js';
import { decodeVxlan } from './vxlan.js';

/** Reads the header at `frame.cursor`, records it, narrows the limit, and returns what follows. */
export type Decoder = (frame: Frame) => Protocol;

const nothing: Decoder = () => Protocol.None;

/** Decoder of each protocol, indexed by its number. One line a protocol. */
export const DECODERS: readonly Decoder[] = (() => {
  const table: Decoder[] = new Array(PROTOCOL_COUNT).fill(nothing);
  table[Protocol.Ethernet] = decodeEthernet;
  table[Protocol.Sll] = decodeSll;
  table[Protocol.Sll2] = decodeSll2;
  table[Protocol.Null] = decodeNull;
  table[Protocol.Loop] = decodeLoop;
  table[Protocol.RawIp] = decodeRawIp;
  table[Protocol.Vlan] = decodeVlan;
  table[Protocol.Llc] = decodeLlc;
  table[Protocol.Arp] = decodeArp;
  table[Protocol.Ipv4] = decodeIpv4;
  table[Protocol.Ipv6] = decodeIpv6;
  table[Protocol.Icmp] = decodeIcmp;
  table[Protocol.Icmpv6] = decodeIcmpv6;
  table[Protocol.Udp] = decodeUdp;
  table[Protocol.Tcp] = decodeTcp;
  table[Protocol.Vxlan] = decodeVxlan;
  table[Protocol.Geneve] = decodeGeneve;
  table[Protocol.Gre] = decodeGre;
  table[Protocol.Dhcp] = decodeDhcp;
  table[Protocol.Stp] = decodeStp;
  table[Protocol.Lacp] = decodeLacp;
  table[Protocol.Lldp] = decodeLldp;
  table[Protocol.Igmp] = decodeIgmp;
  table[Protocol.Vrrp] = decodeVrrp;
  table[Protocol.Mpls] = decodeMpls;
  table[Protocol.Pppoe] = decodePppoe;
  table[Protocol.Ipv6Extension] = decodeIpv6Extension;
  table[Protocol.Dhcpv6] = decodeDhcpv6;
  table[Protocol.Data] = decodeData;
  return table;
})();
