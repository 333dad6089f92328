import { type Frame, MAX_LAYERS } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * ICMPv6, RFC 4443 section 2.1; length of the quote, RFC 4884 section 4; neighbor discovery, RFC 4861 section 4:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------+---------------+-------------------------------+
 *   |      Type     |      Code     |            Checksum           |
 *   +---------------+---------------+-------------------------------+
 *   |    by type: length (1, 3), 1 · MTU (2) · identifier, sequence (128, 129) · ...   |
 *   |    R, S, O flags in the first byte (136)                      |
 *   +---------------------------------------------------------------+
 *   |    Target Address (135, 136, 137), 16                         |
 *   +---------------------------------------------------------------+
 *   |    Destination Address (137), 16                              |
 *   +---------------+---------------+-------------------------------+
 *   |  Option type  |  Length (8 B) |   link-layer address ...      |
 *   +---------------+---------------+-------------------------------+
 */

export const Icmpv6Type = {
  DestinationUnreachable: 1,
  PacketTooBig: 2,
  TimeExceeded: 3,
  ParameterProblem: 4,
  EchoRequest: 128,
  EchoReply: 129,
  ListenerQuery: 130,
  ListenerReport: 131,
  ListenerDone: 132,
  RouterSolicitation: 133,
  RouterAdvertisement: 134,
  NeighborSolicitation: 135,
  NeighborAdvertisement: 136,
  Redirect: 137,
  ListenerReportV2: 143,
} as const;

/** Option types of neighbor discovery, RFC 4861 section 4.6. */
export const NdpOption = { SourceLinkLayer: 1, TargetLinkLayer: 2, Prefix: 3, Mtu: 5, Nonce: 14 } as const;

const TYPE = 0;
const CODE = 1;
const BODY = 4;
/** Offset of the target in neighbor solicitation, advertisement and redirect, of the group in MLDv1. */
export const TARGET = 8;
/** Offset of the destination in a redirect. */
export const REDIRECT_DESTINATION = 24;
/** Offset of the value in an option. */
export const OPTION_VALUE = 2;
const MIN_LENGTH = 8;

export function icmpv6Type(view: DataView, at: number): number {
  return view.getUint8(at + TYPE);
}

export function icmpv6Code(view: DataView, at: number): number {
  return view.getUint8(at + CODE);
}

/** Identifier of an echo (128, 129). */
export function icmpv6Identifier(view: DataView, at: number): number {
  return view.getUint16(at + BODY);
}

/** Sequence number of an echo (128, 129). */
export function icmpv6Sequence(view: DataView, at: number): number {
  return view.getUint16(at + BODY + 2);
}

/** MTU of the next hop in bytes (2, packet too big). */
export function icmpv6Mtu(view: DataView, at: number): number {
  return view.getUint32(at + BODY);
}

/** Flags of a neighbor advertisement (136): router 0x80, solicited 0x40, override 0x20. */
export function icmpv6Flags(view: DataView, at: number): number {
  return view.getUint8(at + BODY);
}

/** Router lifetime of a router advertisement (134) in seconds; 0: no default router. */
export function routerLifetime(view: DataView, at: number): number {
  return view.getUint16(at + BODY + 2);
}

/** Whether this is a message of neighbor discovery (RFC 4861), which may have options. */
export function isNeighborDiscovery(type: number): boolean {
  return type >= Icmpv6Type.RouterSolicitation && type <= Icmpv6Type.Redirect;
}

/** Whether neighbor discovery messages of this type carry a target address (at `TARGET`). */
export function hasTarget(type: number): boolean {
  return type >= Icmpv6Type.NeighborSolicitation && type <= Icmpv6Type.Redirect;
}

/** Length of the fixed part of a message in bytes; behind it come options, a quoted packet or data. */
function fixedLength(type: number): number {
  switch (type) {
    case Icmpv6Type.NeighborSolicitation:
    case Icmpv6Type.NeighborAdvertisement:
    case Icmpv6Type.ListenerQuery:
    case Icmpv6Type.ListenerReport:
    case Icmpv6Type.ListenerDone:
      return 24;
    case Icmpv6Type.RouterAdvertisement:
      return 16;
    case Icmpv6Type.Redirect:
      return 40;
    default:
      return MIN_LENGTH;
  }
}

/**
 * Offset in `view` of the neighbor discovery option `option` in the message at `at` that ends at `end`,
 * -1 if it is not there whole. Its value is at `OPTION_VALUE`, its length in 8-byte units at +1.
 */
export function ndpOption(view: DataView, at: number, end: number, option: number): number {
  return optionFrom(view, at + fixedLength(icmpv6Type(view, at)), end, option);
}

/** The next option of this kind behind one that `ndpOption` found; -1 if there is none. */
export function ndpOptionBehind(view: DataView, found: number, end: number, option: number): number {
  return optionFrom(view, found + (view.getUint8(found + 1) << 3), end, option);
}

function optionFrom(view: DataView, from: number, end: number, option: number): number {
  let next = from;
  while (end - next >= 8) {
    const length = view.getUint8(next + 1) << 3;
    if (length === 0 || length > end - next) return -1;
    if (view.getUint8(next) === option) return next;
    next += length;
  }
  return -1;
}

export function decodeIcmpv6(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < MIN_LENGTH) return frame.short(Protocol.Icmpv6);
  const type = frame.view.getUint8(at + TYPE);
  if (frame.limit - at < fixedLength(type)) return frame.short(Protocol.Icmpv6);
  if (type < Icmpv6Type.EchoRequest) {
    frame.push(Protocol.Icmpv6, at + MIN_LENGTH);
    if (type < Icmpv6Type.DestinationUnreachable || type > Icmpv6Type.ParameterProblem) return Protocol.Data;
    if (frame.quotedFrom === MAX_LAYERS) frame.quotedFrom = frame.layerCount;
    const hasLength = type === Icmpv6Type.DestinationUnreachable || type === Icmpv6Type.TimeExceeded;
    const units = hasLength ? frame.view.getUint8(at + BODY) : 0;
    if (units !== 0) frame.narrow(at + MIN_LENGTH + (units << 3));
    return Protocol.Ipv6;
  }
  if (type > Icmpv6Type.EchoReply) {
    // Options and records belong to the message: the layer spans all of it.
    frame.push(Protocol.Icmpv6, frame.limit);
    return Protocol.None;
  }
  frame.push(Protocol.Icmpv6, at + MIN_LENGTH);
  return Protocol.Data;
}
