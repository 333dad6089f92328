import { Claim } from '../../network/bindings.js';
import { macKey } from '../../network/context/address.js';
import { IPV6 } from '../../network/flow-rows.js';
import { Attempt } from '../../network/handshake-rows.js';
import type { Network } from '../../network/network.js';
import { ns } from '../../network/settings.js';
import type { Diagnosis, Trail } from '../../rules/rule.js';

/** Clocks of machines that keep time by NTP differ by less (ns of `Frame.time`). */
export const SAME_TIME_NS = 1e9;

/** What one other capture of the run shows of what was asked in vain. */
export interface Trace {
  readonly asked: boolean;
  readonly answered: boolean;
  /** Rows of `segments` in which that is. */
  readonly segments: readonly number[];
  /**
   * Where the answers are seen, as against the diagnosis' own capture: nearer to who asks, by the routers that the requests had passed, or
   * farther. Who asks again for want of an answer proves that all who have one are farther.
   */
  readonly side: 'nearer' | 'farther' | 'unknown';
}

/** A stretch of `Frame.time`. */
interface Span {
  readonly first: number;
  readonly last: number;
}

export function overlap(one: Span, other: Span): boolean {
  return one.first <= other.last + SAME_TIME_NS && other.first <= one.last + SAME_TIME_NS;
}

/** What other captures show of requests in vain. */
export class Traces {
  private readonly neighbors = new Map<string, boolean>();

  constructor(private readonly network: Network) {}

  /** By number, the captures besides the diagnosis' own that show the very same requests. */
  of(diagnosis: Diagnosis & { trail: Trail }): Map<number, Trace> {
    const { network } = this;
    const { trail } = diagnosis;
    const found = new Map<number, Trace>();
    for (const row of trail.rows) {
      for (const [segment, { asked, answered, side }] of SAME[trail.of](network, row, diagnosis)) {
        const capture = network.segments.captureOf(segment);
        if (capture === diagnosis.capture) continue;
        const before = found.get(capture);
        found.set(capture, {
          asked: asked || (before?.asked ?? false),
          answered: answered || (before?.answered ?? false),
          segments: [...(before?.segments ?? []), segment],
          side: before?.answered ? before.side : side,
        });
      }
    }
    return found;
  }

  /**
   * Whether a capture, of the same network at the same time, shows what the target sends, and nobody who could be the asker
   * under another address (NAT): then what is asked in vain does not get there.
   */
  lacks(diagnosis: Diagnosis & { trail: Trail }, capture: number): boolean {
    const { network } = this;
    const { trail } = diagnosis;
    const { bindings, segments } = network;
    const shows = (address: number, claim: number) =>
      bindings
        .ofAddress(address)
        .some(
          (each) => segments.captureOf(bindings.segment(each)) === capture && (bindings.claims(each) & claim) !== 0,
        );
    return trail.rows.every((row) => {
      if (trail.of === 'resolutions')
        // That the target speaks ARP there shows that ARP is captured.
        return shows(network.resolutions.tpa(row), Claim.Own) && this.shareStation(diagnosis.capture, capture);
      const { source, target, isShown } = PACKETS[trail.of];
      return (
        shows(target(network, row), Claim.Source) &&
        shows(source(network, row), Claim.Source) &&
        isShown(network, row, capture, diagnosis)
      );
    });
  }

  /** Whether two captures show frames of one station. */
  private shareStation(one: number, other: number): boolean {
    const key = `${one} ${other}`;
    const known = this.neighbors.get(key) ?? shareStation(this.network, one, other);
    this.neighbors.set(key, known);
    return known;
  }
}

/** Whether two captures show frames of one station. */
function shareStation({ stations, segments }: Network, one: number, other: number): boolean {
  const known = new Set<number>();
  const keyOf = (row: number) => macKey(stations.hi(row), stations.lo(row));
  const isOf = (row: number, capture: number) =>
    stations.sent(row) > 0 && segments.captureOf(stations.segment(row)) === capture;
  for (let row = 0; row < stations.count; row++) if (isOf(row, one)) known.add(keyOf(row));
  for (let row = 0; row < stations.count; row++) if (isOf(row, other) && known.has(keyOf(row))) return true;
  return false;
}

