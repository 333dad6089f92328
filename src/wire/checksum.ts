import type { Frame } from './frame.js';
import { IpProtocol } from './ip-protocols.js';
import { SOURCE } from './ipv6.js';
import { ipLayer, pseudo, pseudoAddresses } from './ipv6-pseudo.js';
import { Protocol } from './protocol.js';

/** How the checksum of a TCP, UDP or ICMPv6 packet, or of an IPv4 header, looks. */
export const Checksum = {
  /** Not all of it is in the capture, it is a fragment, it has none (UDP over IPv4), or its pseudo header is not known. */
  Unknown: 0,
  Right: 1,
  /** The sum of the pseudo header alone: left to the device (CHECKSUM_PARTIAL in linux/skbuff.h). */
  Unfinished: 2,
  Wrong: 3,
} as const;
export type Checksum = (typeof Checksum)[keyof typeof Checksum];

const TCP_FIELD = 16;
const UDP_FIELD = 6;
const UDP_LENGTH = 4;
const ICMPV6_FIELD = 2;
const IPV4_FRAGMENT = 6;
const IPV4_ADDRESSES = 12;
const IPV6_HEADER = 40;

/** Sum of 16-bit words in ones' complement (RFC 1071), carried on from `sum`; a last odd byte counts as if a 0 followed. */
function onesSum(view: DataView, start: number, end: number, sum: number): number {
  let total = sum;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = view.getUint32(at);
    total += (word >>> 16) + (word & 0xffff);
  }
  for (; at + 2 <= end; at += 2) total += view.getUint16(at);
  if (at < end) total += view.getUint8(at) << 8;
  return total;
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return folded;
}

/** Where the checksum stands in a header. */
function fieldOffset(kind: number): number {
  if (kind === Protocol.Udp) return UDP_FIELD;
  return kind === Protocol.Tcp ? TCP_FIELD : ICMPV6_FIELD;
}

function ipProtocol(kind: number): number {
  if (kind === Protocol.Udp) return IpProtocol.Udp;
  return kind === Protocol.Tcp ? IpProtocol.Tcp : IpProtocol.Icmpv6;
}

/** The header checksum of the IPv4 header at `layer`. */
export function ipv4HeaderChecksum({ view, offsets, ends }: Frame, layer: number): Checksum {
  return fold(onesSum(view, offsets[layer], ends[layer], 0)) === 0xffff ? Checksum.Right : Checksum.Wrong;
}

/** The checksum of the TCP, UDP or ICMPv6 header at `layer`, behind an IP header and the extension headers of IPv6. */
export function transportChecksum(frame: Frame, layer: number): Checksum {
  const { view, offsets, kinds, limits } = frame;
  const ip = ipLayer(frame, layer);
  if (ip < 0) return Checksum.Unknown;
  const header = offsets[ip];
  const isIpv4 = kinds[ip] === Protocol.Ipv4;
  const start = offsets[layer];
  const kind = kinds[layer];
  const isUdp = kind === Protocol.Udp;
  const carried = isIpv4
    ? view.getUint16(header + 2) - (start - header)
    : view.getUint16(header + 4) - (start - header - IPV6_HEADER);
  // The length that the sender summed up: UDP has its own (RFC 768, RFC 8200 section 8.1), and options may stand behind it (RFC 9868).
  const length = (isUdp && view.getUint16(start + UDP_LENGTH)) || carried;
  const end = start + length;
  // What it names has to be in the capture, all of it.
  if (length <= 0 || length > carried || end > frame.end || end > limits[ip]) return Checksum.Unknown;
  if (isIpv4 && (view.getUint16(header + IPV4_FRAGMENT) & 0x3fff) !== 0) return Checksum.Unknown;
  const field = view.getUint16(start + fieldOffset(kind));
  if (isUdp && field === 0) return Checksum.Unknown;
  let addresses: number;
  if (isIpv4) addresses = onesSum(view, header + IPV4_ADDRESSES, header + IPV4_ADDRESSES + 8, 0);
  else if (ip === layer - 1) addresses = onesSum(view, header + SOURCE, header + SOURCE + 32, 0);
  else if (!pseudoAddresses(frame, ip, layer)) return Checksum.Unknown;
  else {
    addresses = onesSum(view, pseudo.source, pseudo.source + 16, 0);
    addresses = onesSum(view, pseudo.destination, pseudo.destination + 16, addresses);
  }
  const sum = addresses + ipProtocol(kind) + length;
  if (fold(onesSum(view, start, end, sum)) === 0xffff) return Checksum.Right;
  return field === fold(sum) ? Checksum.Unfinished : Checksum.Wrong;
}
