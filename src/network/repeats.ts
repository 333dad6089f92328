import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { RETRY_MAX_NS, RETRY_MIN_NS, SAME_REQUEST_NS } from './resolutions.js';

/** An answer this long before its request is still the answer to it: ipvlan sends the request later (catalogue 3.3). */
const EARLY_NS = 10e6;
/** A program that asks every second keeps its pause this exactly; a kernel's timer wheel makes it 1.008 to 1.03 s (catalogue 2, A6). */
const SECOND_NS = 1e9;
const EXACT_NS = 5e6;

/**
 * Requests that come again after a retry's pause although the request before was answered (catalogue A6), or answers
 * that come again so where the requests are not seen. Rows are those of `Resolutions`, which calls `begin` for each.
 */
export class Repeats {
  private requests = new Float64Array(0);
  private answers = new Float64Array(0);
  private requestFrames = new Float64Array(0);
  private answerFrames = new Float64Array(0);
  private firsts = new Float64Array(0);
  /** Repetitions in the series, those of them after an exact second, and whether only answers are seen. */
  private counts = new Int32Array(0);
  private exact = new Int32Array(0);
  private answersOnly = new Int8Array(0);
  private lists: Int32Array = new Int32Array(0);

  constructor(
    private readonly frameLists: FrameLists,
    private readonly tell: (row: number) => void,
  ) {}

  /** A request by broadcast, its copies left out. */
  request(row: number, time: number, frame: number, offset: number, length: number): void {
    const gap = time - this.requests[row];
    const wasAnswered = this.answers[row] >= this.requests[row] - EARLY_NS;
    const before = this.requests[row];
    this.requests[row] = time;
    if (this.answersOnly[row] !== 0) this.reset(row);
    if (wasAnswered && gap >= RETRY_MIN_NS && gap <= RETRY_MAX_NS) {
      if (this.counts[row] === 0) {
        this.firsts[row] = before;
        this.list(row, this.requestFrames[row], offset, length);
        this.list(row, this.answerFrames[row], offset, length);
      }
      this.again(row, gap, frame, offset, length);
    } else this.reset(row);
    this.requestFrames[row] = frame;
  }

  answer(row: number, time: number, frame: number, offset: number, length: number): void {
    const before = this.answers[row];
    const gap = time - before;
    if (gap < SAME_REQUEST_NS && gap > -SAME_REQUEST_NS) return;
    this.answers[row] = time;
    if (this.requests[row] === Number.NEGATIVE_INFINITY) {
      if (gap >= RETRY_MIN_NS && gap <= RETRY_MAX_NS) {
        if (this.counts[row] === 0) {
          this.firsts[row] = before;
          this.list(row, this.answerFrames[row], offset, length);
        }
        this.answersOnly[row] = 1;
        this.again(row, gap, frame, offset, length);
      } else this.reset(row);
    } else if (this.counts[row] > 0) this.list(row, frame, offset, length);
    this.answerFrames[row] = frame;
  }

  /** The asker uses the answer after all: what was counted is void. */
  reset(row: number): void {
    this.release(row);
    this.counts[row] = 0;
    this.exact[row] = 0;
    this.answersOnly[row] = 0;
  }

  /** Repetitions in a row: one less than the requests. */
  count(row: number): number {
    return this.counts[row];
  }

  /** Whether every pause is a second to the millisecond, as of a program that asks by the clock. */
  isByTheClock(row: number): boolean {
    return this.exact[row] === this.counts[row];
  }

  /** Whether the requests are not in the capture: only the answers come again. */
  hasAnswersOnly(row: number): boolean {
    return this.answersOnly[row] !== 0;
  }

  /** `Frame.time` of the first request (or answer) of the series. */
  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return Math.max(this.answers[row], this.requests[row]);
  }

  /** Requests and their answers. */
  frames(row: number): { frame: number; offset: number; length: number }[] {
    return this.frameLists.read(this.lists[row]);
  }

  /** A row is new. */
  begin(row: number): void {
    this.requests[row] = Number.NEGATIVE_INFINITY;
    this.answers[row] = Number.NEGATIVE_INFINITY;
    this.counts[row] = 0;
    this.exact[row] = 0;
    this.answersOnly[row] = 0;
    this.lists[row] = 0;
  }

  release(row: number): void {
    this.frameLists.release(this.lists[row]);
    this.lists[row] = 0;
  }

  grow(capacity: number): void {
    this.requests = longer(this.requests, capacity);
    this.answers = longer(this.answers, capacity);
    this.requestFrames = longer(this.requestFrames, capacity);
    this.answerFrames = longer(this.answerFrames, capacity);
    this.firsts = longer(this.firsts, capacity);
    this.counts = enlarged(this.counts, new Int32Array(capacity));
    this.exact = enlarged(this.exact, new Int32Array(capacity));
    this.answersOnly = enlarged(this.answersOnly, new Int8Array(capacity));
    this.lists = enlarged(this.lists, new Int32Array(capacity));
  }

  private again(row: number, gap: number, frame: number, offset: number, length: number): void {
    this.counts[row]++;
    if (Math.abs(gap - SECOND_NS) < EXACT_NS) this.exact[row]++;
    this.list(row, frame, offset, length);
    this.tell(row);
  }

  private list(row: number, frame: number, offset: number, length: number): void {
    this.lists[row] = this.frameLists.append(this.lists[row], frame, offset, length);
  }
}

function enlarged<T extends Int32Array | Int8Array>(column: T, larger: T): T {
  larger.set(column);
  return larger;
}