type Rows = readonly (readonly [segment: number, Pick<Trace, 'asked' | 'answered' | 'side'>])[];

/** The same requests at other places, by segment. */
const SAME: Record<Trail['of'], (network: Network, row: number, span: Span) => Rows> = {
  resolutions({ resolutions, settings }, row, span) {
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
        return [
          resolutions.segment(each),
          {
            asked: isOpen && overlap(span, { first: asked, last: asked }),
            answered: isOpen && answer >= span.first - SAME_TIME_NS && answer <= span.last + ns(settings.answerLate),
            side: 'farther',
          },
        ];
      });
  },

  pings({ pings }, row, span) {
    return pings
      .elsewhere(row)
      .filter((each) => overlap(span, { first: pings.first(each), last: pings.last(each) }))
      .map((each) => [
        pings.segment(each),
        {
          asked: pings.requests(each) > 0,
          answered: pings.replies(each) > pings.replies(row),
          side: sideOf(pings.hops(each) - pings.hops(row)),
        },
      ]);
  },

  handshakes({ handshakes }, row, span) {
    return handshakes.elsewhere(row).map((each) => {
      const state = handshakes.state(each);
      const answers = { first: handshakes.firstAnswer(each), last: handshakes.lastAnswer(each) };
      const isAnswered = handshakes.answers(each) > 0 && overlap(span, answers);
      return [
        handshakes.segment(each),
        {
          asked: handshakes.syns(each) > 0,
          answered: isAnswered || state === Attempt.Done || state === Attempt.Refused,
          // Who repeats a SYN has no answer; a connection that goes on had one.
          side: state === Attempt.Done ? 'nearer' : 'farther',
        },
      ];
    });
  },
};

/** By how much higher the TTL of the requests is there. */
function sideOf(difference: number): Trace['side'] {
  return difference === 0 ? 'unknown' : difference > 0 ? 'nearer' : 'farther';
}

/** Of packets that may be routed: who asks whom, rows of `Addresses`, and whether a capture would show it and shows none. */
const PACKETS: Record<
  Exclude<Trail['of'], 'resolutions'>,
  {
    source(network: Network, row: number): number;
    target(network: Network, row: number): number;
    isShown(network: Network, row: number, capture: number, span: Span): boolean;
  }
> = {
  pings: {
    source: ({ pings }, row) => pings.source(row),
    target: ({ pings }, row) => pings.destination(row),
    isShown({ pings, segments }, row, capture, span) {
      let some = false;
      for (let each = 0; each < pings.count; each++) {
        if (segments.captureOf(pings.segment(each)) !== capture) continue;
        some = true;
        const mayBe = pings.destination(each) === pings.destination(row) && pings.requests(each) > 0;
        if (mayBe && overlap(span, { first: pings.first(each), last: pings.last(each) })) return false;
      }
      return some;
    },
  },
  handshakes: {
    source: (network, row) => hostOf(network, row, network.handshakes.client(row)),
    target: (network, row) => hostOf(network, row, network.handshakes.server(row)),
    isShown({ handshakes, segments }, row, capture, span) {
      let some = false;
      for (let each = 0; each < handshakes.count; each++) {
        if (segments.captureOf(handshakes.segment(each)) !== capture) continue;
        some = true;
        const mayBe =
          handshakes.server(each) === handshakes.server(row) &&
          handshakes.serverPort(each) === handshakes.serverPort(row);
        if (mayBe && overlap(span, { first: handshakes.first(each), last: handshakes.last(each) })) return false;
      }
      return some;
    },
  },
};

/** Row of `Addresses` of an end of an attempt to connect. */
function hostOf({ handshakes, addresses }: Network, row: number, end: number): number {
  return (handshakes.place(row) & IPV6) === 0 ? addresses.ipv4(end) : end;
}
