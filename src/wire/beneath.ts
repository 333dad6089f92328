import type { Frame } from '../../wire/frame.js';
import { ipv4Ttl } from '../../wire/ipv4.js';
import { ipv6HopLimit } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';

/** Offset in an Ethernet header. */
const SOURCE_MAC = 6;

/** Where the source MAC of the Ethernet header stands that is nearest above `layer`; -1 if there is none. */
export function sourceMac({ kinds, offsets }: Frame, layer: number): number {
  let link = layer - 1;
  while (link > 0 && kinds[link] !== Protocol.Ethernet) link--;
  return link >= 0 && kinds[link] === Protocol.Ethernet ? offsets[link] + SOURCE_MAC : -1;
}

/** TTL or hop limit of the IP header of a TCP header at `layer`. */
export function hopsLeft({ view, kinds, offsets }: Frame, layer: number): number {
  let ip = layer - 1;
  while (ip > 0 && kinds[ip] === Protocol.Ipv6Extension) ip--;
  return kinds[ip] === Protocol.Ipv4 ? ipv4Ttl(view, offsets[ip]) : ipv6HopLimit(view, offsets[ip]);
}
