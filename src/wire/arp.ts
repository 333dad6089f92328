import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Address Resolution Protocol for IPv4 over Ethernet, RFC 826:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------------------------------+-------------------------------+
 *   |             ar$hrd            |             ar$pro            |
 *   +---------------+---------------+-------------------------------+
 *   |     ar$hln    |     ar$pln    |             ar$op             |
 *   +---------------+---------------+-------------------------------+
 *   |                           ar$sha (6)          ...             |
 *   |             ...               |           ar$spa (4)          |
 *   |             ...               |           ar$tha (6)          |
 *   |                              ...                              |
 *   |                           ar$tpa (4)                          |
 *   +---------------------------------------------------------------+
 */

/** ar$op values: RFC 826, RFC 903 (RARP). */
export const ArpOperation = { Request: 1, Reply: 2, RarpRequest: 3, RarpReply: 4 } as const;

const HRD = 0;
const PRO = 2;
const HLN = 4;
const PLN = 5;
const OP = 6;
/** Offsets of the addresses in an Ethernet/IPv4 packet, from the beginning of the ARP header. */
export const SHA = 8;
export const SPA = 14;
export const THA = 18;
export const TPA = 24;

/** ar$op of the ARP header at `at`. */
export function arpOperation(view: DataView, at: number): number {
  return view.getUint16(at + OP);
}

/** Length of each hardware address in bytes: 6 for Ethernet. */
export function arpHardwareLength(view: DataView, at: number): number {
  return view.getUint8(at + HLN);
}

/** Whether the header at `at` resolves IPv4 addresses, over hardware addresses of any length. */
export function resolvesIpv4(view: DataView, at: number): boolean {
  return view.getUint16(at + PRO) === 0x0800 && view.getUint8(at + PLN) === 4;
}

/** Whether the header at `at` resolves IPv4 over a 6-byte hardware address, the only form with `SHA` … `TPA`. */
export function isEthernetIpv4(view: DataView, at: number): boolean {
  return view.getUint16(at + PRO) === 0x0800 && view.getUint16(at + HLN) === 0x0604 && view.getUint16(at + HRD) !== 0;
}

/** ARP and RARP (one format): the whole packet is the header. */
export function decodeArp(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < 8) return frame.short(Protocol.Arp);
  const hln = frame.view.getUint8(at + HLN);
  const pln = frame.view.getUint8(at + PLN);
  const end = at + 8 + 2 * (hln + pln);
  if (end > frame.limit) return frame.short(Protocol.Arp);
  frame.push(Protocol.Arp, end);
  return Protocol.None;
}
