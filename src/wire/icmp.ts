import { type Frame, MAX_LAYERS } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Internet Control Message Protocol, RFC 792; length of the quote, RFC 4884 section 4; next-hop MTU, RFC 1191:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------+---------------+-------------------------------+
 *   |      Type     |      Code     |          Checksum             |
 *   +---------------+---------------+-------------------------------+
 *   |           Identifier          |        Sequence Number        |   0, 8, 13 to 18
 *   |     unused    |    Length     |         Next-Hop MTU          |   3, 11, 12
 *   |                    Gateway Internet Address                   |   5
 *   +---------------------------------------------------------------+
 *   |     quoted Internet Header and data   (3, 4, 5, 11, 12)       |
 *   +---------------------------------------------------------------+
 */

export const IcmpType = {
  EchoReply: 0,
  DestinationUnreachable: 3,
  SourceQuench: 4,
  Redirect: 5,
  Echo: 8,
  TimeExceeded: 11,
  ParameterProblem: 12,
} as const;

/** Code of destination unreachable. */
const FRAGMENTATION_NEEDED = 4;

const TYPE = 0;
const CODE = 1;
const IDENTIFIER = 4;
const SEQUENCE = 6;
const QUOTE_LENGTH = 5;
const MTU = 6;
/** Offset of the gateway in a redirect; an IPv4 address. */
export const GATEWAY = 4;
export const ICMP_HEADER = 8;

export function icmpType(view: DataView, at: number): number {
  return view.getUint8(at + TYPE);
}

export function icmpCode(view: DataView, at: number): number {
  return view.getUint8(at + CODE);
}

/** Whether messages of this type carry identifier and sequence: echo, timestamp, information, address mask. */
export function hasIdentifier(type: number): boolean {
  return type === IcmpType.EchoReply || type === IcmpType.Echo || (type >= 13 && type <= 18);
}

export function icmpIdentifier(view: DataView, at: number): number {
  return view.getUint16(at + IDENTIFIER);
}

export function icmpSequence(view: DataView, at: number): number {
  return view.getUint16(at + SEQUENCE);
}

/** Whether a message says that a packet was too big to go on whole; only then does `icmpMtu` mean anything. */
export function isFragmentationNeeded(type: number, code: number): boolean {
  return type === IcmpType.DestinationUnreachable && code === FRAGMENTATION_NEEDED;
}

/** MTU of the next hop in bytes; 0 from routers before RFC 1191. */
export function icmpMtu(view: DataView, at: number): number {
  return view.getUint16(at + MTU);
}

/** Whether messages of this type quote the packet that they are about. */
function isIcmpError(type: number): boolean {
  switch (type) {
    case IcmpType.DestinationUnreachable:
    case IcmpType.SourceQuench:
    case IcmpType.Redirect:
    case IcmpType.TimeExceeded:
    case IcmpType.ParameterProblem:
      return true;
    default:
      return false;
  }
}

export function decodeIcmp(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < ICMP_HEADER) return frame.short(Protocol.Icmp);
  const type = view.getUint8(at + TYPE);
  frame.push(Protocol.Icmp, at + ICMP_HEADER);
  if (!isIcmpError(type)) return Protocol.Data;
  if (frame.quotedFrom === MAX_LAYERS) frame.quotedFrom = frame.layerCount;
  const words = type === IcmpType.Redirect ? 0 : view.getUint8(at + QUOTE_LENGTH);
  if (words !== 0) frame.narrow(at + ICMP_HEADER + (words << 2));
  return Protocol.Ipv4;
}
