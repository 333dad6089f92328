import type { Question } from '../../parts/question.js';
import type { Confidence, EvidenceRef, Remedy } from '../../rule.js';

/** What is to be said of one question. */
export interface Mismatch {
  readonly confidence: Confidence;
  readonly title: string;
  readonly summary: string;
  readonly cause: string;
  readonly remedy: readonly Remedy[];
  readonly evidence: readonly EvidenceRef[];
  readonly context: readonly string[];
  readonly count?: number;
  readonly first?: number;
  readonly last?: number;
  /** Further questions that it answers. */
  readonly also?: readonly Question[];
  readonly wouldRaise: readonly string[];
}
