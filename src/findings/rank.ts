import type { Confidence, Severity } from '../rules/rule.js';

/** Severities from worst to mildest. */
export const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];
/** Confidences from surest to weakest. */
export const CONFIDENCES: readonly Confidence[] = ['certain', 'likely', 'hint'];

/** Whether `severity` is as bad as `limit` or worse. */
export function atLeastSevere(severity: Severity, limit: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(limit);
}

/** Whether `confidence` is as sure as `limit` or surer. */
export function atLeastSure(confidence: Confidence, limit: Confidence): boolean {
  return CONFIDENCES.indexOf(confidence) <= CONFIDENCES.indexOf(limit);
}

/** What the order of findings depends on. */
export interface Rankable {
  severity: Severity;
  confidence: Confidence;
  /** Whether it explains something else. */
  isCause: boolean;
  count: number;
  /** `Frame.time`. */
  first: number;
  /** Decides where all else is equal, so that the order never depends on chance. */
  name: string;
}

/** What is only a hint may be no fault: it comes behind all errors and warnings that are likely at least, and before notes. */
function weight({ severity, confidence }: Rankable): number {
  if (severity === 'info') return SEVERITIES.length;
  return confidence === 'hint' ? SEVERITIES.length - 1 : SEVERITIES.indexOf(severity);
}

/** Worst first, with hints behind; then surest, causes before what stands alone, most frequent, earliest. */
export function compareRank(a: Rankable, b: Rankable): number {
  return (
    weight(a) - weight(b) ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    CONFIDENCES.indexOf(a.confidence) - CONFIDENCES.indexOf(b.confidence) ||
    Number(b.isCause) - Number(a.isCause) ||
    b.count - a.count ||
    a.first - b.first ||
    Number(a.name > b.name) - Number(a.name < b.name)
  );
}
