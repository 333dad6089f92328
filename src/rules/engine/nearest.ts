import { closest, distance } from 'fastest-levenshtein';

/** The candidate that differs least from `name`, null if more than a third of it would have to change. */
export function nearest(name: string, candidates: readonly string[]): string | null {
  if (candidates.length === 0) return null;
  const best = closest(name, candidates);
  return distance(name, best) <= Math.max(1, name.length / 3) ? best : null;
}
