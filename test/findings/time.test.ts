import { expect, it } from 'vitest';
import { isoFrameTime, isoTime } from '../../src/findings/time.js';

it.each([
  [0, 0, '1970-01-01T00:00:00.000000000Z'],
  [1_767_323_045, 678_901_234, '2026-01-02T03:04:05.678901234Z'],
  [4_294_967_295, 999_999_999, '2106-02-07T06:28:15.999999999Z'],
  [1e18, 5, '+275760-09-13T00:00:00.000000005Z'],
])('%d s and %d ns are %s', (seconds, nanoseconds, iso) => {
  expect(isoTime(seconds, nanoseconds)).toBe(iso);
});

it('counts frame times from the epoch of the run, backwards too', () => {
  expect(isoFrameTime(1_000_000_001, 10)).toBe('1970-01-01T00:00:11.000000001Z');
  expect(isoFrameTime(-1, 10)).toBe('1970-01-01T00:00:09.999999999Z');
});
