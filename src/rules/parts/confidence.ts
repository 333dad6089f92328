import type { Confidence } from '../rule.js';

/** What speaks for and against a diagnosis, strongest first: what is left out does not hold, but `likely`, which does. */
interface Reasons {
  /** Something innocent may look alike. */
  readonly hint?: boolean;
  readonly certain: boolean;
  readonly likely?: boolean;
}

/** How sure a diagnosis is: a hint where something speaks against it, else as sure as what speaks for it makes it. */
export function confidenceBy({ hint = false, certain, likely = true }: Reasons): Confidence {
  if (hint) return 'hint';
  if (certain) return 'certain';
  return likely ? 'likely' : 'hint';
}
