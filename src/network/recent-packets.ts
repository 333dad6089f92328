/** Kinds of packets remembered at once; a collision forgets the older one. */
const SLOTS = 1 << 12;
/** A slot is half a cache line, in 32-bit words. */
const WORDS = 8;

/**
 * Kinds of IPv4 packets that passed lately: (segment, source and destination MAC, source address). What such a packet
 * adds to the tables of stations and bindings, its like has added already, and most packets have one.
 */
export class RecentPackets {
  private readonly words = new Int32Array(SLOTS * WORDS).fill(-1);

  /** Whether such a packet is remembered; it is from now on. */
  has(segment: number, hi: number, lo: number, hiTo: number, loTo: number, source: number): boolean {
    const { words } = this;
    let hash = Math.imul(lo ^ source, 0x85ebca6b) ^ Math.imul(loTo + segment, 0xc2b2ae35);
    hash ^= hash >>> 15;
    const at = (hash & (SLOTS - 1)) * WORDS;
    if (
      words[at] === source &&
      words[at + 1] === lo &&
      words[at + 2] === loTo &&
      words[at + 3] === segment &&
      words[at + 4] === hi &&
      words[at + 5] === hiTo
    )
      return true;
    words[at] = source;
    words[at + 1] = lo;
    words[at + 2] = loTo;
    words[at + 3] = segment;
    words[at + 4] = hi;
    words[at + 5] = hiTo;
    return false;
  }
}
