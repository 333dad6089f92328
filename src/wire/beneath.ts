import type { Frame } from './frame.js';
import { ipv4Ttl } from './ipv4.js';
import { ipv6HopLimit } from './ipv6.js';
import { Protocol } from './protocol.js';

/** Offset in an Ethernet header. */
const SOURCE_MAC = 6;

/** Offset in the frame of the source MAC (6 bytes) of the innermost Ethernet header that carries `layer`; -1 if none does. */
export function sourceMac({ kinds, offsets }: Frame, layer: number): number {
  let link = layer - 1;
  while (link > 0 && kinds[link] !== Protocol.Ethernet) link--;
  return link >= 0 && kinds[link] === Protocol.Ethernet ? offsets[link] + SOURCE_MAC : -1;
}

/** TTL (RFC 791) or hop limit (RFC 8200) of the IP header that carries `layer`, a header of TCP, UDP or ICMP. */
export function hopsLeft({ view, kinds, offsets }: Frame, layer: number): number {
  let ip = layer - 1;
  while (ip > 0 && kinds[ip] === Protocol.Ipv6Extension) ip--;
  return kinds[ip] === Protocol.Ipv4 ? ipv4Ttl(view, offsets[ip]) : ipv6HopLimit(view, offsets[ip]);
}
