import type { Losses } from '../rules/parts/losses.js';
import { listed, times } from '../rules/parts/words.js';
import type { Diagnosis, EvidenceRef, RuleId, Severity } from '../rules/rule.js';
import type { Collector, Reported } from './collector.js';
import { pasteable } from './commands.js';
import { type Explained, explain } from './explain.js';
import type { Finding } from './finding.js';
import { fingerprint } from './fingerprint.js';
import { doubtSilence } from './losses.js';
import { sayOnce } from './once.js';
import { capturesListed, namesOf } from './places/names.js';
import { followTrails, type Places } from './places/places.js';
import { compareRank, type Rankable } from './rank.js';
import type { SegmentRef } from './segment-ref.js';
import { isoFrameTime } from './time.js';

/** Frames listed as evidence of one finding at most, the finding's own before those of its symptoms. */
export const MAX_EVIDENCE = 64;

/** What is needed to put a diagnosis into the words of its surroundings. */
export interface Surroundings {
  /** `Frame.epoch` of the run. */
  readonly epoch: number;
  /** Names the segment of a row of `network.segments`. */
  describeSegment(row: number): SegmentRef;
  /** What captures are compared by. */
  readonly places: Places;
  /** What a capture lost, null if nothing. */
  losses(capture: number): Losses | null;
  /** Severities that the user gives to rules instead of theirs. */
  readonly severity: Readonly<Partial<Record<RuleId, Severity>>>;
  /** Words that must not get into a command (`obeyedWords`). */
  readonly obeyed: readonly string[];
}

/** The findings of a run, symptoms put under their causes, each said once in a capture, worst first. */
export function assemble(collector: Collector, surroundings: Surroundings): Finding[] {
  const byRank = (a: Reported, b: Reported) => compareRank(rankOf(a, surroundings), rankOf(b, surroundings));
  const byTime = (a: Reported, b: Reported) => compareRank(timely(a, surroundings), timely(b, surroundings));
  const all = doubtSilence(collector.all(), (capture) => surroundings.losses(capture));
  const once = sayOnce(all.sort(byTime), (diagnosis) => segmentOf(diagnosis, surroundings));
  const findings = explain(followTrails(once, surroundings.places).sort(byRank))
    .sort(byRank)
    .map((each) => toFinding(each, surroundings));
  tellRefused(findings, collector);
  return findings;
}

function rankOf({ meta, diagnosis }: Reported, { severity }: Surroundings): Rankable {
  return {
    severity: severity[meta.id] ?? diagnosis.severity ?? meta.severity,
    confidence: diagnosis.confidence,
    isCause: diagnosis.confidence !== 'hint' && (diagnosis.explains?.length ?? 0) > 0,
    count: diagnosis.count,
    first: diagnosis.first,
    name: `${meta.id} ${diagnosis.key}`,
  };
}

/** Without the count, which grows differently from device to device while a capture runs. */
function timely(reported: Reported, surroundings: Surroundings): Rankable {
  return { ...rankOf(reported, surroundings), count: 0 };
}

function segmentOf({ segment, capture }: Diagnosis, { describeSegment }: Surroundings): SegmentRef {
  return segment < 0 ? { capture, interface: null, vlans: [], vnis: [] } : describeSegment(segment);
}

function toFinding(explained: Explained, surroundings: Surroundings): Finding {
  const { meta, diagnosis, symptoms } = explained;
  const segment = segmentOf(diagnosis, surroundings);
  return {
    rule: meta.id,
    severity: rankOf(explained, surroundings).severity,
    confidence: diagnosis.confidence,
    title: diagnosis.title,
    summary: `${diagnosis.summary}${alsoSeen(segment, explained.again, surroundings.places)}`,
    subject: diagnosis.subject,
    segment,
    count: diagnosis.count,
    first: timeOf(diagnosis.first, surroundings.epoch),
    last: timeOf(diagnosis.last, surroundings.epoch),
    evidence: evidenceOf(explained),
    cause: diagnosis.cause,
    remedy: diagnosis.remedy.map(({ text, commands }) => ({
      text,
      // What is to be looked at on both ends is one command where the ends have no names.
      commands: [...new Set(commands.map((command) => pasteable(command, surroundings.obeyed)))],
    })),
    caveats: [...(diagnosis.caveats ?? [])],
    wouldRaise: [...(diagnosis.wouldRaise ?? [])],
    context: [...(diagnosis.context ?? [])],
    picture: [...(diagnosis.picture ?? [])],
    explains: symptomsByRule(symptoms),
    fingerprint: fingerprint(meta.id, segment, diagnosis.subject),
  };
}

