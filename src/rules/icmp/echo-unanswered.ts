import type { Device } from '../../network/context/device.js';
import { wayTo } from '../../network/context/routing.js';
import type { Network } from '../../network/network.js';
import { Trait } from '../../network/stations.js';
import { Direction } from '../../wire/frame.js';
import { IcmpType } from '../../wire/icmp.js';
import { Icmpv6Type } from '../../wire/icmpv6.js';
import { INITIAL_HOPS } from '../initial-hops.js';
import { showsOneWay } from '../one-way-capture.js';
import { type Ping, pingOf } from '../ping.js';
import type { Rule } from '../rule.js';
import { setting } from '../setting.js';
import { isBroadcast, isUnlearned, mayBeBroadcast } from './parts/ping-targets.js';

/** Routers between target and pinging host that are followed at most. */
const MAX_HOPS = 8;
/** Replies without a request from which on the requests are taken to be left out: one may be older than the capture. */
const UNASKED_REPLIES = 2;
/** A host that makes a reply asks for its next hop at once (ns). */
const AT_ONCE_NS = 100e6;

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
          const isHalf = network.vantage === null && toItself(network, ping);
          // Short gaps that passed: a standby took over, or a route changed.
          if (ping.passed > 0 && ping.unanswered < thresholds.gap * ping.passed) {
            withdraw(ping.key);
            return;
          }
          const elsewhere = otherWay(network, ping);
          const isOneWay = showsOneWay(captures[capture]) && !isHeard(network, ping);
          const sees = !isOneWay && seesReplies(network, ping);
          const isFiltered = holdsRequestsOnly(network, capture, captures[capture].frames);
          const isPerhapsGroup = mayBeBroadcast(network, ping);
          const isAlone = !sees && !isOneWay && comesFromOne(network, capture);
          report({
            key: ping.key,
            segment,
            capture,
            count: unanswered,
            first,
            last,
            confidence:
              elsewhere || ping.passed > 0 || isHalf || isOneWay || isAlone || isFiltered || isPerhapsGroup
                ? 'hint'
                : sees
                  ? 'certain'
                  : 'likely',
            title:
              replies === 0
                ? `${from} pings ${to} and gets no reply`
                : `${unanswered} pings from ${from} to ${to} get no reply`,
            summary:
              `${unanswered} echo requests from ${from} to ${to} are in this capture without a reply` +
              (replies === 0 ? '.' : `; ${replies === 1 ? 'one other was' : `${replies} others were`} answered.`) +
              (ping.mac ? ` The latest went to ${ping.mac}.` : '') +
              ' No ICMP error about them is here either.',
            subject: { source: from, destination: to },
            evidence: ping.evidence,
            trail: { of: 'pings', rows: [row] },
            cause: `The requests are lost on the way to ${to}, ${to} does not answer, or its replies are lost or take another way: from this place the three look alike.`,
            remedy: [
              {
                text: 'See which way each end sends to the other',
                commands: [`ip route get ${to}`, `ip route get ${from}`],
              },
              { text: `See whether the requests arrive, on the machine of ${to}`, commands: [watch(ping)] },
            ],
            caveats: [
              ...(isHalf
                ? ['source and destination MAC are the same, as of ipvlan: in mode l3s a child never sees its replies']
                : []),
              ...(isFiltered
                ? ['echo requests of several hosts are all that this capture holds: a filter may have left out replies']
                : []),
              ...(isPerhapsGroup
                ? [
                    `${to} may be the broadcast address of its network, which hosts do not answer: a capture with \`-i any\` keeps no destination MAC`,
                  ]
                : []),
              ...(ping.passed > 0 ? ['replies came again after it: it passed'] : []),
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
            wouldRaise: [`a capture at ${to}: do the requests arrive, and does a reply leave?`],
          });
        },
      },
    };
  },
};

