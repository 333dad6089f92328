import type { Network } from '../../../network/network.js';
import { ns } from '../../../network/settings.js';
import { asSymptom, type Question, questionOf } from '../../parts/question.js';
import { asRepeated, REPETITIONS } from '../../parts/repeated.js';
import type { EvidenceRef, RuleId } from '../../rule.js';

/** Segments in which the same question is looked for, so that one cause is told once. */
const MAX_SEGMENTS = 4096;
/** Other places of one question that a finding explains: a trunk has fewer; in a flood they would be as many as its segments. */
const MAX_TWINS = 64;

/** Answers to a question that came with other tags than it was asked with. */
export interface Astray {
  readonly segment: number;
  readonly count: number;
  /** Tags of the question and of its answers, outermost first. */
  readonly asked: readonly number[];
  readonly answered: readonly number[];
  /** Whether the difference is a tag that one of them lacks. */
  readonly isNative: boolean;
  readonly evidence: EvidenceRef[];
}

/** Where the answers to an unanswered question came instead; null if they came nowhere, or the question was asked there too. */
export function astray(network: Network, question: Question): Astray | null {
  const { resolutions, segments } = network;
  const { row, segment, capture, isIpv4, tpa } = question;
  for (const other of segments.siblings(segment)) {
    const twin = sameQuestion(network, row, other);
    if (twin < 0 || resolutions.strays(twin) === 0) continue;
    const late = resolutions.lastAnswer(twin);
    if (!isTimely(network, question, late)) continue;
    const asked = segments.describe(segment).vlans;
    const answered = segments.describe(other).vlans;
    const note = `${isIpv4 ? 'ARP reply' : 'neighbor advertisement'} for ${tpa}, ${tagWords(answered)}`;
    const evidence = resolutions
      .strayFrames(twin)
      .map((place) => ({ capture, layer: isIpv4 ? 'arp' : 'icmpv6', note, ...place }));
    return {
      segment: other,
      count: resolutions.strays(twin),
      asked,
      answered,
      isNative: differByOne(asked, answered),
      evidence,
    };
  }
  return null;
}

/**
 * Row of the question in another segment of the same port with which the target looks for the very host that looks for
 * it here, both in vain. -1 if there is none.
 */
export function mutualQuestion(network: Network, { row, segment }: Question): number {
  const { resolutions, segments, claims, bindings } = network;
  const spa = resolutions.spa(row);
  const tpa = resolutions.tpa(row);
  if (claims.holder(segment, tpa) >= 0) return -1;
  for (const other of segments.siblings(segment)) {
    const holder = claims.holder(other, tpa);
    if (holder < 0 || claims.holder(other, spa) >= 0) continue;
    const back = resolutions.find(other, bindings.hi(holder), bindings.lo(holder), tpa, spa);
    if (back >= 0 && resolutions.run(back) >= 2) return back;
  }
  return -1;
}

/**
 * The question that was asked first of the two with which two hosts look for each other in vain, with the other one as well: one
 * cause is told once. `also` is empty where only one of them asks.
 */
export function bothWays(network: Network, question: Question): { first: Question; also: Question[] } {
  const { resolutions, segments, claims, bindings } = network;
  const [spa, tpa] = [resolutions.spa(question.row), resolutions.tpa(question.row)];
  for (const segment of [question.segment, ...segments.siblings(question.segment)]) {
    const holder = claims.holder(segment, tpa);
    const back = holder < 0 ? -1 : resolutions.find(segment, bindings.hi(holder), bindings.lo(holder), tpa, spa);
    if (back < 0 || resolutions.run(back) < 2) continue;
    const other = questionOf(network, back);
    return back < question.row ? { first: other, also: [question] } : { first: question, also: [other] };
  }
  return { first: question, also: [] };
}

/**
 * Another VLAN of the same port in which the target is alive, while it never was where it is asked for; -1 if there is none. Not
 * where the answers come astray, or where the question is asked there too.
 */
