import { outcomeOf, problemRules } from '../../scripts/score.js';
import type { Finding } from '../../src/findings/finding.js';
import { RULES } from '../../src/rules/index.js';
import type { Shown } from './recorded.js';
import type { Variation } from './variations.js';

/** What is said of a varied capture and differs from the truth, or from what is said of the capture as it is. */
export interface Deviation {
  /**
   * `alarm` where all is well; `forbidden` by the truth; `lost`, or only a hint now (`fainter`): what the truth expects and the capture as it is
   * shows; `new`: a rule that did not speak; `differs`: where nothing may.
   */
  kind: 'alarm' | 'forbidden' | 'lost' | 'fainter' | 'new' | 'differs';
  /** A rule, or the problem as the truth names it. */
  what: string;
  detail: string;
}

const KNOWN: ReadonlySet<string> = new Set(RULES.map(({ meta }) => meta.id));

/** What a cause takes in as its evidence is told by itself, and rightly, where the cause is not seen any more. */
const SYMPTOMS: ReadonlySet<string> = new Set([
  'arp/reply-not-accepted',
  'arp/unanswered',
  'dhcp/no-offer',
  'icmp/echo-unanswered',
  'icmp/unreachable',
  'nd/unanswered',
  'tcp/syn-unanswered',
]);

export function deviationsOf(
  varied: Shown,
  { keeps, besides = [] }: Variation,
  before: readonly Finding[],
  after: readonly Finding[],
): Deviation[] {
  const { healthy } = varied.truth;
  const told = after.filter(({ rule }) => !besides.includes(rule));
  const wereTold = new Set(before.filter(isFirm).map(({ rule }) => rule));
  const alarms = told.filter((each) => isFirm(each) && each.severity !== 'info');
  const isNew = ({ rule }: Finding) => !wereTold.has(rule) && !SYMPTOMS.has(rule);
  return [
    ...(healthy ? alarms : alarms.filter(isNew)).map((each) => deviation(healthy ? 'alarm' : 'new', each)),
    ...forbidden(varied, told),
    ...missing(varied, before, after),
    ...(keeps === 'true' ? [] : differences(before, after, keeps === 'same')),
  ];
}

function isFirm({ confidence }: Finding): boolean {
  return confidence !== 'hint';
}

function deviation(kind: Deviation['kind'], finding: Finding): Deviation {
  return { kind, what: finding.rule, detail: said(finding, true) };
}

function said({ rule, severity, confidence, title, evidence }: Finding, withFrames: boolean): string {
  const frames = withFrames ? ` [${evidence.map(({ frame }) => frame).join(' ')}]` : '';
  return `${rule} ${severity} ${confidence}${frames} ${title}`;
}

function forbidden({ truth, isMixed }: Shown, told: readonly Finding[]): Deviation[] {
  return truth.must_not_report.flatMap((problem) => {
    const rules = problemRules(problem);
    // The background may rightly have notes of its own.
    return told
      .filter((each) => isFirm(each) && rules.includes(each.rule) && !(isMixed && each.severity === 'info'))
      .map((each) => deviation('forbidden', each));
  });
}

function missing({ at, truth, shots }: Shown, before: readonly Finding[], after: readonly Finding[]): Deviation[] {
  const file = at.split('/').at(-1) ?? '';
  return truth.expected_findings.flatMap(({ problem, evidence }): Deviation[] => {
    const frames = evidence[file]?.frames ?? [];
    const numbers = shots.flatMap(({ origin }, i) => (frames.includes(origin) ? [i + 1] : []));
    if (numbers.length === 0 || outcomeOf(problem, frames, before, KNOWN) !== 'found') return [];
    const outcome = outcomeOf(problem, numbers, after, KNOWN);
    if (outcome === 'found') return [];
    return [{ kind: outcome === 'hint' ? 'fainter' : 'lost', what: problem, detail: outcome }];
  });
}

function differences(before: readonly Finding[], after: readonly Finding[], withFrames: boolean): Deviation[] {
  const bare = (finding: Finding) => said({ ...finding, title: '' }, withFrames);
  const [old, now] = [before.map(bare).sort(), after.map(bare).sort()];
  const gone = old.filter((each) => !now.includes(each));
  const come = now.filter((each) => !old.includes(each));
  if (gone.length === 0 && come.length === 0 && old.length === now.length) return [];
  const [what = ''] = (gone[0] ?? come[0] ?? '').split(' ');
  return [{ kind: 'differs', what, detail: `${gone.join(' & ') || 'nothing'} → ${come.join(' & ') || 'nothing'}` }];
}
