import { decodeArp } from './arp.js';
import { decodeData } from './data.js';
import { decodeEthernet } from './ethernet.js';
import type { Frame } from './frame.js';
import { decodeIcmpv6 } from './icmpv6.js';
import { decodeIpv4 } from './ipv4.js';
import { decodeIpv6 } from './ipv6.js';
import { decodeIpv6Extension } from './ipv6-extension.js';
import { PROTOCOL_COUNT, Protocol } from './protocol.js';
import { decodeSll, decodeSll2 } from './sll.js';
import { decodeUdp } from './udp.js';
import { decodeVlan } from './vlan.js';
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
  table[Protocol.Vlan] = decodeVlan;
  table[Protocol.Arp] = decodeArp;
  table[Protocol.Ipv4] = decodeIpv4;
  table[Protocol.Ipv6] = decodeIpv6;
  table[Protocol.Icmpv6] = decodeIcmpv6;
  table[Protocol.Udp] = decodeUdp;
  table[Protocol.Vxlan] = decodeVxlan;
  table[Protocol.Ipv6Extension] = decodeIpv6Extension;
  table[Protocol.Data] = decodeData;
  return table;
})();

/** The protocol that frames of a link type begin with; `Data` for link types nobody decodes. */
export function decoderOfLinkType(linkType: number): Protocol {
  switch (linkType) {
    case 1:
      return Protocol.Ethernet;
    case 113:
      return Protocol.Sll;
    case 276:
      return Protocol.Sll2;
    default:
      return Protocol.Data;
  }
}
