import { isLength } from '../wire/ethernet.js';
import type { Frame } from '../wire/frame.js';
import { protocolOfNextHeader } from '../wire/ip-protocols.js';
import { linkTypeName } from '../wire/link-types.js';
import { isSnap, llcDsap, snapProtocol } from '../wire/llc.js';
import { Protocol } from '../wire/protocol.js';

/* What a number is that announced bytes nobody decodes; with the number it makes the key of a count. */
const LINK_TYPE = 0;
const ETHER_TYPE = 1;
const IP_PROTOCOL = 2;
const LLC_SAP = 3;

/** Names of IEEE 802 numbers (https://www.iana.org/assignments/ieee-802-numbers) that virtual networks meet. */
const ETHER_TYPES: Readonly<Record<number, string>> = {
  2114: 'Wake-on-LAN',
  8944: 'AVTP',
  17157: 'B.A.T.M.A.N.',
  24579: 'DECnet',
  32923: 'AppleTalk',
  33011: 'AARP',
  33079: 'IPX',
  34824: 'Ethernet flow control',
  34825: 'Slow protocols',
  34958: 'EAPOL',
  34962: 'PROFINET',
  34978: 'AoE',
  34980: 'EtherCAT',
  35000: 'GOOSE',
  35018: 'TIPC',
  35033: 'LLTD',
  35045: 'MACsec',
  35047: 'PBB',
  35063: 'PTP',
  35074: 'CFM',
  35078: 'FCoE',
  35092: 'FIP',
  35093: 'RoCE',
  35130: 'IEEE 1905.1',
  35151: 'NSH',
  36864: 'CTP loopback',
};

/** IPv6 next header that says that nothing follows, RFC 8200 section 4.7. */
const NO_NEXT_HEADER = 59;

/** Names of IP protocol numbers (https://www.iana.org/assignments/protocol-numbers) without a decoder. */
const IP_PROTOCOLS: Readonly<Record<number, string>> = {
  33: 'DCCP',
  46: 'RSVP',
  50: 'ESP',
  88: 'EIGRP',
  89: 'OSPF',
  97: 'EtherIP',
  103: 'PIM',
  108: 'IPComp',
  115: 'L2TP',
  132: 'SCTP',
  136: 'UDP-Lite',
};

/** Names of LLC service access points (IEEE 802.2) that are met without SNAP. */
const LLC_SAPS: Readonly<Record<number, string>> = { 66: 'STP', 224: 'IPX', 240: 'NetBEUI', 254: 'OSI' };

/** A bit for each protocol with a field that says what follows; `None` stands for the link type. */
const ANNOUNCERS = [
  Protocol.None,
  Protocol.Ethernet,
  Protocol.Vlan,
  Protocol.Sll,
  Protocol.Sll2,
  Protocol.Gre,
  Protocol.Geneve,
  Protocol.Llc,
  Protocol.Ipv4,
  Protocol.Ipv6,
  Protocol.Ipv6Extension,
].reduce<number>((bits, protocol) => bits | (1 << protocol), 0);

/**
 * Whether something in front of a frame's last layer, `Data`, said what these data are. Mostly nothing did:
 * they are the payload of TCP or UDP.
 */
export function announces({ kinds, layerCount }: Frame): boolean {
  const outer = layerCount < 2 ? Protocol.None : kinds[layerCount - 2];
  return ((ANNOUNCERS >>> outer) & 1) !== 0;
}

/**
 * Key of the protocol that the last layer of a frame, `Data`, was announced as; -1 where that is one that is
 * understood. For frames of which `announces` is true.
 */
export function undecodedKey(frame: Frame): number {
  const outer = frame.layerCount - 2;
  if (outer < 0) return (LINK_TYPE << 16) | frame.linkType;
  const offset = frame.offsets[outer];
  switch (frame.kinds[outer]) {
    case Protocol.Ethernet:
    case Protocol.Vlan:
    case Protocol.Sll:
      return (ETHER_TYPE << 16) | frame.view.getUint16(frame.ends[outer] - 2);
    case Protocol.Sll2:
      return (ETHER_TYPE << 16) | frame.view.getUint16(offset);
    case Protocol.Gre:
    case Protocol.Geneve:
      return (ETHER_TYPE << 16) | frame.view.getUint16(offset + 2);
    case Protocol.Llc:
      return isSnap(frame.view, offset)
        ? (ETHER_TYPE << 16) | snapProtocol(frame.view, offset)
        : (LLC_SAP << 16) | llcDsap(frame.view, offset);
    case Protocol.Ipv4:
      return ipKey(frame.view.getUint8(offset + 9));
    case Protocol.Ipv6:
      return ipKey(frame.view.getUint8(offset + 6));
    case Protocol.Ipv6Extension:
      return ipKey(frame.view.getUint8(offset));
    default:
      return -1;
  }
}

/** Bytes behind the number of a protocol that has a decoder are a fragment of it, not something unknown. */
function ipKey(protocol: number): number {
  const understood = protocol === NO_NEXT_HEADER || protocolOfNextHeader(protocol) !== Protocol.Data;
  return understood ? -1 : (IP_PROTOCOL << 16) | protocol;
}

/** Name of what a key of `undecodedKey` stands for. */
export function undecodedName(key: number): string {
  const number = key & 0xffff;
  switch (key >>> 16) {
    case ETHER_TYPE:
      if (isLength(number)) return '802.3 without LLC';
      return ETHER_TYPES[number] ?? `EtherType 0x${number.toString(16).padStart(4, '0')}`;
    case IP_PROTOCOL:
      return IP_PROTOCOLS[number] ?? `IP protocol ${number}`;
    case LLC_SAP:
      return LLC_SAPS[number] ?? `LLC SAP 0x${number.toString(16).padStart(2, '0')}`;
    default:
      return `link type ${linkTypeName(number)}`;
  }
}
