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
export const LldpTlv = { End: 0, Chassis: 1, Port: 2, TimeToLive: 3, PortDescription: 4, SystemName: 5 } as const;

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

export function decodeLldp(frame: Frame): Protocol {
  if (frame.limit - frame.cursor < 2) return frame.short(Protocol.Lldp);
  frame.push(Protocol.Lldp, frame.limit);
  return Protocol.None;
}
