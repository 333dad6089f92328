import type { Frame } from '../../wire/frame.js';

/** How many of `count` frames, whose numbers rise, have a number below `number`. */
export function framesBefore(number: number, count: number, numberAt: (index: number) => number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numberAt(middle) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

export type VisitFrame = (frame: Frame) => void;

/** One capture's frames by number. Numbers rise, but may leave some out: pasted frames go by their lines. */
export interface Shelf {
  /** Takes a frame in as it passes. */
  note(frame: Frame): void;
  /** Number of the first frame that can be had, and of the last; 1 and 0 if there are none. */
  range(): readonly [first: number, last: number];
  /** Number of the nearest frame there is, at `number` or behind it (`step` 1) or before it (-1). */
  nearest(number: number, step: 1 | -1): number;
  /** Shows up to `count` frames from this number on, not decoded. The frame is refilled for each. */
  visit(from: number, count: number, onFrame: VisitFrame): void;
  close(): void;
}
