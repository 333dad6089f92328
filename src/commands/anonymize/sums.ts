import { type Frame, Status } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';

/**
 * Brings the checksum of one layer of `out` in line with the bytes that changed, as RFC 1624 does: the sum of what it
 * covers is added, the old one taken away. A right one stays right and a wrong one as wrong; one that only covers the
 * pseudo-header (left to the network card) covers the new one. Inner layers first.
 */
export function updateChecksum(frame: Frame, layer: number, out: Uint8Array): void {
  const field = FIELDS[frame.kinds[layer]];
  if (field === undefined || frame.statuses[layer] !== Status.Ok) return;
  const before = frame.bytes.subarray(frame.start, frame.end);
  const at = frame.offsets[layer] - frame.start;
  const to = Math.min(
    out.length,
    (frame.kinds[layer] === Protocol.Ipv4 ? frame.ends[layer] : limitOf(frame, layer)) - frame.start,
  );
  const place = at + field;
  if (place + 2 > to) return;
  const old = (before[place] << 8) | before[place + 1];
  if (frame.kinds[layer] === Protocol.Udp && old === 0) return;
  const pseudoBefore = pseudo(frame, layer, before);
  const pseudoAfter = pseudo(frame, layer, out);
  const isPartial = pseudoBefore !== 0 && old === fold(pseudoBefore + partialRest(frame, layer));
  const change = isPartial
    ? pseudoAfter - pseudoBefore
    : sum(before, at, to, place) + pseudoBefore - sum(out, at, to, place) - pseudoAfter;
  const next = fold(old + (change % 0xffff) + 0xffff);
  const value = frame.kinds[layer] === Protocol.Udp && next === 0 ? 0xffff : next;
  out[place] = value >> 8;
  out[place + 1] = value & 255;
}

/** Offset of the checksum in the header. */
const FIELDS: Readonly<Record<number, number>> = {
  [Protocol.Ipv4]: 10,
  [Protocol.Icmp]: 2,
  [Protocol.Icmpv6]: 2,
  [Protocol.Igmp]: 2,
  [Protocol.Udp]: 6,
  [Protocol.Tcp]: 16,
  [Protocol.Vrrp]: 6,
};

/** IP protocol numbers of what has a pseudo-header. */
const IP_PROTOCOLS: Readonly<Record<number, number>> = {
  [Protocol.Tcp]: 6,
  [Protocol.Udp]: 17,
  [Protocol.Icmpv6]: 58,
  [Protocol.Vrrp]: 112,
};

/** Protocol and length, which a partial checksum also covers. */
function partialRest(frame: Frame, layer: number): number {
  const length = limitOf(frame, layer) - frame.offsets[layer];
  return length + IP_PROTOCOLS[frame.kinds[layer]];
}

/** Where the layer before says that its payload ends; the layer's own limit may be narrower. */
function limitOf(frame: Frame, layer: number): number {
  return layer === 0 ? frame.end : frame.limits[layer - 1];
}

/** Sum of the addresses of the IP header in front, where the checksum covers them; else 0. */
function pseudo(frame: Frame, layer: number, bytes: Uint8Array): number {
  const kind = frame.kinds[layer];
  if (kind !== Protocol.Udp && kind !== Protocol.Tcp && kind !== Protocol.Icmpv6 && kind !== Protocol.Vrrp) return 0;
  let ip = layer - 1;
  while (ip >= 0 && frame.kinds[ip] === Protocol.Ipv6Extension) ip--;
  const at = ip < 0 ? 0 : frame.offsets[ip] - frame.start;
  if (frame.kinds[ip] === Protocol.Ipv6) return sum(bytes, at + 8, at + 40, -2);
  if (frame.kinds[ip] !== Protocol.Ipv4 || kind === Protocol.Vrrp) return 0;
  return sum(bytes, at + 12, at + 20, -2);
}

/** Sum of 16-bit words from `at` to `to` but for the one at `without`. */
function sum(bytes: Uint8Array, at: number, to: number, without: number): number {
  let total = 0;
  for (let i = at; i < to; i += 2) if (i !== without) total += (bytes[i] << 8) | (i + 1 < to ? bytes[i + 1] : 0);
  return total;
}

function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return folded;
}
