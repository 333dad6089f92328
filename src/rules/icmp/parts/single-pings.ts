import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import type { Ping } from '../../parts/pings/ping.js';

/** Pings in a row without reply that are no chance: as many as make a ping of one identifier lossy. */
const SINGLES = 3;
/** Pings of a pair that are looked at, of its latest. */
const MAX_SINGLES = 16;

/** Pings of one pair of hosts, a request each, of which none is answered any more. */
export interface SinglePings {
  readonly ping: Ping;
  /** Whether earlier ones were answered: the target was there. */
  readonly wasAnswered: boolean;
}

/**
 * What programs that watch hosts show of one that is gone: they ping it now and then, once, and each time under a new identifier. Nothing tells one of these
 * pings from a lost packet, the latest few of a pair together do. For the end of a capture: it looks at every ping.
 */
export function singlePings(network: Network, capture: number, patienceNs: number): SinglePings[] {
  const { pings, segments } = network;
  const pairs = new Map<string, number[]>();
  for (let row = 0; row < pings.count; row++) {
    if (pings.requests(row) === 0 || segments.captureOf(pings.segment(row)) !== capture) continue;
    const key = `${pings.segment(row)} ${pings.source(row)} ${pings.destination(row)}`;
    const rows = pairs.get(key);
    if (rows) rows.push(row);
    else pairs.set(key, [row]);
  }
  const found: SinglePings[] = [];
  for (const rows of pairs.values()) {
    if (rows.length < SINGLES) continue;
    rows.sort((a, b) => pings.first(a) - pings.first(b));
    let end = rows.length;
    // The latest may still be answered.
    while (end > 0 && network.now - pings.last(rows[end - 1]) < patienceNs && pings.replies(rows[end - 1]) === 0) end--;
    let start = end;
    while (start > 0 && end - start < MAX_SINGLES && isLost(network, rows[start - 1], capture)) start--;
    const lost = rows.slice(start, end);
    if (lost.length < SINGLES) continue;
    const before = rows.slice(0, start);
    found.push({ ping: joined(network, lost), wasAnswered: before.some((row) => pings.replies(row) > 0) });
  }
  return found;
}

/** Whether it was one request, which nothing answered at any device of the capture, and this is the first device that shows it. */
function isLost({ pings, segments }: Network, row: number, capture: number): boolean {
  if (pings.requests(row) !== 1 || pings.replies(row) > 0 || pings.errors(row) > 0) return false;
  return pings.elsewhere(row).every((other) => {
    if (segments.captureOf(pings.segment(other)) !== capture || pings.requests(other) === 0) return true;
    const isLater = pings.first(other) > pings.first(row) || (pings.first(other) === pings.first(row) && other > row);
    return pings.replies(other) === 0 && pings.errors(other) === 0 && isLater;
  });
}

/** As one ping. */
function joined({ pings, addresses, segments }: Network, rows: readonly number[]): Ping {
  const last = rows[rows.length - 1];
  const [source, destination] = [pings.source(last), pings.destination(last)];
  const isIpv4 = addresses.isIpv4(source);
  const [from, to] = [addresses.format(source), addresses.format(destination)];
  const capture = segments.captureOf(pings.segment(last));
  const note = `echo request ${from} > ${to}, no reply`;
  return {
    key: `single ${pings.segment(last)} ${from} ${to}`,
    row: last,
    segment: pings.segment(last),
    capture,
    isIpv4,
    from,
    to,
    unanswered: rows.length,
    replies: 0,
    passed: 0,
    announcer: null,
    mac: pings.hi(last) < 0 ? null : formatMac(pings.hi(last), pings.lo(last)),
    first: pings.first(rows[0]),
    last: pings.last(last),
    evidence: rows.flatMap((row) =>
      pings.latest(row).map((place) => ({ capture, layer: isIpv4 ? 'icmp' : 'icmpv6', note, ...place })),
    ),
  };
}
