import type { PingState } from '../../../network/icmp/ping-rows.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import type { EvidenceRef } from '../../rule.js';
import { announcedSince, movedSince, type Return, replacedSince } from './returned.js';

/** A ping that lacks replies, in words. */
export interface Ping {
  /** The same in every rule, so that causes can name the symptom. */
  readonly key: string;
  readonly row: number;
  readonly segment: number;
  readonly capture: number;
  readonly isIpv4: boolean;
  readonly from: string;
  readonly to: string;
  readonly unanswered: number;
  readonly replies: number;
  /** Gaps that passed: one, or no more than virtual routers were taken over, or the target was announced; 0 if there were others. */
  readonly passed: number;
  /** What told that the target arrived when the last gap was over, as a clause; null if nothing did. */
  readonly announcer: string | null;
  /** Where the latest request was sent to, null where the capture does not tell. */
  readonly mac: string | null;
  readonly first: number;
  readonly last: number;
  readonly evidence: EvidenceRef[];
}

/** What is to be said of a row of `pings`; null if its replies came, or nothing can be said yet. */
export function pingOf(network: Network, row: number): Ping | null {
  const { pings, segments, addresses, now } = network;
  const state = pings.state(row, now);
  if (!state) return null;
  const segment = pings.segment(row);
  const capture = segments.captureOf(segment);
  for (const other of pings.elsewhere(row)) {
    if (segments.captureOf(pings.segment(other)) !== capture) continue;
    // A capture of several devices shows requests at one and replies at another; of two alike the first is told.
    if (pings.replies(other) > pings.replies(row)) return null;
    if (pings.replies(other) === pings.replies(row) && isBefore(network, other, row)) return null;
  }
  const isIpv4 = addresses.isIpv4(pings.source(row));
  const from = addresses.format(pings.source(row));
  const to = addresses.format(pings.destination(row));
  const announcer = announcerOf(network, row, capture, state);
  const gaps = announcer ? Math.max(state.passed, 1) : state.passed;
  return {
    key: String(row),
    row,
    segment,
    capture,
    isIpv4,
    from,
    to,
    unanswered: state.unanswered,
    replies: pings.replies(row),
    passed: announcer || isTakenOver(network, capture, gaps) ? gaps : 0,
    announcer,
    mac: pings.hi(row) < 0 ? null : formatMac(pings.hi(row), pings.lo(row)),
    first: state.first,
    last: state.last,
    evidence: state.places.map((place) => ({
      capture,
      layer: isIpv4 ? 'icmp' : 'icmpv6',
      note: `echo request ${from} > ${to}, no reply`,
      ...place,
    })),
  };
}

function isBefore({ pings }: Network, a: number, b: number): boolean {
  return pings.first(a) < pings.first(b) || (pings.first(a) === pings.first(b) && a < b);
}

/** The findings about unanswered pings that were sent to one MAC, of one address family or of both, as symptoms of a cause. */
export function unansweredPingsAt(
  network: Network,
  segment: number,
  hi: number,
  lo: number,
  family: 4 | 6 | null = null,
) {
  const { pings, addresses } = network;
  return (
    pings
      .sentTo(segment, hi, lo)
      .filter((row) => family === null || addresses.isIpv4(pings.destination(row)) === (family === 4))
      // The same ping at another device of the capture is told at one of them.
      .flatMap((row) => [row, ...pings.elsewhere(row)])
      .map((row) => ({ rule: 'icmp/echo-unanswered', key: String(row) }) as const)
  );
}

/** The findings about unanswered pings between two addresses (rows of `Addresses`), as symptoms of a cause. */
export function unansweredPings(network: Network, segment: number, source: number, destination: number) {
  return network.pings
    .between(segment, source, destination)
    .map((row) => ({ rule: 'icmp/echo-unanswered', key: String(row) }) as const);
}

/** The findings about unanswered pings to an address (row of `Addresses`), whoever sends them, as symptoms of a cause. */
export function unansweredPingsTo(network: Network, segment: number, destination: number) {
  const { pings } = network;
  const found = [];
  for (let row = 0; row < pings.count; row++)
    if (pings.segment(row) === segment && pings.destination(row) === destination)
      found.push({ rule: 'icmp/echo-unanswered', key: String(row) } as const);
  return found;
}

/** Whether gaps are as few as the times a standby took a virtual router over; a single one needs no such reason. */
function isTakenOver({ virtualRouters, segments }: Network, capture: number, gaps: number): boolean {
  return gaps < 2 || gaps <= virtualRouters.takeovers((segment) => segments.captureOf(segment) === capture);
}

/**
 * What tells that the target arrived where it is when nothing was lost any more, as often as there were gaps: a machine or container
 * that was started anew, or moved. Either replies came again, or requests pass elsewhere since.
 */
function announcerOf(
  network: Network,
  row: number,
  capture: number,
  { first, last, passed }: PingState,
): string | null {
  const { pings } = network;
  if (pings.replies(row) === 0) return null;
  const target = { capture, address: pings.destination(row), hi: pings.hi(row), lo: pings.lo(row) };
  const isOver = ({ times, last: latest }: Return) =>
    times >= passed && latest >= last && (passed > 0 || pings.last(row) <= latest);
  const seen = [announcedSince(network, target, first), movedSince(network, target, first)];
  const arrival = seen.find((each) => each && isOver(each));
  if (arrival) return arrival.words;
  // Replies came again each time, from another machine in its place.
  return passed > 0 && replacedSince(network, target, first) >= passed
    ? `another MAC came to have ${network.addresses.format(target.address)}`
    : null;
}
