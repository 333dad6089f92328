import type { Confidence, RuleId, Severity, Subject } from '../rules/rule.js';
import type { Analysis, Finding } from './finding.js';
import { atLeastSevere, atLeastSure } from './rank.js';

/** A fault that is known and accepted: what it must be, and why it is not to be shown. */
export interface Suppression {
  readonly rule?: RuleId;
  readonly fingerprint?: string;
  /** Every entry must be in the finding's subject. */
  readonly subject?: Subject;
  readonly reason: string;
}

/** The findings that no suppression matches, and what is left to say of the others. */
export function suppress(
  all: readonly Finding[],
  suppressions: readonly Suppression[],
): Pick<Analysis, 'findings' | 'suppressed'> {
  const findings: Finding[] = [];
  const suppressed: Analysis['suppressed'] = [];
  for (const finding of all) {
    const suppression = suppressions.find((each) => suppresses(each, finding));
    if (suppression === undefined) {
      findings.push(finding);
    } else {
      const { rule, title, fingerprint } = finding;
      suppressed.push({ rule, title, fingerprint, reason: suppression.reason });
    }
  }
  return { findings, suppressed };
}

/** Whether everything that the suppression names is so in the finding. */
function suppresses({ rule, fingerprint, subject = {} }: Suppression, finding: Finding): boolean {
  return (
    (rule === undefined || rule === finding.rule) &&
    (fingerprint === undefined || fingerprint === finding.fingerprint) &&
    Object.entries(subject).every(([kind, value]) => finding.subject[kind] === value)
  );
}

/** The analysis with only the findings that are at least so severe and so sure; the others are counted as hidden. */
export function showOnly(analysis: Analysis, severity: Severity, confidence: Confidence): Analysis {
  const findings = analysis.findings.filter(
    (each) => atLeastSevere(each.severity, severity) && atLeastSure(each.confidence, confidence),
  );
  const hidden = analysis.hidden + analysis.findings.length - findings.length;
  return { ...analysis, findings, summary: summarize(findings), hidden };
}

/** How many findings there are of each severity. */
export function summarize(findings: readonly Finding[]): Analysis['summary'] {
  const summary = { error: 0, warning: 0, info: 0 };
  for (const { severity } of findings) summary[severity]++;
  return summary;
}

/** Whether a finding is of this severity or worse at `likely` or `certain`: what makes the exit status 1. */
export function fails({ findings }: Analysis, severity: Severity): boolean {
  return findings.some((each) => each.confidence !== 'hint' && atLeastSevere(each.severity, severity));
}
