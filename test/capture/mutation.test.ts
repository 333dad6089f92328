import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/source.js';
import { randomOf } from '../support/random.js';
import { read } from './read.js';

const folder = fileURLToPath(new URL('../../fixtures/formats/', import.meta.url));
const files = readdirSync(folder).filter((name) => /\.(pcap|pcapng|gz|zst)$/.test(name));

/** Values that lengths and counts break on. */
const TELLING = [0x00, 0x01, 0x03, 0x04, 0x7f, 0x80, 0xfe, 0xff];

/** Reads whatever it is to its end. Returns the frames, none where it is no capture; anything else thrown fails. */
async function survive(bytes: Uint8Array): Promise<number> {
  try {
    const { info, frames } = await read(bytes);
    expect(info.problems.length).toBeLessThanOrEqual(20);
    if (!info.complete) expect(info.problems.length).toBeGreaterThan(0);
    expect(info.problems.filter((problem) => !(problem.offset >= 0))).toEqual([]);
    expect(frames.filter((frame) => !/^\d{1,12}\.\d{9}$/.test(frame.time))).toEqual([]);
    return frames.length;
  } catch (error) {
    if (error instanceof CaptureError) return 0;
    throw error;
  }
}

describe.each(files)('%s', (name) => {
  const bytes = readFileSync(folder + name);

  it('is read as far as it goes, cut anywhere', async () => {
    const whole = await survive(bytes);
    let before = 0;
    // The one larger file is compressed: most cuts of it end in the same block.
    const step = bytes.length > 4000 ? 29 : 1;
    for (let length = 0; length < bytes.length; length += step) {
      const count = await survive(bytes.subarray(0, length));
      expect(count).toBeGreaterThanOrEqual(before);
      before = count;
    }
    expect(before).toBeLessThanOrEqual(whole);
  });

  it('is read to some end, whatever its bytes', async () => {
    const random = randomOf(bytes.length);
    for (let i = 0; i < 250; i++) {
      const mutant = Buffer.from(bytes);
      for (let changes = 1 + random(4); changes > 0; changes--) {
        // Headers are where a byte matters most.
        const at = random(random(2) === 0 ? Math.min(200, mutant.length) : mutant.length);
        mutant[at] = random(2) === 0 ? random(256) : TELLING[random(TELLING.length)];
      }
      await survive(mutant);
    }
  });
});
