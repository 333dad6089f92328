import { closest, distance } from 'fastest-levenshtein';

/** The candidate that differs least from `name`, however both are capitalized; null if more than a third would have to change. */
export function nearest(name: string, candidates: readonly string[]): string | null {
  if (candidates.length === 0) return null;
  const wanted = name.toLowerCase();
  const small = candidates.map((each) => each.toLowerCase());
  const best = closest(wanted, small);
  return distance(wanted, best) <= Math.max(1, name.length / 3) ? candidates[small.indexOf(best)] : null;
}
