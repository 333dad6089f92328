import type { Device } from '../../../network/context/device.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import type { EvidenceRef } from '../../rule.js';

/** The usual MTU of Ethernet, in bytes. */
export const USUAL_MTU = 1500;

/** Pings that are answered while they are small and not when they are big. */
export interface Oversize {
  /** The same in all rules about it: the finding lives on this row of `echoes`. */
  readonly key: string;
  readonly row: number;
  readonly segment: number;
  readonly capture: number;
  readonly from: string;
  readonly to: string;
  /** Largest IP packet that was answered, and smallest that was not, in bytes. */
  readonly passes: number;
  readonly fails: number;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly evidence: EvidenceRef[];
  /** Whether both are on one link, by what the target said of itself. */
  readonly isOneLink: boolean;
  /** The target's device, where the context shows that its MTU is too small. */
  readonly narrow: Device | null;
}

/** What a row of at least `enough` big requests shows, null if it is no sign of an MTU. */
export function oversizeOf(network: Network, row: number, enough: number): Oversize | null {
  const { echoes, segments, addresses, pathMtus, bindings } = network;
  if (echoes.requests(row) < enough || echoes.replies(row) > 0) return null;
  const segment = echoes.segment(row);
  const source = echoes.source(row);
  const destination = echoes.destination(row);
  // Somebody told: path MTU discovery works.
  if (pathMtus.find(segment, source, destination) >= 0) return null;
  const size = echoes.size(row);
  // TCP gets packets as big across: it is pings that are refused. Longer ones may be cut by the device that sends them (catalogue K5).
  const carried = delivered(network, segment, source, destination);
  if (carried >= size && carried <= USUAL_MTU) return null;
  let passes = 0;
  for (const other of echoes.between(row)) {
    if (other === row) continue;
    // Replies alone, to requests that are elsewhere: so may be the replies to these (a mirror that shows one way with the tag, the other without).
    if (echoes.requests(other) === 0 && echoes.replies(other) >= enough) return null;
    // A ping the other way is answered by a packet of the same size that goes this way.
    const isSame = echoes.source(other) === source;
    const isLarge = echoes.size(other) >= size;
    // The target fell silent: small ones are lost too, after the first big one.
    const lost = echoes.requests(other) - echoes.replies(other);
    if (isSame && !isLarge && lost >= enough && echoes.last(other) > echoes.first(row)) return null;
    if (echoes.replies(other) === 0) continue;
    if (isLarge) return null;
    // Replies alone show one way: so do captures of one direction, and routers that the requests come past another way.
    if (echoes.requests(other) === 0) continue;
    passes = Math.max(passes, echoes.size(other));
  }
  if (passes === 0) return null;
  const capture = segments.captureOf(segment);
  const from = addresses.format(source);
  const to = addresses.format(destination);
  const hi = echoes.hi(row);
  // A cooked header does not say whom a frame goes to, but the sender asked for the target itself, and was answered.
  const binding =
    hi < 0 ? neighbor(network, segment, source, destination) : bindings.find(segment, hi, echoes.lo(row), destination);
  const devices = network.context?.devicesByIp(addresses.words(destination)) ?? [];
  return {
    key: String(row),
    row,
    segment,
    capture,
    from,
    to,
    passes,
    fails: size,
    count: echoes.requests(row),
    first: echoes.first(row),
    last: echoes.last(row),
    evidence: echoes.places(row).map((place) => ({
      capture,
      layer: addresses.isIpv4(source) ? 'icmp' : 'icmpv6',
      note: `echo request of ${size} bytes from ${from} to ${to}, no reply`,
      ...place,
    })),
    isOneLink: binding >= 0 && (bindings.claims(binding) & Claim.Own) !== 0,
    narrow: devices.length === 1 && (devices[0].mtu ?? size) < size ? devices[0] : null,
  };
}

/** Who answered `source` when it asked for `destination` by ARP: row of `bindings`, -1 if nobody did. */
function neighbor({ bindings, claims, resolutions }: Network, segment: number, source: number, destination: number) {
  const asker = claims.holder(segment, source);
  if (asker < 0) return -1;
  const question = resolutions.find(segment, bindings.hi(asker), bindings.lo(asker), source, destination);
  const isAnswered = question >= 0 && resolutions.lastAnswer(question) !== Number.NEGATIVE_INFINITY;
  return isAnswered ? claims.holder(segment, destination) : -1;
}

/** Length in bytes of the longest IP packet with TCP data that arrived. */
function delivered({ flows, addresses }: Network, segment: number, source: number, destination: number): number {
  if (!addresses.isIpv4(source)) return flows.delivered(segment, true, source, destination);
  return flows.delivered(segment, false, addresses.words(source)[0], addresses.words(destination)[0]);
}

/** Whether the MTU of one link is at fault rather than the path's: the packet is too big for usual Ethernet, and no router is between. */
export function isLinkFault({ isOneLink, fails, narrow }: Oversize): boolean {
  return isOneLink && (fails > USUAL_MTU || narrow !== null);
}

/** Rows of `echoes` of one capture without replies. */
export function unansweredEchoes({ echoes, segments }: Network, capture: number): number[] {
  const rows: number[] = [];
  for (let row = 0; row < echoes.count; row++)
    if (echoes.replies(row) === 0 && segments.captureOf(echoes.segment(row)) === capture) rows.push(row);
  return rows;
}
