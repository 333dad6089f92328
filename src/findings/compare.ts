import type { Confidence, RuleId, Subject } from '../rules/rule.js';
import type { Finding } from './finding.js';

/** What an expectation states of a finding: what it is and what proves it, no prose. */
export interface StatedFinding {
  rule: RuleId;
  /** Left out: any will do. */
  confidence?: Confidence;
  /** All frames that the evidence names, ascending. */
  frames: number[];
  subject: Subject;
}

/** One way in which the findings are not as expected. */
export type Difference =
  | { readonly kind: 'missing'; readonly expected: StatedFinding }
  | { readonly kind: 'unexpected'; readonly found: Finding }
  /** The same rule about the same subject, or the same frames, but not the same in all. */
  | { readonly kind: 'changed'; readonly expected: StatedFinding; readonly found: Finding };

/** A finding reduced to what an expectation states. */
export function stated({ rule, confidence, evidence, subject }: Finding): StatedFinding {
  return { rule, confidence, frames: [...new Set(evidence.map(({ frame }) => frame))].sort((a, b) => a - b), subject };
}

/** Compares as a set: the order of findings is no promise. */
export function compare(expected: readonly StatedFinding[], findings: readonly Finding[]): Difference[] {
  const open = [...findings];
  const take = (wanted: StatedFinding, ...alike: readonly Likeness[]): Finding | undefined => {
    const at = open.findIndex((each) => alike.every((isAlike) => isAlike(wanted, stated(each))));
    return at < 0 ? undefined : open.splice(at, 1)[0];
  };
  const unmet = expected.filter((each) => !take(each, sameRule, sameSubject, sameFrames, sameConfidence));
  const differences: Difference[] = [];
  const missing: StatedFinding[] = [];
  for (const wanted of unmet) {
    const found = take(wanted, sameRule, sameSubject) ?? take(wanted, sameRule, sameFrames);
    if (found === undefined) missing.push(wanted);
    else differences.push({ kind: 'changed', expected: wanted, found });
  }
  return [
    ...missing.map((each) => ({ kind: 'missing' as const, expected: each })),
    ...differences,
    ...open.map((found) => ({ kind: 'unexpected' as const, found })),
  ];
}

type Likeness = (a: StatedFinding, b: StatedFinding) => boolean;

const sameRule: Likeness = (a, b) => a.rule === b.rule;
const sameSubject: Likeness = (a, b) => identity(a.subject) === identity(b.subject);
const sameFrames: Likeness = (a, b) => a.frames.join() === b.frames.join();
const sameConfidence: Likeness = (a, b) => a.confidence === undefined || a.confidence === b.confidence;

function identity(subject: Subject): string {
  return JSON.stringify(Object.entries(subject).sort(([a], [b]) => (a < b ? -1 : 1)));
}
