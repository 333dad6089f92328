import type { Network } from '../../network/network.js';
import { applying } from '../../rules/parts/words.js';
import type { CaptureFacts, Diagnosis, EvidenceRef, Trail } from '../../rules/rule.js';
import type { Once } from '../once.js';
import type { SegmentRef } from '../segment-ref.js';
import { SAME_TIME_NS } from './kinds.js';
import { capturesListed, namesOf } from './names.js';
import { captureBetween, captureBeyond, type Stretch, searchBetween } from './search.js';
import { Traces } from './traces.js';

/** What several captures of a run are compared by. */
export interface Places {
  readonly network: Network;
  readonly captures: readonly CaptureFacts[];
}

/**
 * Says of requests in vain how far they get, by the other captures of the run (catalogue 1.3): which of them show the requests,
 * which the answers, and which should show them and do not. What lies between two places is where they are lost.
 */
export function followTrails(all: readonly Once[], { network, captures }: Places): Once[] {
  if (captures.length < 2) return [...all];
  const names = namesOf(captures);
  const traces = new Traces(network);
  return all.flatMap((each) => {
    const { diagnosis, twins } = each;
    const { trail } = diagnosis;
    if (!trail || !traces.holds(diagnosis, trail)) return [each];
    const silent = new Set([diagnosis.capture, ...twins.map((twin) => twin.diagnosis.capture)]);
    const way = wayOf(traces, diagnosis, trail, silent, captures);
    if (way.isAnswered) return [];
    // Captures that lack the answers are named with those that show them.
    const isNamed = ({ capture }: SegmentRef) => way.answered.length > 0 && capture !== diagnosis.capture;
    const again = each.again.filter((segment) => !isNamed(segment));
    return [{ ...each, again, diagnosis: told(diagnosis, trail, way, names) }];
  });
}

/** The captures of a run by what they show of some requests, by number. */
interface Way {
  /** The requests, and that nothing answers: those that the finding is of, and others. */
  readonly silent: readonly number[];
  readonly asked: readonly number[];
  readonly answered: readonly number[];
  /** Frames of those. */
  readonly proof: readonly Pick<EvidenceRef, 'capture' | 'frame' | 'offset' | 'length'>[];
  /** Rows of `segments` that show the answers. */
  readonly segments: readonly number[];
  /** Who is asked, and none of the requests. */
  readonly without: readonly number[];
  /** The answers reach who asks, as far as that can be seen. */
  readonly isAnswered: boolean;
  /** What has the answers is surely beyond what lacks them. */
  readonly isBetween: boolean;
}

function wayOf(
  traces: Traces,
  diagnosis: Diagnosis,
  trail: Trail,
  silent: ReadonlySet<number>,
  captures: readonly CaptureFacts[],
): Way {
  const { first, last, confidence } = diagnosis;
  const found = traces.of(diagnosis, trail);
  const others = [...found].filter(([capture]) => runsBeside(captures, diagnosis, capture));
  // A capture of several devices shows requests in vain at one and their answers at another.
  const answered = others.filter(([, trace]) => trace.answered);
  const answeredAt = new Set(answered.map(([capture]) => capture));
  return {
    silent: [...silent].filter((capture) => !answeredAt.has(capture)),
    asked: others
      .filter(([capture, trace]) => trace.asked && !trace.answered && !silent.has(capture))
      .map(([capture]) => capture),
    answered: answered.map(([capture]) => capture),
    proof: answered.flatMap(([capture, { proof }]) => proof.map((place) => ({ capture, ...place }))),
    segments: answered.flatMap(([, trace]) => trace.segments),
    without: [...captures.keys()].filter((capture) => {
      const facts = captures[capture];
      const covers = facts.first <= first && facts.last >= last && (facts.inbound > 0 || facts.outbound === 0);
      return covers && !silent.has(capture) && !found.has(capture) && traces.lacks(diagnosis, trail, capture);
    }),
    isAnswered: confidence !== 'certain' && answered.some(([, { side }]) => side === 'nearer'),
    isBetween: confidence === 'certain' || answered.every(([, { side }]) => side === 'farther'),
  };
}

/**
 * Whether another capture ran while the requests of a diagnosis were sent, as far as clocks tell. The files of a ring, one after the other,
 * are one place: there the next request was answered.
 */
function runsBeside(captures: readonly CaptureFacts[], { capture, first, last }: Diagnosis, other: number): boolean {
  const [one, two] = [captures[capture], captures[other]];
  return Math.min(one.last, two.last) - Math.max(one.first, two.first) >= Math.max(last - first - SAME_TIME_NS, 0);
}

/** A diagnosis with what the captures show of its requests. */
interface Followed {
  readonly diagnosis: Diagnosis;
  readonly trail: Trail;
  /** What the other captures show added to what the diagnosis says. */
  readonly summary: string;
}

