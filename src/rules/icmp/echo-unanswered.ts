import { Trait } from '../../network/link/stations.js';
import type { Network } from '../../network/network.js';
import { onHost } from '../parts/device-argument.js';
import { filteredByTarget } from '../parts/filtered-target.js';
import { showsOneWay } from '../parts/one-way-capture.js';
import { type Ping, pingOf } from '../parts/ping.js';
import { setting } from '../parts/setting.js';
import { lostPing } from '../parts/vanished.js';
import type { Rule } from '../rule.js';
import { ignoresEcho } from './parts/ignores-echo.js';
import { isForwarded, otherWay, sendsOnly } from './parts/other-way.js';
import { isBroadcast, leavesOutTarget, mayBeBroadcast } from './parts/ping-targets.js';

/** Pauses that a request may be late. */
const TOLERANCE = 0.5;

/** Lost replies to a request that is not in the capture, from which on it is taken to have holes. */
const UNSEEN = 3;

/** Pings without reply (catalogue 3.6). */
export const echoUnanswered: Rule = {
  meta: {
    id: 'icmp/echo-unanswered',
    severity: 'warning',
    summary: 'Pings leave and no reply comes back',
    catalogue: '',
    silence: true,
    thresholds: {
      gap: {
        value: 5,
        unit: 'lost pings in a row from which on a gap is told although replies come again',
        source: 'a VRRP takeover takes 3 to 4 s (catalogue 2), of as many pings',
      },
      patience: setting('pingPatience'),
    },
  },
  create({ network, captures, report, withdraw, thresholds }) {
    return {
      events: {
        pingLost(row) {
          const ping = pingOf(network, row);
          if (!ping) {
            withdraw(String(row));
            return;
          }
          const { from, to, unanswered, replies, segment, capture, first, last } = ping;
          if (isBroadcast(network, ping)) return;
          // A child in mode l3s is shown what it sends and not what it gets (catalogue K11).
          if (network.vantage?.mode === 'l3s') return;
          const unseen = replies > 0 ? network.pings.unseenRequests(row) : 0;
          // Both go missing alike: the capture has holes, not the network.
          const isHoled = unseen * UNSEEN >= unanswered;
          const isHalf = network.vantage === null && toItself(network, ping);
          // Short gaps that passed: a standby took over, or a route changed.
          if (ping.passed > 0 && ping.unanswered < thresholds.gap * ping.passed) {
            withdraw(ping.key);
            return;
          }
          const elsewhere = otherWay(network, ping);
          const isOneWay = showsOneWay(captures[capture]) && !isHeard(network, ping);
          const sees = !isOneWay && seesReplies(network, ping);
          const isFiltered =
            holdsRequestsOnly(network, capture, captures[capture].frames) ||
            (!elsewhere && leavesOutTarget(network, capture, ping));
          const isPerhapsGroup = mayBeBroadcast(network, ping);
          const skipped = sees ? 0 : skippedBefore(network, ping, captures[capture].first);
          const isAlone = !sees && !isOneWay && comesFromOne(network, capture);
          const lost = lostPing(network, row);
          const filtered = filteredByTarget(network, lost) ?? ignoresEcho(network, lost);
          report({
            key: ping.key,
            segment,
            capture,
            count: unanswered,
            tries: unanswered + replies,
            first,
            last,
            confidence:
              filtered?.confidence ??
              (elsewhere ||
              ping.passed > 0 ||
              isHalf ||
              isOneWay ||
              isAlone ||
              isFiltered ||
              isPerhapsGroup ||
              skipped > 0 ||
              isHoled
                ? 'hint'
                : sees
                  ? 'certain'
                  : 'likely'),
            title: `${titleOf(ping)}${replies === 0 ? (filtered?.clause ?? '') : ''}`,
            summary:
              `${unanswered} echo requests from ${from} to ${to} are in this capture without a reply` +
              (replies === 0 ? '.' : `; ${replies === 1 ? 'one other was' : `${replies} others were`} answered.`) +
              (ping.mac ? ` The latest went to ${ping.mac}.` : '') +
              ' No ICMP error about them is here either.',
            subject: { source: from, destination: to },
            evidence: ping.evidence,
            trail: {
              of: 'pings',
              rows: [row],
              title: titleOf(ping),
              asker: from,
              target: to,
              watch: watchFilter(ping),
              cures: filtered?.remedy ?? [],
            },
            cause:
              filtered?.cause ??
              `The requests are lost on the way to ${to}, ${to} does not answer, or its replies are lost or take another way: from this place the three look alike.`,
            remedy: filtered?.remedy ?? [
              {
                text: 'See which way each end sends to the other',
                commands: [onHost(network, from, `ip route get ${to}`), onHost(network, to, `ip route get ${from}`)],
              },
              {
                text: `See whether the requests arrive, on the machine of ${to}`,
                commands: [onHost(network, to, `tcpdump -eni any '${watchFilter(ping)}'`)],
              },
            ],
            caveats: filtered?.caveats ?? [
              ...(isHalf
                ? ['source and destination MAC are the same, as of ipvlan: in mode l3s a child never sees its replies']
                : []),
              ...(isFiltered
                ? [
                    'this capture holds what goes to some hosts, and not what they send: a filter (`dst host`) may have left out replies',
                  ]
                : []),
              ...(isPerhapsGroup
                ? [
                    `${to} may be the broadcast address of its network, which hosts do not answer: a capture with \`-i any\` keeps no destination MAC`,
                  ]
                : []),
              ...(ping.announcer
                ? [`${ping.announcer} after it: the machine was started anew, or moved, and it passed`]
                : ping.passed > 0
                  ? ['replies came again after it: it passed']
                  : []),
              ...(isHoled
                ? [
                    `${unseen} requests are not in the capture either, though their replies are: it may have lost the replies as well`,
                  ]
                : []),
              ...(skipped > 0
                ? [
                    `${skipped} requests before them did not pass here: a switch floods some, and the replies need not pass either`,
                  ]
                : []),
              ...(elsewhere
                ? [`replies may come back past this capture: ${elsewhere}`]
                : sees
                  ? []
                  : isOneWay
                    ? ['all frames of this capture go one way: it would not show replies']
                    : isAlone
                      ? ['all frames of this capture come from one station: it may show one way only']
                      : ['that replies would be in this capture is not proved: it may show one way only']),
            ],
            wouldRaise: filtered?.wouldRaise ?? [`a capture at ${to}: do the requests arrive, and does a reply leave?`],
            context: filtered?.context ?? [],
          });
        },
      },
    };
  },
};

function titleOf({ from, to, replies, unanswered }: Ping): string {
  return replies === 0
    ? `${from} pings ${to} and gets no reply`
    : `${unanswered} pings from ${from} to ${to} get no reply`;
}

function watchFilter({ from, isIpv4 }: Ping): string {
  return `${isIpv4 ? 'icmp' : 'icmp6'} and host ${from}`;
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

/**
 * How many requests the pinging host sent before the first one here while the capture ran, by their numbers and pauses: this place
 * is beside the way, and is shown what a switch floods. 0 where replies came, or too many requests to remember the first.
 */
function skippedBefore({ pings }: Network, { row, replies }: Ping, begin: number): number {
  const [one, two] = pings.requestsKept(row);
  if (replies > 0 || !one || !two || pings.requests(row) > pings.requestsKept(row).length) return 0;
  const pause = (two.time - one.time) / (two.sequence - one.sequence);
  if (!(pause > 0)) return 0;
  return Math.min(one.sequence - 1, Math.floor((one.time - begin) / pause - TOLERANCE));
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
