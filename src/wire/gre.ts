import { protocolOfEtherType } from './ethernet.js';
import { type Frame, MAX_TUNNELS, Status } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Generic Routing Encapsulation, RFC 2784 section 2 with key and sequence of RFC 2890; routing of RFC 1701;
 * version 1 with acknowledgment of RFC 2637 section 4.1 (PPTP):
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-----+-+-------+-----+-------------------------------+
 *   |C|R|K|S|s|Recur|A| Flags | Ver |         Protocol Type         |
 *   +-+-+-+-+-+-----+-+-------+-----+-------------------------------+
 *   |      Checksum (with C or R)   |       Reserved1 / Offset      |
 *   +-------------------------------+-------------------------------+
 *   |                         Key (with K)                          |
 *   +---------------------------------------------------------------+
 *   |                    Sequence Number (with S)                   |
 *   +---------------------------------------------------------------+
 *   |             Acknowledgment Number (with A, version 1)         |
 *   +---------------------------------------------------------------+
 */

const FLAGS_VERSION = 0;
const PROTOCOL_TYPE = 2;
/** Length in bytes without optional fields. */
const GRE_HEADER = 4;

const CHECKSUM_FLAG = 0x8000;
const ROUTING_FLAG = 0x4000;
const KEY_FLAG = 0x2000;
const SEQUENCE_FLAG = 0x1000;
const ACKNOWLEDGMENT_FLAG = 0x0080;
const MAX_VERSION = 1;
/** ERSPAN types I and II (without and with sequence number), and III. */
const ERSPAN_2 = 0x88be;
const ERSPAN_3 = 0x22eb;

/** EtherType of the payload; 0x6558 for Ethernet, 0x880b for PPP, 0x88be and 0x22eb for ERSPAN. */
export function greProtocolType(view: DataView, at: number): number {
  return view.getUint16(at + PROTOCOL_TYPE);
}

/** Flags in the upper 13 bits, version in the lower three. */
function greFlags(view: DataView, at: number): number {
  return view.getUint16(at + FLAGS_VERSION);
}

export function greHasKey(view: DataView, at: number): boolean {
  return (greFlags(view, at) & KEY_FLAG) !== 0;
}

/** Key of a header that has one. */
export function greKey(view: DataView, at: number): number {
  const withChecksum = (greFlags(view, at) & (CHECKSUM_FLAG | ROUTING_FLAG)) !== 0;
  return view.getUint32(at + GRE_HEADER + (withChecksum ? 4 : 0));
}

/** Length of the header in bytes as its flags make it, without source routes. */
function headerLength(flags: number): number {
  let length = GRE_HEADER;
  if ((flags & (CHECKSUM_FLAG | ROUTING_FLAG)) !== 0) length += 4;
  if ((flags & KEY_FLAG) !== 0) length += 4;
  if ((flags & SEQUENCE_FLAG) !== 0) length += 4;
  if ((flags & 7) === 1 && (flags & ACKNOWLEDGMENT_FLAG) !== 0) length += 4;
  return length;
}

export function decodeGre(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < GRE_HEADER) return frame.short(Protocol.Gre);
  const flags = view.getUint16(at + FLAGS_VERSION);
  if ((flags & 7) > MAX_VERSION) return frame.fail(Protocol.Gre, Status.BadVersion);
  const length = headerLength(flags);
  if (frame.limit - at < length) return frame.short(Protocol.Gre);
  if (++frame.tunnels > MAX_TUNNELS) return frame.fail(Protocol.Gre, Status.TooDeep);
  frame.push(Protocol.Gre, at + length);
  // Source routes (RFC 1701) stand before the payload; nobody sends them any more.
  if ((flags & ROUTING_FLAG) !== 0) return Protocol.Data;
  const type = greProtocolType(view, at);
  if (type === ERSPAN_2) return (flags & SEQUENCE_FLAG) !== 0 ? Protocol.Erspan : Protocol.Ethernet;
  return type === ERSPAN_3 ? Protocol.Erspan : protocolOfEtherType(type);
}
