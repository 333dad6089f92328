import { protocolAfterType } from './ethernet.js';
import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * VLAN tag, IEEE 802.1Q-2018 clause 9. The layer begins behind the tag protocol identifier, which is the
 * type field of the header before it:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-----+-+-----------------------+-------------------------------+
 *   | PCP |D|          VID          |          type/length          |
 *   +-----+-+-----------------------+-------------------------------+
 *   '------------- TCI -------------'
 */

const TCI = 0;
const TYPE = 2;
const VLAN_HEADER = 4;

/** VLAN id, 0 in a priority tag. */
export function vlanId(view: DataView, at: number): number {
  return view.getUint16(at + TCI) & 0x0fff;
}

/** Priority code point, 0 to 7. */
export function vlanPriority(view: DataView, at: number): number {
  return view.getUint8(at + TCI) >> 5;
}

/** Drop eligible indicator, 0 or 1; the canonical format indicator of older tags. */
export function vlanDei(view: DataView, at: number): number {
  return (view.getUint8(at + TCI) >> 4) & 1;
}

/** EtherType or 802.3 length behind the tag. */
export function vlanType(view: DataView, at: number): number {
  return view.getUint16(at + TYPE);
}

/** Tag protocol identifier of the VLAN layer `layer`, which is not the first: 0x8100, 0x88a8, 0x9100, … */
export function vlanTpid(frame: Frame, layer: number): number {
  // LINUX_SLL2 has its type field in front; everywhere else a tag follows its identifier directly.
  const before = layer - 1;
  const at = frame.kinds[before] === Protocol.Sll2 ? frame.offsets[before] : frame.offsets[layer] - 2;
  return frame.view.getUint16(at);
}

export function decodeVlan(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < VLAN_HEADER) return frame.short(Protocol.Vlan);
  frame.push(Protocol.Vlan, at + VLAN_HEADER);
  return protocolAfterType(frame, frame.view.getUint16(at + TYPE));
}
