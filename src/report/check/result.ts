import { type Difference, type StatedFinding, stated } from '../../findings/compare.js';
import type { Analysis } from '../../findings/finding.js';
import { frameList } from '../text/words.js';

/** What became of one capture. */
export interface CheckedCapture {
  /** As the user would name it. */
  readonly name: string;
  /** Null if it could not be read; why is in `failure`. */
  readonly analysis: Analysis | null;
  /** Why it could not be compared at all, if so. */
  readonly failure: string | null;
  readonly differences: readonly Difference[];
  /** Findings beyond the expectation that the baseline accepts. */
  readonly accepted: number;
}

interface CheckResult {
  readonly captures: readonly CheckedCapture[];
  /** Entries of the baseline that no finding matched any more. */
  readonly stale: readonly { readonly capture: string; readonly rule: string; readonly title: string }[];
}

export type CheckReporter = (result: CheckResult, options: { width: number; color: boolean }) => string;

export function isGood({ failure, differences }: CheckedCapture): boolean {
  return failure === null && differences.length === 0;
}

/** What is said of a difference: lines that begin with `-` (expected) and `+` (found). */
export function differenceLines(difference: Difference): string[] {
  switch (difference.kind) {
    case 'missing':
      return [`- ${inShort(difference.expected)}   expected, not found`];
    case 'unexpected':
      return [`+ ${inShort(stated(difference.found))}   found, not expected: ${difference.found.title}`];
    case 'changed': {
      const { expected, found } = difference;
      return [`- ${inShort(expected)}   expected`, `+ ${inShort(stated(found))}   found: ${found.title}`];
    }
  }
}

/** `arp/unanswered  certain  frames 1–3  ip 172.16.91.102` */
function inShort({ rule, confidence, frames, subject }: StatedFinding): string {
  const about = Object.entries(subject).map(([kind, value]) => `${kind} ${value}`);
  const proof = frames.length === 0 ? 'no frames' : `${frames.length === 1 ? 'frame' : 'frames'} ${frameList(frames)}`;
  return [rule, confidence ?? 'any confidence', proof, about.join(', ')].join('  ');
}
