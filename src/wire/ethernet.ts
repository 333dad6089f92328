import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Ethernet II and IEEE 802.3, IEEE 802.3 clause 3:
 *
 *   +-------------------+-------------------+---------------+
 *   |  destination (6)  |     source (6)    | type/length(2)|
 *   +-------------------+-------------------+---------------+
 */

export const DESTINATION = 0;
export const SOURCE = 6;
const TYPE = 12;
const ETHERNET_HEADER = 14;

/** Greatest value of the type field that is the length of an 802.3 frame. */
const MAX_LENGTH = 1500;

/** EtherType or, up to 1500, the length of an 802.3 frame. */
export function etherType(view: DataView, at: number): number {
  return view.getUint16(at + TYPE);
}

/** Whether a type field is the length of an 802.3 frame (IEEE 802.3 clause 3.2.6). */
export function isLength(type: number): boolean {
  return type <= MAX_LENGTH;
}

/** The protocol that an EtherType announces (IEEE registration authority). */
export function protocolOfEtherType(type: number): Protocol {
  switch (type) {
    case 0x0800:
      return Protocol.Ipv4;
    case 0x86dd:
      return Protocol.Ipv6;
    case 0x0806:
    case 0x8035:
      return Protocol.Arp;
    case 0x8100:
    case 0x88a8:
    case 0x9100:
    case 0x9200:
    case 0x9300:
      return Protocol.Vlan;
    case 0x6558:
      return Protocol.Ethernet;
    case 0x8847:
    case 0x8848:
      return Protocol.Mpls;
    case 0x8863:
    case 0x8864:
      return Protocol.Pppoe;
    case 0x8809:
      return Protocol.Lacp;
    case 0x88cc:
      return Protocol.Lldp;
    default:
      return Protocol.Data;
  }
}

/**
 * What follows a type field in Ethernet or a tag, with `frame.cursor` behind it. An 802.3 length narrows
 * the limit; the 0xffff that Novell's raw 802.3 begins with is an IPX checksum, not an LLC header.
 */
export function protocolAfterType(frame: Frame, type: number): Protocol {
  if (!isLength(type)) return protocolOfEtherType(type);
  const at = frame.cursor;
  frame.narrow(at + type);
  return frame.limit - at >= 2 && frame.view.getUint16(at) === 0xffff ? Protocol.Data : Protocol.Llc;
}

export function decodeEthernet(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < ETHERNET_HEADER) return frame.short(Protocol.Ethernet);
  frame.push(Protocol.Ethernet, at + ETHERNET_HEADER);
  return protocolAfterType(frame, frame.view.getUint16(at + TYPE));
}
