import { type Frame, Status } from './frame.js';
import { protocolOfNextHeader } from './ip-protocols.js';
import { Protocol } from './protocol.js';

/*
 * Internet Protocol version 6, RFC 8200 section 3:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------+---------------+---------------------------------------+
 *   |Version| Traffic Class |           Flow Label                  |
 *   +-------+---------------+-------+---------------+---------------+
 *   |         Payload Length        |  Next Header  |   Hop Limit   |
 *   +-------------------------------+---------------+---------------+
 *   |                    Source Address (16)                        |
 *   +---------------------------------------------------------------+
 *   |                 Destination Address (16)                      |
 *   +---------------------------------------------------------------+
 */

const VERSION = 0;
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const HOP_LIMIT = 7;
/** Offsets of the addresses, 16 bytes each. */
export const SOURCE = 8;
export const DESTINATION = 24;
const IPV6_HEADER = 40;

/** Length behind this header in bytes, extension headers included; 0 in jumbograms and with BIG TCP. */
export function ipv6PayloadLength(view: DataView, at: number): number {
  return view.getUint16(at + PAYLOAD_LENGTH);
}

/** Number of the header that follows directly, an extension header's perhaps. */
export function ipv6NextHeader(view: DataView, at: number): number {
  return view.getUint8(at + NEXT_HEADER);
}

export function ipv6HopLimit(view: DataView, at: number): number {
  return view.getUint8(at + HOP_LIMIT);
}

export function decodeIpv6(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < IPV6_HEADER) return frame.short(Protocol.Ipv6);
  if (view.getUint8(at + VERSION) >> 4 !== 6) return frame.fail(Protocol.Ipv6, Status.BadVersion);
  const payloadLength = view.getUint16(at + PAYLOAD_LENGTH);
  // 0 leaves the length to a jumbo option (RFC 2675) or to the device: what was captured counts.
  if (payloadLength !== 0) frame.narrow(at + IPV6_HEADER + payloadLength);
  frame.push(Protocol.Ipv6, at + IPV6_HEADER);
  return protocolOfNextHeader(view.getUint8(at + NEXT_HEADER));
}
