import { Trait } from '../../../network/link/stations.js';
import type { Network } from '../../../network/network.js';
import { confidenceBy } from '../../parts/confidence.js';
import { showsOneWay } from '../../parts/one-way-capture.js';
import { mayBeBroadcast } from '../../parts/pings/broadcast.js';
import type { Ping } from '../../parts/pings/ping.js';
import { applying } from '../../parts/words.js';
import type { CaptureFacts, Confidence } from '../../rule.js';
import { isForwarded, otherWay, sendsOnly } from './other-way.js';
import { leavesOutTarget } from './ping-targets.js';

/** Stations that are looked at, for each ping. */
const MAX_MET = 256;

/** Pauses that a request may be late. */
const TOLERANCE = 0.5;

/** Lost replies to a request that is not in the capture, from which on it is taken to have holes. */
const UNSEEN = 3;

/**
 * How sure it is that a ping fails, and what speaks against it: reasons why its replies need not show here, each of which makes the
 * finding a hint. `isPerhapsTrial`: they were single ones, and none before them was answered. `isBothWays`: other packets of the two hosts
 * pass here both ways.
 */
export function doubtsAbout(
  network: Network,
  ping: Ping,
  capture: CaptureFacts,
  { isPerhapsTrial, isBothWays }: { isPerhapsTrial: boolean; isBothWays: boolean },
): { readonly confidence: Confidence; readonly caveats: readonly string[] } {
  const isOneWay = showsOneWay(capture) && !isHeard(network, ping);
  const sees = !isOneWay && seesReplies(network, ping);
  const elsewhere = otherWay(network, ping);
  const isFiltered =
    holdsRequestsOnly(network, ping.capture, capture.frames) ||
    (!elsewhere && leavesOutTarget(network, ping.capture, ping));
  const unseen = ping.replies > 0 ? network.pings.unseenRequests(ping.row) : 0;
  const skipped = sees ? 0 : skippedBefore(network, ping, capture.first);
  const beside = elsewhere ? `replies may come back past this capture: ${elsewhere}` : sidedness();
  function sidedness(): string | null {
    if (isOneWay) return 'all frames of this capture go one way: it would not show replies';
    if (!sees && comesFromOne(network, ping.capture))
      return 'all frames of this capture come from one station: it may show one way only';
    return null;
  }
  const doubts = applying([
    isPerhapsTrial &&
      `nothing shows that ${ping.to} was ever there: a DHCP server tries out like this whether an address is free`,
    network.vantage === null &&
      toItself(network, ping) &&
      'source and destination MAC are the same, as of ipvlan: in mode l3s a child never sees its replies',
    !sees &&
      !isHeard(network, ping) &&
      hasOtherUnheard(network, ping) &&
      'of several machines that frames go to here none is heard, the one that the requests go to among them: a mirror of some ports, one way, would not show replies',
    isFiltered &&
      'this capture holds what goes to some hosts, and not what they send: a filter (`dst host`) may have left out replies',
    mayBeBroadcast(network, ping) &&
      `${ping.to} may be the broadcast address of its network, which hosts do not answer: a capture with \`-i any\` keeps no destination MAC`,
    ping.passed > 0 &&
      (ping.announcer
        ? `${ping.announcer} after it: the machine was started anew, or moved, and it passed`
        : 'replies came again after it: it passed'),
    // Both go missing alike: the capture has holes, not the network.
    unseen * UNSEEN >= ping.unanswered &&
      `${unseen} requests are not in the capture either, though their replies are: it may have lost the replies as well`,
    skipped > 0 &&
      `${skipped} requests before or between them did not pass here: a switch floods some, and the replies need not pass either`,
    beside,
  ]);
  return {
    confidence: confidenceBy({ hint: doubts.length > 0, certain: sees }),
    caveats:
      sees || isBothWays || beside !== null
        ? doubts
        : [...doubts, 'that replies would be in this capture is not proved: it may show one way only'],
  };
}

/** Whether the requests go to the MAC that they come from, or one that sends to itself. */
function toItself({ pings, stations }: Network, { row }: Ping): boolean {
  const station = stations.find(pings.segment(row), pings.hi(row), pings.lo(row));
  return station >= 0 && (stations.traits(station) & Trait.ToItself) !== 0;
}

