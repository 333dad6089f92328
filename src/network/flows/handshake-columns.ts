/** Words of a row of `Handshakes`, behind its key. */

export const MAX_HANDSHAKES = 1 << 12;

export const SEQUENCE = 4;
export const SYNS = 5;
export const ANSWERS = 6;
export const STATE = 7;
export const SYN_LIST = 8;
export const ANSWER_LIST = 9;
export const SYN_DIRECTIONS = 10;
/** Bit of `SYN_DIRECTIONS` beside those of the directions: the SYN was seen a second time. */
export const AGAIN = 1 << 8;
/** Beside it: it came in for another machine than the one that captured. */
export const FOR_OTHER = 1 << 9;
export const ANSWER_DIRECTIONS = 11;
export const HI = 12;
export const LO = 13;
export const TOLD = 14;
/** Row of the first leg and 1; 0 for a first leg. */
export const LEG_OF = 15;
export const ELSEWHERE = 16;
/** Hardware address that the first SYN-ACK came from, if that is not where the SYN was sent to, with 1 above its upper half; else 0. */
export const BACK_HI = 17;
export const BACK_LO = 18;
/** SYNs, or SYN-ACKs, in vain behind the first, while it waits. */
export const NEED = 19;
/** RSTs of the client after a SYN-ACK: frames, where the latest came from (as `BACK_HI`, 0 where the capture does not tell), and its TTL. */
export const RESET_LIST = 20;
export const RESET_HI = 21;
export const RESET_LO = 22;
export const RESET_TTL = 23;
/** SYNs that came again after such a RST, and 1 if the latest had another source MAC than that. */
export const DISOWNED = 24;
export const FOREIGN = 25;
/** TTL of that SYN. */
export const ASKING_TTL = 26;
export const STRIDE = 27;
export const BACK = 1 << 16;

/** How far an attempt to connect came. */
export const Attempt = {
  /** SYNs, perhaps SYN-ACKs, and nothing else. */
  Waiting: 0,
  /** A segment beyond the handshake was seen. */
  Done: 1,
  /** The server answered the SYN with RST. */
  Refused: 2,
  /** Either end reset it later. */
  Aborted: 3,
} as const;
export type Attempt = (typeof Attempt)[keyof typeof Attempt];
