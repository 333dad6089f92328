import type { Frame } from '../../wire/frame.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import type { KeyTable } from '../rows/key-table.js';
import { type NetworkSettings, ns } from '../settings.js';
import {
  ANSWER_FRAME,
  DOUBLES,
  EXACT,
  FLAGS,
  Flag,
  LAST,
  LAST_FRAME,
  REPEAT_FIRST,
  REPEAT_LIST,
  REPEATS,
  SERIES_ANSWER,
  STRIDE,
} from './resolution-columns.js';
import { SAME_REQUEST_NS } from './same-request.js';

/** A program that asks every second keeps its pause this exactly; a kernel's timer wheel makes it 1.008 to 1.03 s (catalogue 2, A6). */
const SECOND_NS = 1e9;
const EXACT_NS = 5e6;

/**
 * Requests that come again after a retry's pause although the request before was answered (catalogue A6), or answers
 * that come again so where the requests are not seen. Rows are those of `Resolutions`, which calls `begin` for each.
 */
export class Repeats {
  private readonly answerEarly: number;
  private readonly retryMin: number;
  private readonly retryMax: number;

  constructor(
    private readonly table: KeyTable,
    private readonly lists: FrameLists,
    private readonly tell: (row: number) => void,
    settings: NetworkSettings,
  ) {
    this.answerEarly = ns(settings.answerEarly);
    this.retryMin = ns(settings.retryMin);
    this.retryMax = ns(settings.retryMax);
  }

  /** A request by broadcast, its copies left out. `LAST` is written here, `LAST_FRAME` is that of the request before. */
  request(row: number, frame: Frame, layer: number): void {
    const { cells, doubles } = this.table;
    const double = row * DOUBLES;
    const before = doubles[double + LAST];
    const gap = frame.time - before;
    doubles[double + LAST] = frame.time;
    if ((cells[row * STRIDE + FLAGS] & Flag.AnswersOnly) !== 0) this.reset(row);
    const isRetry = gap >= this.retryMin && gap <= this.retryMax;
    if (isRetry && doubles[double + SERIES_ANSWER] >= before - this.answerEarly) {
      if (this.count(row) === 0) {
        doubles[double + REPEAT_FIRST] = before;
        this.list(row, doubles[double + LAST_FRAME], frame, layer);
        this.list(row, doubles[double + ANSWER_FRAME], frame, layer);
      }
      this.again(row, gap, frame, layer);
    } else if (cells[row * STRIDE + REPEATS] !== 0) this.reset(row);
  }

  answer(row: number, frame: Frame, layer: number): void {
    const { cells, doubles } = this.table;
    const double = row * DOUBLES;
    const before = doubles[double + SERIES_ANSWER];
    const { time } = frame;
    const gap = time - before;
    if (gap < SAME_REQUEST_NS && gap > -SAME_REQUEST_NS) return;
    doubles[double + SERIES_ANSWER] = time;
    if (doubles[double + LAST] === Number.NEGATIVE_INFINITY) {
      if (gap >= this.retryMin && gap <= this.retryMax) {
        if (this.count(row) === 0) {
          doubles[double + REPEAT_FIRST] = before;
          this.list(row, doubles[double + ANSWER_FRAME], frame, layer);
        }
        cells[row * STRIDE + FLAGS] |= Flag.AnswersOnly;
        this.again(row, gap, frame, layer);
      } else if (cells[row * STRIDE + REPEATS] !== 0) this.reset(row);
    } else if (cells[row * STRIDE + REPEATS] !== 0) this.list(row, frame.number, frame, layer);
    doubles[double + ANSWER_FRAME] = frame.number;
  }

  /** The asker uses the answer after all: what was counted is void. */
  reset(row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    this.release(row);
    cells[at + REPEATS] = 0;
    cells[at + EXACT] = 0;
    cells[at + FLAGS] &= ~Flag.AnswersOnly;
  }

  /** Repetitions in a row: one less than the requests. */
  count(row: number): number {
    return this.table.cells[row * STRIDE + REPEATS];
  }

  /** A request comes, with a target hardware address of ones or without. */
  noteProgram(row: number, isByProgram: boolean): void {
    const { cells } = this.table;
    const at = row * STRIDE + FLAGS;
    cells[at] = isByProgram ? cells[at] | Flag.ByProgram : cells[at] & ~Flag.ByProgram;
  }

  /** Whether a program asks, no kernel: the requests look so. */
  isByProgram(row: number): boolean {
    return (this.table.cells[row * STRIDE + FLAGS] & Flag.ByProgram) !== 0;
  }

  /**
   * Whether the pauses are a second to the millisecond, each or on the average (on a busy machine one comes late, and the next
   * early), as of a program that asks by the clock.
   */
  isByTheClock(row: number): boolean {
    const count = this.count(row);
    if (this.table.cells[row * STRIDE + EXACT] === count) return true;
    const last = this.table.doubles[row * DOUBLES + (this.hasAnswersOnly(row) ? SERIES_ANSWER : LAST)];
    return Math.abs((last - this.first(row)) / count - SECOND_NS) < EXACT_NS;
  }

  /** Whether the requests are not in the capture: only the answers come again. */
  hasAnswersOnly(row: number): boolean {
    return (this.table.cells[row * STRIDE + FLAGS] & Flag.AnswersOnly) !== 0;
  }

  /** `Frame.time` of the first request (or answer) of the series. */
  first(row: number): number {
    return this.table.doubles[row * DOUBLES + REPEAT_FIRST];
  }

  last(row: number): number {
    const { doubles } = this.table;
    return Math.max(doubles[row * DOUBLES + SERIES_ANSWER], doubles[row * DOUBLES + LAST]);
  }

  /** Requests and their answers. */
  frames(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + REPEAT_LIST]);
  }

  /** A row is new. */
  begin(row: number): void {
    this.table.doubles[row * DOUBLES + SERIES_ANSWER] = Number.NEGATIVE_INFINITY;
  }

  release(row: number): void {
    const { cells } = this.table;
    this.lists.release(cells[row * STRIDE + REPEAT_LIST]);
    cells[row * STRIDE + REPEAT_LIST] = 0;
  }

  private again(row: number, gap: number, frame: Frame, layer: number): void {
    const { cells } = this.table;
    cells[row * STRIDE + REPEATS]++;
    if (Math.abs(gap - SECOND_NS) < EXACT_NS) cells[row * STRIDE + EXACT]++;
    this.list(row, frame.number, frame, layer);
    this.tell(row);
  }

  /** Lists the frame with this number, whose header lies where that of `frame` does. */
  private list(row: number, number: number, frame: Frame, layer: number): void {
    const { cells } = this.table;
    const at = frame.offsets[layer];
    const length = frame.ends[layer] - at;
    const cell = row * STRIDE + REPEAT_LIST;
    cells[cell] = this.lists.append(cells[cell], number, at - frame.start, length);
  }
}
