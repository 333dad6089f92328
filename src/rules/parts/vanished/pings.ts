import type { Network } from '../../../network/network.js';
import { Direction } from '../../../wire/frame.js';
import { isBroadcast, mayBeBroadcast } from '../pings/broadcast.js';
import { type Ping, pingOf } from '../pings/ping.js';
import type { Vanished } from './requests.js';

/** A router passes a packet on within this time (ns). */
const PASSING_NS = 50e6;

/** A ping, told by its first row in the capture, where the capture shows it last (`seen`). */
export function vanishedPing(network: Network, row: number, seen: number): Vanished | null {
  const { pings, segments } = network;
  const ping = pingOf(network, row);
  if (!ping || ping.replies > 0 || pings.wasPassedOn(seen) || wasTranslated(network, seen)) return null;
  // Nobody is meant to answer these; where the capture keeps no destination MAC, the address alone tells them.
  if (isBroadcast(network, ping) || mayBeBroadcast(network, ping)) return null;
  const lost = describe(network, seen, { ...ping, segment: pings.segment(seen) });
  const others = pings
    .elsewhere(row)
    .filter((other) => segments.captureOf(pings.segment(other)) === lost.capture && pings.requests(other) > 0)
    .filter((other) => !isOnlyShown(network, other, seen));
  if (seen === row) return others.length > 0 ? null : lost;
  return { ...lost, symptoms: [row, ...others].map((each) => ({ rule: 'icmp/echo-unanswered', key: String(each) })) };
}

/** Whether a device got requests that came in by another as well, and are not for it: a bridge in promiscuous mode shows what its ports get. */
function isOnlyShown({ pings }: Network, other: number, row: number): boolean {
  const cameIn = (each: number) => pings.went(each, Direction.In) && !pings.went(each, Direction.Out);
  return pings.wasForOther(other) && pings.hops(other) === pings.hops(row) && cameIn(other) && cameIn(row);
}

/** Of the rows of a ping in its capture, none of them answered, the one that shows it farthest on its way: the row itself if there is but one. */
export function lastOfPing({ pings, segments }: Network, row: number): number {
  const capture = segments.captureOf(pings.segment(row));
  let last = row;
  for (const other of pings.elsewhere(row)) {
    if (segments.captureOf(pings.segment(other)) !== capture || pings.requests(other) === 0) continue;
    if (pings.replies(other) > 0) return row;
    // Rows are made in the order of the frames.
    const isLater = pings.hops(other) < pings.hops(last) || (pings.hops(other) === pings.hops(last) && other > last);
    if (isLater) last = other;
  }
  return last;
}

/** A ping that got no reply, passed on or not; null if it got one. */
export function lostPing(network: Network, row: number): Vanished | null {
  const ping = pingOf(network, row);
  return ping && ping.replies === 0 ? describe(network, row, ping) : null;
}

/** A ping without replies at this port of a capture, which another port of it shows answered. */
export function pingAnsweredBeyond(network: Network, row: number): Vanished | null {
  const { pings, segments, addresses, now } = network;
  const state = pings.state(row, now);
  if (!state || pings.replies(row) > 0) return null;
  const segment = pings.segment(row);
  const capture = segments.captureOf(segment);
  const isAnswered = pings.elsewhere(row).some((other) => {
    const isSame = segments.captureOf(pings.segment(other)) === capture && pings.requests(other) > 0;
    return isSame && pings.replies(other) > 0 && pings.hops(other) < pings.hops(row);
  });
  if (!isAnswered) return null;
  const from = addresses.format(pings.source(row));
  const to = addresses.format(pings.destination(row));
  const isIpv4 = addresses.isIpv4(pings.source(row));
  const layer = isIpv4 ? 'icmp' : 'icmpv6';
  const note = `echo request ${from} > ${to}, no reply here`;
  const evidence = state.places.map((place) => ({ capture, layer, note, ...place }));
  const { unanswered, first, last } = state;
  const ping = { key: String(row), segment, capture, from, to, isIpv4, unanswered, first, last, evidence };
  return { ...describe(network, row, ping), isAnsweredBeyond: true };
}

function describe(
  { pings }: Network,
  row: number,
  ping: Omit<Ping, 'row' | 'replies' | 'passed' | 'announcer' | 'mac'>,
): Vanished {
  const { segment, capture, from, to, isIpv4, unanswered: count, first, last, evidence, key } = ping;
  return {
    protocol: 'icmp',
    sourcePort: null,
    destinationPort: null,
    isAnsweredBeyond: false,
    segment,
    capture,
    source: pings.source(row),
    destination: pings.destination(row),
    from,
    to,
    isIpv4,
    hi: pings.hi(row),
    lo: pings.lo(row),
    cameIn: pings.went(row, Direction.In) && !pings.went(row, Direction.Out),
    wentOut: pings.went(row, Direction.Out) && !pings.went(row, Direction.In),
    forOther: pings.wasForOther(row),
    count,
    first,
    last,
    evidence,
    symptoms: [{ rule: 'icmp/echo-unanswered', key }],
  };
}

/** Whether the requests went on to another address, a hop nearer to their end: a router translated their destination (DNAT). */
function wasTranslated({ pings, segments }: Network, row: number): boolean {
  const capture = segments.captureOf(pings.segment(row));
  for (let other = 0; other < pings.count; other++) {
    if (pings.identifier(other) !== pings.identifier(row) || pings.source(other) !== pings.source(row)) continue;
    if (pings.destination(other) === pings.destination(row) || pings.hops(other) >= pings.hops(row)) continue;
    const after = pings.first(other) - pings.first(row);
    if (after >= 0 && after <= PASSING_NS && segments.captureOf(pings.segment(other)) === capture) return true;
  }
  return false;
}