/** Whether the machine that the requests go to, or the next on the way there, sends anything here: then its replies would show too. */
function isHeard({ pings, stations }: Network, { row }: Ping): boolean {
  const station = pings.hi(row) < 0 ? -1 : stations.find(pings.segment(row), pings.hi(row), pings.lo(row));
  return station >= 0 && stations.sent(station) > 0;
}

/** Whether more machines than the one that the requests go to are written to in this segment, and send nothing; of the stations met first. */
function hasOtherUnheard({ pings, stations }: Network, { row }: Ping): boolean {
  if (pings.hi(row) < 0) return false;
  const segment = pings.segment(row);
  for (let each = 0; each < Math.min(stations.count, MAX_MET); each++)
    if (
      stations.sent(each) === 0 &&
      stations.segment(each) === segment &&
      stations.wasWrittenTo(each) &&
      (stations.hi(each) !== pings.hi(row) || stations.lo(each) !== pings.lo(row))
    )
      return true;
  return false;
}

/**
 * How many requests the pinging host sent before the first one here while the capture ran, by their numbers and pauses, or between them if that many lack: this place
 * is beside the way, and is shown what a switch floods. 0 where replies came. Of more requests than are remembered, the first alone counts.
 */
function skippedBefore({ pings }: Network, { row, replies }: Ping, begin: number): number {
  const kept = pings.requestsKept(row);
  const [one, two] = kept;
  if (replies > 0 || !one || !two) return 0;
  const requests = pings.requests(row);
  if (requests > kept.length) {
    const average = (pings.last(row) - pings.first(row)) / (requests - 1);
    return average > 0 ? missedSince(pings.firstSequence(row), pings.first(row) - begin, average) : 0;
  }
  const last = kept[kept.length - 1];
  const between = last.sequence - one.sequence + 1 - kept.length;
  const average = (last.time - one.time) / (last.sequence - one.sequence);
  // Programs that number their requests otherwise do not wait for those that lack.
  const isSteady = kept.every(({ time, sequence }, index) => {
    const before = kept[Math.max(0, index - 1)];
    return Math.abs(time - before.time - average * (sequence - before.sequence)) <= TOLERANCE * average;
  });
  if (between * 2 >= kept.length && isSteady) return between;
  const pause = (two.time - one.time) / (two.sequence - one.sequence);
  if (!(pause > 0)) return 0;
  return missedSince(one.sequence, one.time - begin, pause);
}

/** How many requests before the one of this number were due since the capture began, `time` before it. */
function missedSince(sequence: number, time: number, pause: number): number {
  return Math.min(sequence - 1, Math.floor(time / pause - TOLERANCE));
}

/** Whether one station alone sends in a capture, which then shows nothing that comes back (catalogue 1.3, K7). */
function comesFromOne({ stations, segments }: Network, capture: number): boolean {
  let senders = 0;
  for (let row = 0; row < stations.count && senders < 2; row++)
    if (stations.sent(row) > 0 && segments.captureOf(stations.segment(row)) === capture) senders++;
  return senders < 2;
}

/** Whether a capture holds echo requests of two hosts or more and nothing else: so a filter for them (`icmp[0] == 8`) leaves it. */
function holdsRequestsOnly({ pings, segments }: Network, capture: number, frames: number): boolean {
  let requests = 0;
  let first = -1;
  let areSeveral = false;
  for (let row = 0; row < pings.count; row++) {
    if (segments.captureOf(pings.segment(row)) !== capture) continue;
    requests += pings.requests(row);
    if (pings.replies(row) > 0 || requests > frames) return false;
    if (first < 0) first = pings.source(row);
    else areSeveral ||= pings.source(row) !== first;
  }
  return areSeveral && requests === frames;
}

/** Whether replies would have been seen: the pinging machine took the capture, and other frames come in. */
function seesReplies(network: Network, { row }: Ping): boolean {
  const { pings, segments, context, vantage, addresses } = network;
  if (vantage && context?.devicesByIp(addresses.words(pings.source(row))).includes(vantage)) return true;
  return sendsOnly(pings, row) && !isForwarded(network, row) && segments.sawInbound(pings.segment(row));
}
