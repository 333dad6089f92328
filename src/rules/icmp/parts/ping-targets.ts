import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import type { Ping } from '../../parts/pings/ping.js';

/** Replies to a host that is not heard, from which on its requests are taken to be left out: one may be older than the capture. */
const UNASKED = 2;

/**
 * Whether the requests go to a MAC that ARP of the target names in frames from another (network load balancing, a bond): no
 * switch learns where it is, so a bystander sees what goes there, and not what comes back.
 */
export function isUnlearned({ pings, stations, arpSenders }: Network, row: number): boolean {
  const segment = pings.segment(row);
  const [hi, lo] = [pings.hi(row), pings.lo(row)];
  const station = hi < 0 ? -1 : stations.find(segment, hi, lo);
  if (station < 0 || stations.sent(station) > 0) return false;
  for (let each = 0; each < arpSenders.count; each++)
    if (arpSenders.hi(each) === hi && arpSenders.lo(each) === lo && arpSenders.segment(each) === segment) return true;
  return false;
}

/**
 * Whether the pinging host asked for the target, and knows its MAC since, though no answer is in the capture: the capture is a
 * bystander's, whom a switch floods with what goes to a MAC that it did not learn.
 */
export function resolvedUnheard(network: Network, row: number): boolean {
  const { pings, resolutions, segments } = network;
  const isCooked = pings.hi(row) < 0;
  if (isCooked && isHeard(network, segments.captureOf(pings.segment(row)), pings.destination(row))) return false;
  for (const each of resolutions.askedFor(pings.destination(row)))
    if (
      resolutions.segment(each) === pings.segment(row) &&
      resolutions.spa(each) === pings.source(row) &&
      resolutions.lastAnswer(each) === Number.NEGATIVE_INFINITY &&
      resolutions.first(each) <= pings.first(row) &&
      // Cooked frames do not tell questions to all from those to a neighbour that died, which are repeated.
      (!isCooked || resolutions.requests(each) === 1)
    )
      return true;
  return false;
}

/**
 * Whether the capture leaves out what the target sends, as a filter for what goes to it does (`dst host`): it gets replies to pings that are
 * not here; or several hosts ping it, and nothing is for anybody else or from it.
 */
export function leavesOutTarget(network: Network, capture: number, { row, isIpv4 }: Ping): boolean {
  const { pings, handshakes, resolutions, addresses, segments } = network;
  const target = pings.destination(row);
  const isHere = (segment: number) => segments.captureOf(segment) === capture;
  if (isHeard(network, capture, target)) return false;
  const sources = new Set<number>();
  let isAlone = true;
  for (let each = 0; each < pings.count; each++) {
    if (!isHere(pings.segment(each))) continue;
    if (pings.source(each) === target && pings.replies(each) >= UNASKED) return true;
    isAlone &&= pings.destination(each) === target;
    sources.add(pings.source(each));
  }
  if (sources.size < 2 || !isAlone) return false;
  const words = isIpv4 ? addresses.words(target)[0] : target;
  for (let each = 0; each < handshakes.count; each++)
    if (isHere(handshakes.segment(each)) && handshakes.server(each) !== words) return false;
  for (let each = 0; each < resolutions.count; each++)
    if (isHere(resolutions.segment(each)) && resolutions.tpa(each) !== target && resolutions.spa(each) !== target)
      return false;
  return true;
}

/** Whether anything from an address (row of `Addresses`) is in a capture. */
function isHeard({ bindings, segments }: Network, capture: number, address: number): boolean {
  return bindings
    .ofAddress(address)
    .filter((row) => segments.captureOf(bindings.segment(row)) === capture)
    .some((row) => (bindings.claims(row) & (Claim.Own | Claim.Source)) !== 0);
}
