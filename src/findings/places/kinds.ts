import { IPV6 } from '../../network/flows/flow-rows.js';
import { Attempt } from '../../network/flows/handshake-columns.js';
import { Claim } from '../../network/neighbors/bindings.js';
import type { Network } from '../../network/network.js';
import { ns } from '../../network/settings.js';
import type { EvidenceRef, Trail } from '../../rules/rule.js';
import { DhcpMessage } from '../../wire/dhcp.js';

/** Clocks of machines that keep time by NTP differ by less (ns of `Frame.time`). */
export const SAME_TIME_NS = 1e9;

/** A stretch of `Frame.time`. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

export function overlap(one: Span, other: Span): boolean {
  return one.first <= other.last + SAME_TIME_NS && other.first <= one.last + SAME_TIME_NS;
}

/** What a segment of another capture shows of some requests. */
export interface Sighting {
  readonly segment: number;
  readonly asked: boolean;
  readonly answered: boolean;
  /**
   * Where the answers are seen, as against the diagnosis' own capture: nearer to who asks, by the routers that the requests had passed, or
   * farther. Who asks again for want of an answer proves that all who have one are farther.
   */
  readonly side: 'nearer' | 'farther' | 'unknown';
  /** Frames of the answers, where they are kept. */
  readonly proof?: readonly Pick<EvidenceRef, 'frame' | 'offset' | 'length'>[];
}

/** How requests in vain are known again elsewhere. Rows are those of the table that a trail names. */
interface Kind {
  segment(network: Network, row: number): number;
  /** The same requests and their answers, in whatever segments, the row's own included or not. */
  same(network: Network, row: number, span: Span): readonly Sighting[];
  /**
   * Whether a capture shows what the target sends, and nobody who could be the asker under another address (NAT): then what is
   * asked in vain does not get there. `isNear`: it shows a station that the diagnosis' own capture shows.
   */
  lacks(network: Network, row: number, capture: number, span: Span, isNear: () => boolean): boolean;
}

export const KINDS: Record<Trail['of'], Kind> = {
  resolutions: {
    segment: ({ resolutions }, row) => resolutions.segment(row),
    same({ resolutions, settings }, row, span) {
      return resolutions
        .askedFor(resolutions.tpa(row))
        .filter(
          (each) =>
            resolutions.spa(each) === resolutions.spa(row) &&
            resolutions.lo(each) === resolutions.lo(row) &&
            resolutions.hi(each) === resolutions.hi(row),
        )
        .map((each) => {
          const answer = resolutions.lastAnswer(each);
          const asked = resolutions.last(each);
          // Where the capture shows an answer to a later request, it may be that one which the other shows.
          const isOpen = resolutions.lastAnswer(row) < span.first;
          return {
            segment: resolutions.segment(each),
            asked: isOpen && overlap(span, { first: asked, last: asked }),
            answered: isOpen && answer >= span.first - SAME_TIME_NS && answer <= span.last + ns(settings.answerLate),
            side: 'farther' as const,
          };
        });
    },
    // That the target speaks ARP there shows that ARP is captured.
    lacks: (network, row, capture, _, isNear) =>
      shows(network, network.resolutions.tpa(row), Claim.Own, capture) && isNear(),
  },
  pings: {
    segment: ({ pings }, row) => pings.segment(row),
    same({ pings }, row, span) {
      return pings
        .elsewhere(row)
        .filter((each) => overlap(span, { first: pings.first(each), last: pings.last(each) }))
        .map((each) => ({
          segment: pings.segment(each),
          asked: pings.requests(each) > 0,
          answered: pings.replies(each) > pings.replies(row),
          side: sideOf(pings.hops(each) - pings.hops(row)),
        }));
    },
    lacks(network, row, capture, span) {
      const { pings } = network;
      return (
        shows(network, pings.destination(row), Claim.Source, capture) &&
        isOnTheWay(network, pings.source(row), pings.destination(row), capture) &&
        showsOthers(
          pings,
          network,
          capture,
          span,
          (each) => pings.destination(each) === pings.destination(row) && pings.requests(each) > 0,
        )
      );
    },
  },
  handshakes: {
    segment: ({ handshakes }, row) => handshakes.segment(row),
    same({ handshakes }, row, span) {
      return handshakes.elsewhere(row).map((each) => {
        const state = handshakes.state(each);
        const asked = handshakes.syns(each) > 0;
        const answers = { first: handshakes.firstAnswer(each), last: handshakes.lastAnswer(each) };
        const isAnswered = handshakes.answers(each) > 0 && overlap(span, answers);
        return {
          segment: handshakes.segment(each),
          asked,
          // Without its SYN, what went beyond the handshake may be a later connection from the same port.
          answered: isAnswered || (asked && (state === Attempt.Done || state === Attempt.Refused)),
          // Who repeats a SYN has no answer; a connection that goes on had one.
          side: state === Attempt.Done ? ('nearer' as const) : ('farther' as const),
          proof: handshakes.answerPlaces(each),
        };
      });
    },
    lacks(network, row, capture, span) {
      const { handshakes } = network;
      const [client, server] = [handshakes.client(row), handshakes.server(row)].map((end) => hostOf(network, row, end));
      return (
        shows(network, server, Claim.Source, capture) &&
        isOnTheWay(network, client, server, capture) &&
        showsOthers(
          handshakes,
          network,
          capture,
          span,
          (each) =>
            handshakes.server(each) === handshakes.server(row) &&
            handshakes.serverPort(each) === handshakes.serverPort(row),
        )
      );
    },
  },
  leases: {
    segment: ({ leases }, row) => leases.segment(row),
    same({ leases }, row, span) {
      const found: Sighting[] = [];
      for (let each = 0; each < leases.clientCount; each++) {
        if (leases.lo(each) !== leases.lo(row) || leases.hi(each) !== leases.hi(row)) continue;
        if (leases.identifier(each) !== leases.identifier(row)) continue;
        if (!overlap(span, { first: leases.first(each), last: leases.last(each) })) continue;
        const answered = leases.offers(each) > 0;
        found.push({ segment: leases.segment(each), asked: leases.discovers(each) > 0, answered, side: 'farther' });
      }
      return found;
    },
    lacks({ leases, segments }, _, capture, span, isNear) {
      for (let each = 0; each < leases.exchangeCount; each++) {
        const offered = leases.time(each, DhcpMessage.Offer);
        const at = leases.answeredAt(each);
        if (at >= 0 && segments.captureOf(at) === capture && overlap(span, { first: offered, last: offered }))
          return isNear();
      }
      return false;
    },
  },
};

