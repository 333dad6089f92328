import { describe, expect, it } from 'vitest';
import { Clock } from '../../../src/capture/pcapng/clock.js';

/** Seconds and nanoseconds of a stamp, as the clock tells and as integers without a limit would. */
function both(
  resolution: number,
  offset: bigint,
  stamp: bigint,
  clock = new Clock(resolution, offset),
): [string, string] {
  clock.set(Number(stamp >> 32n), Number(stamp & 0xffffffffn));
  const units = (resolution & 0x80 ? 2n : 10n) ** BigInt(resolution & 0x7f);
  const seconds = stamp / units + offset;
  const nanoseconds = ((stamp % units) * 1_000_000_000n) / units;
  return [`${clock.seconds} ${clock.nanoseconds}`, `${seconds} ${nanoseconds}`];
}

const HALF = 0x100000000n;

describe('clock', () => {
  it.each([0, 1, 3, 6, 8, 9, 10, 12, 18, 19, 127, 0x80, 0x8a, 0x94, 0xa0, 0xbf, 0xff])(
    'is exact at resolution %d, on both sides of every carry',
    (resolution) => {
      const units = (resolution & 0x80 ? 2n : 10n) ** BigInt(resolution & 0x7f);
      const now = 1_700_000_000n * units;
      const stamps = [0n, 1n, units - 1n, units, units + 1n, now - 1n, now, now + 1n, now + units - 1n];
      for (const high of [1n, 2n, 0xffffn, 0x10000n, 395_812_000n, 0xffffffffn]) {
        for (const step of [-1n, 0n, 1n, 0xffffn, 0x10000n, HALF - 1n]) stamps.push(high * HALF + step);
      }
      // One clock for all: it keeps what it knows of the high half.
      const clock = new Clock(resolution, 0n);
      for (const stamp of [...stamps, ...stamps.toReversed()]) {
        if (stamp < 0n || stamp >= HALF * HALF || stamp / units > 253_402_300_799n) continue;
        const [told, exact] = both(resolution, 0n, stamp, clock);
        expect(told).toBe(exact);
      }
    },
  );

  it('agrees with integers without a limit on many stamps', () => {
    let state = 1n;
    const clocks = new Map([6, 9].map((resolution) => [resolution, new Clock(resolution, 0n)]));
    for (let i = 0; i < 3000; i++) {
      state = (state * 6364136223846793005n + 1442695040888963407n) & (HALF * HALF - 1n);
      for (const resolution of [6, 9]) {
        const units = 10n ** BigInt(resolution);
        const [told, exact] = both(resolution, 0n, state % (253_402_300_800n * units), clocks.get(resolution));
        expect(told).toBe(exact);
      }
    }
  });

  it('adds an offset of either sign', () => {
    expect(both(6, -1_000_000_000n, 1_700_000_000_123_456n)).toEqual(['700000000 123456000', '700000000 123456000']);
    expect(both(9, 5_000_000_000n, 1_700_000_000n)[0]).toBe('5000000001 700000000');
  });

  it('keeps times between 1970 and 9999', () => {
    expect(both(6, -2n, 1_999_999n)[0]).toBe('0 0');
    expect(both(0, 0n, HALF * HALF - 1n)[0]).toBe('253402300799 999999999');
    expect(both(6, 0x7fffffffffffffffn, 0n)[0]).toBe('253402300799 999999999');
    expect(both(6, -0x8000000000000000n, 0n)[0]).toBe('0 0');
  });
});
