import type { Frame } from './frame.js';
import { DESTINATION, SOURCE } from './ipv6.js';
import { extensionFragmentOffset, extensionMoreFragments, extensionType } from './ipv6-extension.js';
import { Protocol } from './protocol.js';

/*
 * Which addresses the pseudo header of a checksum over IPv6 has (RFC 8200 section 8.1): those of the header, but for
 *
 * - a routing header with segments left: the last element of its list is the final destination. Type 0 (RFC 5095) and 2 (RFC 6275) list the addresses
 *   in the order of the way, type 4 (RFC 8754) the other way round; other types have a form of their own;
 *
 *   +---------------+---------------+---------------+---------------+
 *   |  Next Header  |  Hdr Ext Len  |  Routing Type | Segments Left |
 *   +---------------+---------------+---------------+---------------+
 *   |               4 bytes by type, then addresses (16 each)       |
 *   +---------------------------------------------------------------+
 *
 * - a home address option among destination options: it is the source (RFC 6275 section 11.3.1).
 */

const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
const HEADER = 2;
const ROUTING_TYPE = 2;
const SEGMENTS_LEFT = 3;
const SEGMENTS = 8;
const ADDRESS = 16;
const SEGMENT_ROUTING = 4;
/** Types of options (RFC 8200 section 4.2, RFC 6275 section 6.3). */
const PAD1 = 0;
const HOME_ADDRESS = 0xc9;

/** Offsets of the addresses of a pseudo header. */
class PseudoHeader {
  source = 0;
  destination = 0;
}

/** Of the packet that `pseudoAddresses` looked at last. */
export const pseudo = new PseudoHeader();

/**
 * Finds the addresses for the checksum of what follows the extension headers from the IPv6 header at `ip` to the layer before `layer`, into `pseudo`.
 * False where they are not known, or the packet is a fragment.
 */
export function pseudoAddresses(frame: Frame, ip: number, layer: number): boolean {
  const { view, offsets, ends } = frame;
  pseudo.source = offsets[ip] + SOURCE;
  pseudo.destination = offsets[ip] + DESTINATION;
  for (let extension = ip + 1; extension < layer; extension++) {
    const at = offsets[extension];
    const type = extensionType(frame, extension);
    if (type === FRAGMENT) {
      // A header for a packet that is whole is allowed (RFC 6946).
      if (extensionFragmentOffset(view, at) !== 0 || extensionMoreFragments(view, at)) return false;
    } else if (type === ROUTING) {
      if (view.getUint8(at + SEGMENTS_LEFT) !== 0 && !finalDestination(view, at, ends[extension])) return false;
    } else if (type === DESTINATION_OPTIONS) homeAddress(view, at, ends[extension]);
  }
  return true;
}

/** The layer of the IP header that a transport header at `layer` follows, extension headers in between; -1 if there is none. */
export function ipLayer({ kinds }: Frame, layer: number): number {
  let ip = layer - 1;
  while (ip >= 0 && kinds[ip] === Protocol.Ipv6Extension) ip--;
  return ip >= 0 && (kinds[ip] === Protocol.Ipv6 || (kinds[ip] === Protocol.Ipv4 && ip === layer - 1)) ? ip : -1;
}

function finalDestination(view: DataView, at: number, end: number): boolean {
  const type = view.getUint8(at + ROUTING_TYPE);
  const count = Math.floor((end - at - SEGMENTS) / ADDRESS);
  if (count < 1 || view.getUint8(at + SEGMENTS_LEFT) > count) return false;
  if (type === 0 || type === 2) pseudo.destination = at + SEGMENTS + (count - 1) * ADDRESS;
  else if (type === SEGMENT_ROUTING) pseudo.destination = at + SEGMENTS;
  else return false;
  return true;
}

function homeAddress(view: DataView, at: number, end: number): void {
  let next = at + HEADER;
  while (next + 2 <= end) {
    const type = view.getUint8(next);
    if (type === PAD1) {
      next++;
      continue;
    }
    const length = view.getUint8(next + 1);
    if (type === HOME_ADDRESS && length === ADDRESS && next + 2 + ADDRESS <= end) pseudo.source = next + 2;
    next += 2 + length;
  }
}