/** Captures by name: those of `silent`, `asked`, `answered` and `without`. */
interface Named {
  readonly here: readonly string[];
  readonly asked: readonly string[];
  readonly there: readonly string[];
  readonly without: readonly string[];
}

function told(diagnosis: Diagnosis, trail: Trail, way: Way, names: readonly string[]): Diagnosis {
  const [here, asked, there, without] = [way.silent, way.asked, way.answered, way.without].map((captures) =>
    captures.map((capture) => names[capture]),
  );
  const named = { here, asked, there, without };
  const followed = { diagnosis, trail, summary: [diagnosis.summary, ...sightings(named)].join(' ') };
  if (there.length > 0) return answersLost(followed, way, named);
  const places = [...here, ...asked];
  if (without.length > 0 && diagnosis.confidence !== 'hint') return requestsLost(followed, places, without);
  const { summary } = followed;
  const { wouldRaise = [] } = diagnosis;
  // More than one place shows that the requests get so far: what is left to ask is beyond them.
  if (places.length < 2 || wouldRaise.length === 0) return { ...diagnosis, summary };
  return { ...diagnosis, summary, wouldRaise: [captureBeyond(trail, places), ...wouldRaise.slice(1)] };
}

function sightings({ here, asked, there, without }: Named): string[] {
  return applying([
    asked.length > 0 && `${show(asked)} the same requests, and no answer.`,
    there.length > 0 && `${show(there)} answers, which ${capturesListed(here)} ${lack(here)}.`,
    without.length > 0 && `${show(without)} frames of who is asked, and none of these requests.`,
  ]);
}

function answersLost({ diagnosis, trail, summary }: Followed, way: Way, { here, there }: Named): Diagnosis {
  const { caveats = [] } = diagnosis;
  const note = `answer of ${trail.target} to ${trail.asker}`;
  const proof = way.proof.map((place) => ({ ...place, layer: 'tcp', note }));
  const stretch = { lost: 'answers', from: there, to: here } as const;
  const found = { ...between(diagnosis, trail, stretch), summary, evidence: [...diagnosis.evidence, ...proof] };
  if (diagnosis.confidence === 'hint') return found;
  const where = `on the way from ${capturesListed(there, 'or')} to ${capturesListed(here, 'or')}`;
  if (!way.isBetween)
    return {
      ...found,
      cause: causeOf(diagnosis, trail, `Answers leave, and are lost ${where} or come back another way.`),
      caveats: [
        ...caveats,
        `that the answers do not reach who asks is not proved: ${capturesListed(there)} shows them`,
      ],
    };
  return {
    ...found,
    title: `${trail.title}: answers get no farther than ${capturesListed(there)}`,
    cause: causeOf(
      diagnosis,
      trail,
      `Answers leave and are lost ${where}: a filter, a VLAN or a port on the way that lets them pass one way only, or a route or neighbour entry that leads them elsewhere.`,
    ),
    explains: [...(diagnosis.explains ?? []), ...inVain(diagnosis.key, way.segments)],
  };
}

function requestsLost(
  { diagnosis, trail, summary }: Followed,
  places: readonly string[],
  without: readonly string[],
): Diagnosis {
  return {
    ...between(diagnosis, trail, { lost: 'requests', from: places, to: without }),
    summary,
    title: `${trail.title}: the requests do not get to ${capturesListed(without, 'or')}`,
    cause: causeOf(
      diagnosis,
      trail,
      `The requests are lost on the way from ${capturesListed(places, 'or')} to ${capturesListed(without, 'or')}: a filter, a VLAN or a port on the way that does not carry them, or a next hop that leads elsewhere.`,
    ),
  };
}

/** The diagnosis with what is to be done next where it is known between which places requests or answers are lost. */
function between(diagnosis: Diagnosis, trail: Trail, stretch: Stretch): Diagnosis {
  return {
    ...diagnosis,
    remedy: [...(trail.cures ?? []), ...searchBetween(trail, stretch)],
    wouldRaise: [captureBetween(stretch)],
  };
}

/** The rule's own cause where it knows a cure: then it is no list of what may be. */
function causeOf({ cause }: Diagnosis, { cures = [] }: Trail, loss: string): string {
  return cures.length > 0 ? cause : loss;
}

/** What is told there of answers that who asks does not take: keys begin with the segment. */
function inVain(key: string, segments: readonly number[]): NonNullable<Diagnosis['explains']> {
  const rest = key.slice(key.indexOf(' '));
  return segments.flatMap(
    (segment) =>
      [
        { rule: 'tcp/synack-repeated', key: `${segment}${rest}` },
        { rule: 'arp/reply-not-accepted', key: `${segment}${rest}` },
        { rule: 'dhcp/offer-ignored', key: `${segment}${rest}` },
      ] as const,
  );
}

function show(names: readonly string[]): string {
  return `${capturesListed(names)} ${names.length === 1 ? 'shows' : 'show'}`;
}

function lack(names: readonly string[]): string {
  return names.length === 1 ? 'does not show' : 'do not show';
}