function shows({ bindings, segments }: Network, address: number, claim: number, capture: number): boolean {
  return bindings
    .ofAddress(address)
    .some((each) => segments.captureOf(bindings.segment(each)) === capture && (bindings.claims(each) & claim) !== 0);
}

/**
 * Whether a capture lies on the way between two hosts, rows of `Addresses`: pings or connections between them pass there at other times. What
 * each has to do with others, as on the devices of other guests, does not tell.
 */
function isOnTheWay(network: Network, one: number, two: number, capture: number): boolean {
  const { pings, handshakes, segments } = network;
  const isPair = (a: number, b: number) => (a === one && b === two) || (a === two && b === one);
  for (let row = 0; row < pings.count; row++)
    if (segments.captureOf(pings.segment(row)) === capture && isPair(pings.source(row), pings.destination(row)))
      return true;
  for (let row = 0; row < handshakes.count; row++) {
    if (segments.captureOf(handshakes.segment(row)) !== capture) continue;
    if (isPair(hostOf(network, row, handshakes.client(row)), hostOf(network, row, handshakes.server(row)))) return true;
  }
  return false;
}

/** Whether a capture shows requests of this table, and none meanwhile that `mayBe` those in question. */
function showsOthers(
  table: Network['pings'] | Network['handshakes'],
  { segments }: Network,
  capture: number,
  span: Span,
  mayBe: (row: number) => boolean,
): boolean {
  let some = false;
  for (let row = 0; row < table.count; row++) {
    if (segments.captureOf(table.segment(row)) !== capture) continue;
    some = true;
    if (mayBe(row) && overlap(span, { first: table.first(row), last: table.last(row) })) return false;
  }
  return some;
}

/** By how much higher the TTL of the requests is there. */
function sideOf(difference: number): Sighting['side'] {
  if (difference === 0) return 'unknown';
  return difference > 0 ? 'nearer' : 'farther';
}

/** Row of `Addresses` of an end of an attempt to connect. */
function hostOf({ handshakes, addresses }: Network, row: number, end: number): number {
  return (handshakes.place(row) & IPV6) === 0 ? addresses.ipv4(end) : end;
}
