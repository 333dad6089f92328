import type { Frame } from '../../wire/frame.js';

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
