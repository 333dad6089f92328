import { basename } from 'node:path';
import type { Network } from '../../network/network.js';
import type { CaptureFacts, Diagnosis, Trail } from '../../rules/rule.js';
import { printable } from '../../wire/printable.js';
import type { Once } from '../once.js';
import { SAME_TIME_NS } from './kinds.js';
import { Traces } from './traces.js';

/** Captures that a sentence names. */
const MAX_NAMED = 4;

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
    return way.isAnswered ? [] : [{ ...each, diagnosis: told(diagnosis, way, names) }];
  });
}

/** Names of captures for a sentence: without folders, where that tells them apart. */
export function namesOf(captures: readonly CaptureFacts[]): string[] {
  const short = captures.map(({ info }) => (info.name === '-' ? 'standard input' : basename(info.name)));
  const times = new Map<string, number>();
  for (const name of short) times.set(name, (times.get(name) ?? 0) + 1);
  return short.map((name, i) => printable(times.get(name) === 1 ? name : captures[i].info.name));
}

/** `a.pcap, b.pcap and 2 more`. */
export function listed(names: readonly string[], word = 'and'): string {
  if (names.length > MAX_NAMED)
    return `${names.slice(0, MAX_NAMED).join(', ')} ${word} ${names.length - MAX_NAMED} more`;
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} ${word} ${names[names.length - 1]}`;
}

/** The captures of a run by what they show of some requests, by number. */
interface Way {
  /** The requests, and that nothing answers: those that the finding is of, and others. */
  readonly silent: readonly number[];
  readonly asked: readonly number[];
  readonly answered: readonly number[];
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

function told(diagnosis: Diagnosis, way: Way, names: readonly string[]): Diagnosis {
  const [here, asked, there, without] = [way.silent, way.asked, way.answered, way.without].map((captures) =>
    captures.map((capture) => names[capture]),
  );
  const { title, caveats = [] } = diagnosis;
  const summary = [
    diagnosis.summary,
    ...(asked.length > 0 ? [`${show(asked)} the same requests, and no answer.`] : []),
    ...(there.length > 0 ? [`${show(there)} answers, which ${listed(here)} ${lack(here)}.`] : []),
    ...(without.length > 0 ? [`${show(without)} frames of who is asked, and none of these requests.`] : []),
  ].join(' ');
  if (diagnosis.confidence === 'hint') return { ...diagnosis, summary };
  if (there.length > 0 && way.isBetween)
    return {
      ...diagnosis,
      summary,
      title: `${title}: answers get no farther than ${listed(there)}`,
      cause: `Answers leave and are lost on the way from ${listed(there, 'or')} to ${listed(here, 'or')}: a filter, a VLAN or a port on the way that lets them pass one way only, or a route or neighbour entry that leads them elsewhere.`,
      wouldRaise: [
        `a capture on the way from ${listed(there, 'or')} to ${listed(here, 'or')}: how far do the answers get?`,
      ],
      explains: [...(diagnosis.explains ?? []), ...inVain(diagnosis.key, way.segments)],
    };
  if (there.length > 0)
    return {
      ...diagnosis,
      summary,
      cause: `Answers leave, and are lost on the way from ${listed(there, 'or')} to ${listed(here, 'or')} or come back another way.`,
      caveats: [...caveats, `that the answers do not reach who asks is not proved: ${listed(there)} shows them`],
    };
  if (without.length === 0) return { ...diagnosis, summary };
  const [from, to] = [listed([...here, ...asked], 'or'), listed(without, 'or')];
  return {
    ...diagnosis,
    summary,
    title: `${title}: the requests do not get to ${to}`,
    cause: `The requests are lost on the way from ${from} to ${to}: a filter, a VLAN or a port on the way that does not carry them, or a next hop that leads elsewhere.`,
    wouldRaise: [`a capture on the way from ${from} to ${to}: how far do the requests get?`],
  };
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
  return `${listed(names)} ${names.length === 1 ? 'shows' : 'show'}`;
}

function lack(names: readonly string[]): string {
  return names.length === 1 ? 'does not show' : 'do not show';
}
