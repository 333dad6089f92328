import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Link Layer Discovery Protocol, IEEE 802.1AB-2016 clause 8: a row of TLVs.
 *
 *   +-------------+-----------------+-------------------------------+
 *   |   type (7)  |    length (9)   |   value …                     |
 *   +-------------+-----------------+-------------------------------+
 */

/** TLV types. Chassis and port begin with a byte that says what their text is. */
export const LldpTlv = {
  End: 0,
  Chassis: 1,
  Port: 2,
  TimeToLive: 3,
  PortDescription: 4,
  SystemName: 5,
  Organization: 127,
} as const;

/** Organization 00-80-C2 (IEEE 802.1) and subtype 1, Port VLAN ID, at the beginning of an organization's TLV (IEEE 802.1Q clause D.2.1). */
const PORT_VLAN = 0x0080c201;
const PORT_VLAN_LENGTH = 6;

/** Length in bytes of the value of the TLV at `tlv`. */
export function lldpLength(view: DataView, tlv: number): number {
  return view.getUint16(tlv) & 0x1ff;
}

/** Offset in `view` of the first TLV of a type in the message at `at` that ends at `end`, -1 if not there whole. */
export function lldpTlv(view: DataView, at: number, end: number, type: number): number {
  let next = at;
  while (end - next >= 2) {
    const behind = next + 2 + lldpLength(view, next);
    const here = view.getUint8(next) >> 1;
    if (behind > end || here === LldpTlv.End) return -1;
    if (here === type) return next;
    next = behind;
  }
  return -1;
}

/** The VLAN of the sender's port for untagged frames, in the message at `at` that ends at `end`; 0 where it has none, -1 where it does not tell. */
export function lldpPortVlan(view: DataView, at: number, end: number): number {
  let next = at;
  for (;;) {
    const tlv = lldpTlv(view, next, end, LldpTlv.Organization);
    if (tlv < 0) return -1;
    const length = lldpLength(view, tlv);
    if (length >= PORT_VLAN_LENGTH && view.getInt32(tlv + 2) === PORT_VLAN) return view.getUint16(tlv + 6);
    next = tlv + 2 + length;
  }
}

export function decodeLldp(frame: Frame): Protocol {
  if (frame.limit - frame.cursor < 2) return frame.short(Protocol.Lldp);
  frame.push(Protocol.Lldp, frame.limit);
  return Protocol.None;
}
