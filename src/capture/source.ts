import type { CaptureInfo } from '../wire/capture-info.js';
import type { Frame } from '../wire/frame.js';

/** Called with the frame refilled; the bytes are valid until it returns. */
export type OnFrame = (frame: Frame) => void;

/** Progress of reading, for the person waiting. */
export interface Progress {
  /** Bytes read of the input as it lies on disk. */
  read: number;
  /** Its size in bytes, null for a stream. */
  total: number | null;
}

/** Where frames come from: a file, a stream, devices of this machine. */
export interface CaptureSource {
  /** Filled in while `run` reads. */
  readonly info: CaptureInfo;
  readonly progress: Progress;
  /** Set by `onFrame`, the source waits for it before it reads on: back-pressure. */
  hold?: Promise<unknown> | null;
  /** Set by the reader: a live source calls it while time passes without a frame. Seconds since 1970 and nanoseconds. */
  tick?: ((seconds: number, nanoseconds: number) => void) | null;
  /**
   * Reads to the end and calls `onFrame` once a record with `frame` refilled: bytes, lengths, number,
   * interface, link type, times, direction, position. Does not decode. Gives the event loop a turn at
   * least every few milliseconds. Damage is not an error: it is noted in `info.problems` and what
   * follows is read if it can be.
   * @throws CaptureError if nothing at all could be read (missing, unreadable, not a capture)
   */
  run(frame: Frame, onFrame: OnFrame, signal?: AbortSignal): Promise<void>;
}

/** An input that could not be read at all: `message` says what is wrong and `advice` what to do. */
export class CaptureError extends Error {
  constructor(
    readonly input: string,
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}