export function elsewhere(network: Network, { row, segment }: Question): number {
  const { resolutions, segments, claims, bindings } = network;
  const tpa = resolutions.tpa(row);
  if (claims.holder(segment, tpa) >= 0) return -1;
  let found = -1;
  for (const other of segments.siblings(segment)) {
    if (sameQuestion(network, row, other) >= 0) return -1;
    const holder = claims.holder(other, tpa);
    if (holder < 0) continue;
    // Whoever is at both places joins the two.
    if (bindings.find(other, resolutions.hi(row), resolutions.lo(row), resolutions.spa(row)) >= 0) return -1;
    found = other;
  }
  return found;
}

/** Ports below the one that asks, by device number: whether an answer came to the parent of a VLAN device, and was not handed up. */
export function answeredBelow(network: Network, question: Question): boolean {
  const { row, segment, capture, asker } = question;
  const { segments, resolutions } = network;
  const { deviceIndex, vlans } = segments.describe(segment);
  if (asker?.kind !== 'vlan' || !asker.parent || asker.index !== deviceIndex || vlans.length > 0) return false;
  for (let other = 0; other < Math.min(segments.count, MAX_SEGMENTS); other++) {
    const twin = sameQuestion(network, row, other);
    if (twin < 0) continue;
    const path = segments.describe(other);
    if (path.capture !== capture || path.deviceIndex !== asker.parent.index || path.vnis.length > 0) continue;
    const late = resolutions.lastAnswer(twin);
    if (isTimely(network, question, late)) return true;
  }
  return false;
}

/** The same question at another port or with other tags, and pings between the two in whatever VLANs: symptoms of the same fault. */
export function symptoms(network: Network, question: Question): { rule: RuleId; key: string }[] {
  const { segments, resolutions, pings } = network;
  const tail = question.key.slice(question.key.indexOf(' '));
  const found: { rule: RuleId; key: string }[] = [];
  let twins = 0;
  for (let segment = 0; segment < Math.min(segments.count, MAX_SEGMENTS) && twins < MAX_TWINS; segment++) {
    const twin = sameQuestion(network, question.row, segment);
    if (twin < 0) continue;
    twins++;
    // Where only the answers pass, they come again and again.
    if (resolutions.repeats.count(twin) >= REPETITIONS) found.push(asRepeated({ key: `${segment}${tail}` }));
    if (resolutions.run(twin) >= 2) found.push(...asSymptom({ ...question, segment, key: `${segment}${tail}` }));
  }
  // Who remembers the MAC of the other pings it, in the VLAN of either.
  for (const ping of pings.ofPair(resolutions.spa(question.row), resolutions.tpa(question.row)))
    if (segments.captureOf(pings.segment(ping)) === question.capture)
      found.push({ rule: 'icmp/echo-unanswered', key: String(ping) });
  return found;
}

/** Whether an answer at this `Frame.time` can be one to the question. */
function isTimely({ settings }: Network, { first, last }: Question, time: number): boolean {
  return time >= first - ns(settings.answerEarly) && time <= last + ns(settings.answerLate);
}

/** Row of the same question in another segment, -1 if it is not asked there. */
export function sameQuestion({ resolutions }: Network, row: number, segment: number): number {
  return resolutions.find(
    segment,
    resolutions.hi(row),
    resolutions.lo(row),
    resolutions.spa(row),
    resolutions.tpa(row),
  );
}

/** `in VLAN 100`, `in VLAN 1000/100`, `untagged`. */
export function tagWords(vlans: readonly number[]): string {
  return vlans.length === 0 ? 'untagged' : `in VLAN ${vlans.join('/')}`;
}

/** Whether one stack is the other with one tag more, as where one end of a link takes a VLAN for its native one. */
export function differByOne(a: readonly number[], b: readonly number[]): boolean {
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  if (longer.length !== shorter.length + 1) return false;
  return (
    shorter.every((vlan, index) => vlan === longer[index + 1]) || shorter.every((vlan, index) => vlan === longer[index])
  );
}

/** Rows of `tags` that belong to a capture. */
export function tagsOf({ tags, segments }: Network, capture: number): number[] {
  const rows = Array.from({ length: tags.count }, (_, row) => row);
  return rows.filter((row) => segments.captureOf(tags.segment(row)) === capture);
}

/** `1 frame`, `3 frames`. */
export function framesWord(count: number): string {
  return count === 1 ? '1 frame' : `${count} frames`;
}