function watch({ from, isIpv4 }: Ping): string {
  return `tcpdump -eni any '${isIpv4 ? 'icmp' : 'icmp6'} and host ${from}'`;
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

function sendsOnly(pings: Network['pings'], row: number): boolean {
  return pings.went(row, Direction.Out) && !pings.went(row, Direction.In);
}

/** Whether the requests came to this machine from another: a router sends them on, and the replies may take another way. */
function isForwarded({ pings, segments }: Network, row: number): boolean {
  if (!INITIAL_HOPS.includes(pings.hops(row))) return true;
  const capture = segments.captureOf(pings.segment(row));
  return pings
    .elsewhere(row)
    .some((other) => segments.captureOf(pings.segment(other)) === capture && pings.went(other, Direction.In));
}

/** Whether the host context shows the whole way back from the target to the pinging host, and it does not pass the machine that captured. */
function returnsPast({ pings, addresses, context, vantage }: Network, row: number): boolean {
  if (!context || !vantage) return false;
  const source = addresses.words(pings.source(row));
  const home = context.devicesByIp(source);
  if (home.length !== 1 || home[0].namespace === vantage.namespace) return false;
  let [at, ...others] = context.devicesByIp(addresses.words(pings.destination(row)));
  for (let hop = 0; hop < MAX_HOPS && at && others.length === 0; hop++) {
    if (at.namespace === vantage.namespace) return false;
    const namespace = context.namespaces.get(at.namespace);
    const routes = namespace ? wayTo(namespace, source).routes : [];
    if (routes.length !== 1) return false;
    const { gateway } = routes[0];
    // The last machine on the way has the pinging host beside it: the switch between them may be where the capture was taken.
    if (!gateway) return hop > 0 && !isSwitch(vantage);
    [at, ...others] = context.devicesByIp(gateway.words);
  }
  return false;
}

/** A port of a bridge sees what machines beside it send to each other. */
function isSwitch({ masterKind, kind }: Device): boolean {
  return masterKind === 'bridge' || kind === 'bridge';
}

/**
 * Whether the capture was taken where the requests enter their target, and the host context shows that it sends to the pinging
 * host by another device: with two in one subnet (ARP flux), or with routes that differ.
 */
function answersElsewhere({ pings, addresses, context, vantage }: Network, row: number): boolean {
  if (!context || !vantage || pings.hi(row) < 0) return false;
  const holders = context.devicesByIp(addresses.words(pings.destination(row)));
  const receivers = context.devicesByMac(pings.hi(row), pings.lo(row));
  const [receiver] = receivers;
  if (receivers.length !== 1) return false;
  if (vantage !== receiver && vantage !== receiver.peer) return false;
  const namespace = holders.some((holder) => holder.namespace === receiver.namespace)
    ? context.namespaces.get(receiver.namespace)
    : undefined;
  return (
    namespace !== undefined &&
    wayTo(namespace, addresses.words(pings.source(row))).routes.some(({ dev }) => dev !== receiver.name)
  );
}

/**
 * Why the replies may come back past this capture (asymmetric routing, where a bystander on one way sees requests only):
 * a machine that is neither the target nor the next hop asks for the pinging host, a connection of its shows one way, a
 * router tells it of a shorter way, or the target asked for a neighbour whose answer did not pass here.
 */
function otherWay(network: Network, { row, from, to, isIpv4 }: Ping): string | null {
  const { pings, resolutions, flows, addresses, icmpErrors } = network;
  if (sendsOnly(pings, row) && !isForwarded(network, row)) return null;
  if (returnsPast(network, row)) return 'by the routes of the host context they pass other machines';
  if (answersElsewhere(network, row)) return 'the target sends to the pinging host by another of its devices';
  const segment = pings.segment(row);
  const source = pings.source(row);
  if (flows.isOneSided(segment, !isIpv4, isIpv4 ? addresses.words(source)[0] : source))
    return `of a TCP connection of ${from} only one way is here, and it goes on`;
  if (isServedUnseen(network, row, isIpv4)) return `${to} is answered here, and nothing that it sends itself is`;
  for (let each = 0; each < icmpErrors.count; each++)
    if (
      icmpErrors.segment(each) === segment &&
      icmpErrors.destination(each) === pings.destination(row) &&
      icmpErrors.type(each) === (isIpv4 ? IcmpType.Redirect : Icmpv6Type.Redirect)
    )
      return `a router redirects ${from}, and does not see the replies to what it sends on`;
  for (const each of resolutions.askedFor(source)) {
    if (resolutions.segment(each) !== segment || resolutions.spa(each) === pings.destination(row)) continue;
    if (resolutions.hi(each) !== pings.hi(row) || resolutions.lo(each) !== pings.lo(row))
      return `another machine asks for ${from} here`;
  }
  if (isUnlearned(network, row))
    return `${to} names a MAC that it never sends from: switches flood what goes there past others, and pass its replies to ${from} alone`;
  const neighbor = askedUnheard(network, row);
  return neighbor < 0
    ? null
    : `${to} asked for ${addresses.format(neighbor)} once, and the answer did not pass here: replies to it need not either`;
}

/**
 * Whether the target gets echo replies or the packets of a connection, while no frame at all of the machine that the requests
 * go to is here: the capture leaves out what it sends (`tcpdump -Q in`, half of a mirror).
 */
function isServedUnseen(network: Network, row: number, isIpv4: boolean): boolean {
  const { pings, flows, addresses, stations } = network;
  const segment = pings.segment(row);
  const station = pings.hi(row) < 0 ? -1 : stations.find(segment, pings.hi(row), pings.lo(row));
  if (station < 0 || stations.sent(station) > 0) return false;
  const target = pings.destination(row);
  if (flows.isOneSided(segment, !isIpv4, isIpv4 ? addresses.words(target)[0] : target)) return true;
  for (let each = 0; each < pings.count; each++)
    if (
      pings.requests(each) === 0 &&
      pings.replies(each) >= UNASKED_REPLIES &&
      pings.segment(each) === segment &&
      pings.source(each) === target
    )
      return true;
  return false;
}

/**
 * The neighbour that the target of a ping from beyond its link asked for at the first request, once, with an answer that is not
 * in the capture: it was content, and answers through that one. -1 if there is none.
 */
function askedUnheard({ pings, resolutions, claims }: Network, row: number): number {
  const segment = pings.segment(row);
  const target = pings.destination(row);
  if (claims.holder(segment, pings.source(row)) >= 0) return -1;
  for (const each of resolutions.askedBy(target)) {
    if (resolutions.segment(each) !== segment || resolutions.tpa(each) === pings.source(row)) continue;
    const after = resolutions.last(each) - pings.first(row);
    const isOnce = resolutions.requests(each) === 1 && resolutions.run(each) === 1;
    if (isOnce && after >= 0 && after <= AT_ONCE_NS) return resolutions.tpa(each);
  }
  return -1;
}
