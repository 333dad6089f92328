import type { CaptureSource } from '../../capture/source.js';

/** Milliseconds between two ticks while nothing comes, and by how much a stream may be late. */
const TICK_MS = 250;
const LATENESS_MS = 250;

/**
 * Lets time pass in a stream of which nothing comes: its last frame tells the sender's clock, and since then as much
 * time has passed there as here. So silence is noticed while it lasts.
 */
export function flowing(source: CaptureSource): CaptureSource {
  const run = source.run.bind(source);
  source.run = async (frame, onFrame, signal) => {
    let arrived = 0;
    const timer = setInterval(() => {
      if (arrived === 0) return;
      const passed = performance.now() - arrived - LATENESS_MS;
      if (passed <= 0) return;
      const nanoseconds = frame.nanoseconds + passed * 1e6;
      source.tick?.(frame.seconds + Math.floor(nanoseconds / 1e9), nanoseconds % 1e9);
    }, TICK_MS);
    try {
      await run(
        frame,
        (frame) => {
          arrived = performance.now();
          onFrame(frame);
        },
        signal,
      );
    } finally {
      clearInterval(timer);
    }
  };
  return source;
}

/** The source, ended after so many frames (null: after all of them), or when it is told to: neither is damage to it. */
export function limited(source: CaptureSource, count: number | null): CaptureSource {
  const run = source.run.bind(source);
  source.run = async (frame, onFrame, signal) => {
    const enough = new AbortController();
    const ending = signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal]);
    let wasWhole = ending.aborted;
    const noteState = () => {
      wasWhole = source.info.complete;
    };
    ending.addEventListener('abort', noteState, { once: true });
    let left = count ?? Number.POSITIVE_INFINITY;
    await run(
      frame,
      (frame) => {
        // A reader ends at its next pause: what it hands on until then was not asked for.
        if (left <= 0) return;
        onFrame(frame);
        if (--left === 0) enough.abort();
      },
      ending,
    );
    ending.removeEventListener('abort', noteState);
    if (wasWhole) source.info.complete = true;
  };
  return source;
}
