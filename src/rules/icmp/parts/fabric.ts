import type { Network } from '../../../network/network.js';
import { INITIAL_HOPS } from '../../parts/ttl.js';
import { isVirtualRouter } from '../../parts/virtual-router.js';
import { tunnelsCarrying } from '../../vxlan/parts/tunnel.js';

/**
 * Flows of which both ways are seen that show that a tunnel is not spread: of two ways of equal cost one alone shows each of them with both
 * directions by chance, one flow of four.
 */
const TOGETHER = 4;
/** Stations that are looked at. */
const MAX_MET = 256;

/**
 * Whether the tunnels that carry a segment cross routers, which spread flows, and each direction for itself, over ways of equal cost (ECMP, the
 * source port of VXLAN is made for it); `bothWays` flows are seen with both directions, `oneWay` with one.
 */
export function isSpread(network: Network, segment: number, oneWay: number, bothWays: number): boolean {
  if (oneWay === 0 && bothWays >= TOGETHER) return false;
  const { tunnels } = network;
  return tunnelsCarrying(network, segment).some((row) => !INITIAL_HOPS.includes(tunnels.hops(row)));
}

/**
 * Whether a gateway that several machines have alike (anycast, of the leaves of a fabric) sends, or is written to, in a segment: what it sends on is answered to the one
 * nearest the target.
 */
export function hasSharedGateway({ stations, context }: Network, segment: number): boolean {
  for (let each = 0; each < Math.min(stations.count, MAX_MET); each++) {
    if (stations.segment(each) !== segment || (stations.sent(each) === 0 && !stations.wasWrittenTo(each))) continue;
    const hi = stations.hi(each);
    const lo = stations.lo(each);
    if (isVirtualRouter(hi, lo)) return true;
    const [first, ...others] = context?.devicesByMac(hi, lo) ?? [];
    if (others.some(({ namespace }) => namespace !== first.namespace)) return true;
  }
  return false;
}
