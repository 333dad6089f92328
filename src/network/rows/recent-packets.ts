/** Kinds of packets remembered at once; a collision forgets the older one. */
const SLOTS = 1 << 14;
/** A slot in 32-bit words. */
const WORDS = 4;

/**
 * Kinds of IP packets that passed lately: (segment, source MAC, source address). What such a packet adds to the table
 * of bindings, its like has added already, and most packets have one.
 */
export class RecentPackets {
  private readonly words = new Int32Array(SLOTS * WORDS).fill(-1);

  /**
   * Whether such a packet is remembered; it is from now on. `source` is an IPv4 address, or a row of `Addresses` with
   * `place` the complement of the segment.
   */
  has(place: number, hi: number, lo: number, source: number): boolean {
    const { words } = this;
    const hash = Math.imul(lo ^ Math.imul(source, 0x85ebca6b) ^ place, 0xc2b2ae35);
    const at = (hash >>> 18) * WORDS;
    if (words[at] === source && words[at + 1] === lo && words[at + 2] === place && words[at + 3] === hi) return true;
    words[at] = source;
    words[at + 1] = lo;
    words[at + 2] = place;
    words[at + 3] = hi;
    return false;
  }
}