/** ` The capture shows the same at ifindex 3 and ifindex 4.` */
function alsoSeen({ capture, interface: own }: SegmentRef, all: readonly SegmentRef[], { captures }: Places): string {
  const again = all.filter((each) => each.capture === capture);
  const elsewhere = new Set(again.flatMap(({ interface: name }) => (name === null || name === own ? [] : [name])));
  const here = again.filter((each) => each.interface === own).length;
  return (
    (here > 0 ? ` The capture shows the same ${times(here)} more.` : '') +
    (elsewhere.size > 0
      ? ` ${here > 0 ? 'It' : 'The capture'} shows it at ${listed([...elsewhere].sort())} too.`
      : '') +
    inOthers(new Set(all.map((each) => each.capture)), capture, captures)
  );
}

/** ` sw.pcap and host.pcap show the same.` */
function inOthers(found: ReadonlySet<number>, own: number, captures: Places['captures']): string {
  const names = namesOf(captures).filter((_, capture) => capture !== own && found.has(capture));
  return names.length > 0 ? ` ${capturesListed(names)} ${names.length === 1 ? 'shows' : 'show'} the same.` : '';
}

/** NaN is the time of a capture without frames. */
function timeOf(time: number, epoch: number): string | null {
  return Number.isNaN(time) ? null : isoFrameTime(time, epoch);
}

/** The finding's own evidence, that of other captures, and then its symptoms', each place once, in the order of the frames. */
function evidenceOf({ diagnosis, twins, symptoms }: Explained): Finding['evidence'] {
  const places = new Map<string, EvidenceRef>();
  const others = twins.map((twin) => twin.diagnosis).filter(({ capture }) => capture !== diagnosis.capture);
  for (const { evidence } of [diagnosis, ...others, ...symptoms.map((symptom) => symptom.diagnosis)]) {
    for (const each of evidence) {
      if (places.size === MAX_EVIDENCE) break;
      const place = `${each.capture} ${each.frame} ${each.layer} ${each.offset}`;
      if (!places.has(place)) places.set(place, each);
    }
  }
  return [...places.values()]
    .sort((a, b) => a.capture - b.capture || a.frame - b.frame || a.offset - b.offset)
    .map((each) => ({ ...each, note: each.note ?? '' }));
}

/** One entry for each rule among the symptoms, with the frames that showed it. */
function symptomsByRule(symptoms: readonly Reported[]): Finding['explains'] {
  const byRule = new Map<RuleId, { count: number; frames: Set<number> }>();
  for (const { meta, diagnosis } of symptoms) {
    const entry = byRule.get(meta.id) ?? { count: 0, frames: new Set<number>() };
    entry.count += diagnosis.count;
    for (const { frame } of diagnosis.evidence) if (entry.frames.size < MAX_EVIDENCE) entry.frames.add(frame);
    byRule.set(meta.id, entry);
  }
  return [...byRule].map(([rule, { count, frames }]) => ({ rule, count, frames: [...frames].sort((a, b) => a - b) }));
}

/** Says with the first finding of a rule how many more there were than are kept. */
function tellRefused(findings: readonly Finding[], collector: Collector): void {
  const told = new Set<RuleId>();
  for (const { rule, caveats } of findings) {
    if (told.has(rule)) continue;
    told.add(rule);
    const refused = collector.refused(rule);
    if (refused > 0) caveats.push(`${refused} further reports of ${rule} were not kept: there were too many`);
  }
}
