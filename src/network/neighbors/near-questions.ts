const BITS = 11;

/** Slots of a list of rows at hand, by hash of the question that is their key: most answers follow their request. */
export const NEAR_QUESTIONS = 1 << BITS;

/** The slot of (lo, spa, tpa); which segment it is and the rest of the MAC, the key in the row tells. */
export function nearQuestion(lo: number, spa: number, tpa: number): number {
  return Math.imul(lo ^ Math.imul(tpa ^ (spa << 16), 0x85ebca6b), 0x9e3779b1) >>> (32 - BITS);
}
