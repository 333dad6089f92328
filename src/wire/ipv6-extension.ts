import type { Frame } from './frame.js';
import { protocolOfNextHeader } from './ip-protocols.js';
import { ipv6NextHeader } from './ipv6.js';
import { Protocol } from './protocol.js';

/*
 * IPv6 extension headers, RFC 8200 section 4; the number in the header before says which one it is.
 * Hop-by-hop options (0), routing (43), destination options (60), mobility (135, RFC 6275):
 *
 *   +---------------+---------------+-------------------------------+
 *   |  Next Header  |  Hdr Ext Len  |  8-byte units beyond the first|
 *   +---------------+---------------+-------------------------------+
 *
 * Fragment (44), section 4.5:
 *
 *   +---------------+---------------+-------------------------+---+-+
 *   |  Next Header  |   Reserved    |     Fragment Offset     |Res|M|
 *   +---------------+---------------+-------------------------+---+-+
 *   |                         Identification                        |
 *   +---------------------------------------------------------------+
 *
 * Authentication (51), RFC 4302 section 2: its length counts 4-byte units beyond the second.
 */

const NEXT_HEADER = 0;
const HDR_EXT_LEN = 1;
const FRAGMENT_OFFSET = 2;
const IDENTIFICATION = 4;
const FRAGMENT = 44;
const AUTHENTICATION = 51;

/** Length in bytes of the shortest extension header. */
const MIN_EXTENSION = 8;

/** Number of the header that follows. */
export function extensionNextHeader(view: DataView, at: number): number {
  return view.getUint8(at + NEXT_HEADER);
}

/** Which extension header layer `layer` is: 0, 43, 44, 51, 60 or 135. */
export function extensionType(frame: Frame, layer: number): number {
  const at = frame.offsets[layer - 1];
  return frame.kinds[layer - 1] === Protocol.Ipv6Extension
    ? extensionNextHeader(frame.view, at)
    : ipv6NextHeader(frame.view, at);
}

/** Whether layer `layer` is a fragment header; only then do the fragment accessors mean anything. */
export function isFragmentHeader(frame: Frame, layer: number): boolean {
  return extensionType(frame, layer) === FRAGMENT;
}

/** Where the payload lies in the whole packet, in bytes. */
export function extensionFragmentOffset(view: DataView, at: number): number {
  return view.getUint16(at + FRAGMENT_OFFSET) & 0xfff8;
}

export function extensionMoreFragments(view: DataView, at: number): boolean {
  return (view.getUint16(at + FRAGMENT_OFFSET) & 1) !== 0;
}

export function extensionIdentification(view: DataView, at: number): number {
  return view.getUint32(at + IDENTIFICATION);
}

/** Bytes of a header by its type and what its second byte says, whose unit is the type's. */
function extensionLength(type: number, units: number): number {
  if (type === FRAGMENT) return MIN_EXTENSION;
  return type === AUTHENTICATION ? (units + 2) << 2 : (units + 1) << 3;
}

export function decodeIpv6Extension(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < MIN_EXTENSION) return frame.short(Protocol.Ipv6Extension);
  const type = extensionType(frame, frame.layerCount);
  const length = extensionLength(type, view.getUint8(at + HDR_EXT_LEN));
  if (frame.limit - at < length) return frame.short(Protocol.Ipv6Extension);
  frame.push(Protocol.Ipv6Extension, at + length);
  if (type === FRAGMENT && extensionFragmentOffset(view, at) !== 0) return Protocol.Data;
  return protocolOfNextHeader(view.getUint8(at + NEXT_HEADER));
}
