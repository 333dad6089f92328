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
export const ETHERNET_HEADER = 14;

/** EtherType or, up to 1500, the length of an 802.3 frame. */
export function etherType(view: DataView, at: number): number {
  return view.getUint16(at + TYPE);
}

/** The protocol that an EtherType announces. */
export function protocolOfEtherType(type: number): Protocol {
  if (type === 0x0806 || type === 0x8035) return Protocol.Arp;
  return Protocol.Data;
}

export function decodeEthernet(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < ETHERNET_HEADER) return frame.short(Protocol.Ethernet);
  const type = frame.view.getUint16(at + TYPE);
  frame.push(Protocol.Ethernet, at + ETHERNET_HEADER);
  return protocolOfEtherType(type);
}
