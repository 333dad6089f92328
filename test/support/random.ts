/** A whole number from 0 to below `n`, the next of a series that is the same in each run. */
export type Below = (n: number) => number;

/** A linear congruential generator (Numerical Recipes 7.1). */
export function randomOf(seed: number): Below {
  let state = seed >>> 0;
  const below = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  // Neighbouring seeds begin alike.
  for (let i = 0; i < 5; i++) below(2);
  return below;
}
