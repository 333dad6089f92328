import { type Frame, Status } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Cisco Discovery Protocol, as tcpdump and Wireshark read it (print-cdp.c, packet-cdp.c); a row of TLVs, whose length counts
 * their first four bytes in:
 *
 *   +---------------+---------------+-------------------------------+
 *   |  version 1, 2 | time to live  |           checksum            |
 *   +---------------+---------------+-------------------------------+
 *   |             type              |            length             |
 *   +-------------------------------+-------------------------------+
 *   |    value …                                                    |
 *   +---------------------------------------------------------------+
 */

const HEADER = 4;
const TLV_HEADER = 4;

/** TLV types. */
export const CdpTlv = { Device: 0x0001, Port: 0x0003, NativeVlan: 0x000a } as const;

/** Length in bytes of the value of the TLV at `tlv`. */
export function cdpLength(view: DataView, tlv: number): number {
  return view.getUint16(tlv + 2) - TLV_HEADER;
}

/** Offset in `view` of the value of the first TLV of a type in the message at `at` that ends at `end`, -1 if not there whole. */
export function cdpTlv(view: DataView, at: number, end: number, type: number): number {
  let next = at + HEADER;
  while (end - next >= TLV_HEADER) {
    const length = view.getUint16(next + 2);
    if (length < TLV_HEADER || next + length > end) return -1;
    if (view.getUint16(next) === type) return next + TLV_HEADER;
    next += length;
  }
  return -1;
}

/** The VLAN that the sender's port sends and takes without tag, -1 where it does not tell. */
export function cdpNativeVlan(view: DataView, at: number, end: number): number {
  const value = cdpTlv(view, at, end, CdpTlv.NativeVlan);
  return value < 0 || cdpLength(view, value - TLV_HEADER) < 2 ? -1 : view.getUint16(value);
}

export function decodeCdp(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < HEADER) return frame.short(Protocol.Cdp);
  const version = frame.view.getUint8(at);
  if (version !== 1 && version !== 2) return frame.fail(Protocol.Cdp, Status.BadVersion);
  frame.push(Protocol.Cdp, frame.limit);
  return Protocol.None;
}
