/**
 * Where things stand in a row of pings (`PingRows`), in words behind the key or, where it says so, in doubles; and in a slot
 * of its ring.
 */

/** What each request and reply touches stands in front, a cache line long: counts of both, */
export const REQUESTS = 4;
export const REPLIES = 5;
/** Requests in the ring that wait for their reply. */
export const WAITING = 6;
export const DIRECTION = 7;
/** Bit beside those of the directions: a request was seen a second time. */
export const AGAIN = 1 << 8;
/** Beside it: the request came in for another machine than the one that captured. */
export const FOR_OTHER = 1 << 9;
/** A request came in another IP packet: through a tunnel, of which this place may see one way. */
export const TUNNELLED = 1 << 10;
export const HI = 8;
export const LO = 9;
export const HOPS = 10;
/** Sequence number of a reply that came before its request, and 1. */
export const EARLY = 11;
/** Row of `Echoes` that the latest request is counted in, and 1. */
export const ECHO = 12;
/** Row of the table by identifiers, and 1. */
export const KNOWN = 13;
/** Times and frame numbers are doubles, counted as such from the beginning of the row. */
export const LAST = 7;

/** What `DoubleReplies` keeps of the latest request and the latest reply. */
export const ASKED = 16;
export const ASKED_ID = 17;
export const REPLIED = 18;
export const REPLIED_ID = 19;
export const REPLIER_HI = 20;
export const REPLIER_LO = 21;
export const REPLY_OFFSET = 22;
export const LOST_RUN = 23;
export const REQUEST_FRAME = 12;
export const REPLY_FRAME = 13;
export const REPLY_TIME = 14;
export const FIRST = 15;

/** What is rare. */
export const ERRORS = 32;
export const LOST = 33;
export const LONGEST = 34;
export const LIST = 35;
export const TOLD = 36;
export const GAPS = 37;
export const STRANGER = 38;
export const STRANGE = 39;
export const STRANGE_LIST = 40;
export const REPLY_HI = 41;
export const REPLY_LO = 42;
export const AROUND = 43;
export const AROUND_LIST = 44;
export const REPEATS = 45;
export const DOUBLED = 46;
export const DOUBLED_LIST = 47;
export const EARLY_TIME = 24;
export const STRANGE_TIME = 25;
export const DOUBLED_FIRST = 26;
export const DOUBLED_LAST = 27;
/** Sequence number of the first request. */
export const FIRST_SEQUENCE = 56;
export const STRIDE = 64;
export const DOUBLES = STRIDE / 2;

/** A slot of the ring in words: its sequence number or `ANSWERED`, its offset in the frame; behind them, as doubles, time and frame. */
export const SLOT = 6;
export const OFFSET = 1;
export const SLOT_DOUBLES = SLOT / 2;
export const TIME = 1;
export const FRAME = 2;
export const ANSWERED = -1;
