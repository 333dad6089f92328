/*
 * A row of `Resolutions`, behind its key (segment and hi, lo, spa, tpa): numbers and times side by side, for a question
 * should touch few cache lines. What an answered question needs comes first.
 */

/** Requests of the current run, 0 once it is answered. */
export const RUN = 4;
/** Bits of `Flag`. */
export const FLAGS = 5;
/** The unanswered requests, and how many. */
export const LIST = 6;
export const REQUESTS = 7;
/** Times, as doubles: of the latest request and of the latest answer, -Infinity before the first. */
export const LAST = 4;
export const ANSWER = 5;
/** The same of answers more than 200 ms after the one before. */
export const SERIES_ANSWER = 6;
/** Time of the first request of the first unanswered run. */
export const FIRST = 7;
/** Numbers of the frames of `LAST` and `SERIES_ANSWER`. */
export const LAST_FRAME = 8;
export const ANSWER_FRAME = 9;
export const ECHOES = 20;
export const RETRIES = 21;
/** `Repeats`: repetitions in the series, those of them after an exact second, their frames, and the time of the first. */
export const REPEATS = 22;
export const EXACT = 23;
export const REPEAT_LIST = 24;
/** Row of `Bindings` of the asker and the address it asks for. */
export const ASKED = 25;
export const REPEAT_FIRST = 13;
export const SELF_TIME = 14;
export const SELF_REPLIES = 30;
export const SELF_LIST = 31;
export const EARLY_SELF_REPLIES = 32;
export const STRAYS = 33;
export const STRAY_LIST = 34;
/** Answers that came after a run had been told as unanswered, as if to its requests. */
export const LATE = 35;

export const STRIDE = 36;
/** The same in doubles. */
export const DOUBLES = STRIDE / 2;

export const Flag = {
  /** The run was told as unanswered. */
  Told: 1,
  /** An answer came after the unanswered run, to a later request. */
  Recovered: 2,
  /** There were answers that named one address twice, at `SELF_TIME` lately. */
  SelfReplied: 4,
  /** What repeats are answers; their requests are not seen. */
  AnswersOnly: 8,
  /** The latest request has a target hardware address, as those of arping have; a kernel leaves it empty. */
  ByProgram: 16,
  /** A run was told as unanswered, and a later request was answered. */
  Waited: 32,
} as const;
