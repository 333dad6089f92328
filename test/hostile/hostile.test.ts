import { expect, test } from 'vitest';
import { Random } from '../../bench/traffic/random.js';
import { framesOf, pcapOf, type Stamped } from './frames.js';
import { type Bytes, mutate } from './mutate.js';
import { seeds, takeThrough, tellFrames } from './pipeline.js';

/** Mutated capture files, which try the readers, */
const FILES = 40_000;
/** and mutated frames in sound files, which get behind the readers to decoder, network and rules. */
const FRAMES = 200_000;
/** Places where the fixture of a rule is cut; `cuts.test.ts` cuts all at every byte and looks at what is read. */
const CUTS = 100;
/** Of so many batches the report of one is laid out as text. */
const IN_WORDS = 4;
/** Captures in one run: they share tables, so damage meets damage. */
const BATCH = 40;
/** Resident memory that no amount of damage may exceed; Node with vitest takes about 130 MB of it. */
const MEMORY = 400 * 1024 * 1024;
/** Milliseconds of CPU for one batch, 30 times what it takes: more is a hang in the making. */
const PATIENCE = 6000;

const captures = seeds();

/** Takes one batch through and checks what it cost. `name` tells how to make it again. */
async function survive(name: string, inputs: readonly Bytes[], inWords = true): Promise<void> {
  const begin = process.cpuUsage();
  try {
    await takeThrough(inputs, inWords);
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.stack : error}`);
  }
  const { user, system } = process.cpuUsage(begin);
  expect((user + system) / 1000, `${name}: milliseconds`).toBeLessThan(PATIENCE);
  expect(process.memoryUsage.rss(), `${name}: bytes of memory`).toBeLessThan(MEMORY);
}

test(`every small fixture, cut at every byte; those of rules, all of one format, at ${CUTS} places`, {
  timeout: 900_000,
}, async () => {
  let batches = 0;
  for (const { path, bytes } of captures) {
    const step = path.includes('rules/') ? Math.max(1, Math.ceil(bytes.length / CUTS)) : 1;
    const cuts = Math.ceil(bytes.length / step);
    for (let from = 0; from < cuts; from += BATCH) {
      const lengths = Array.from({ length: Math.min(BATCH, cuts - from) }, (_, i) => (from + i) * step);
      await survive(
        `${path} cut at ${from} and on`,
        lengths.map((length) => bytes.slice(0, length)),
        batches++ % IN_WORDS === 0,
      );
    }
  }
});

test(`${FILES} mutated files`, { timeout: 900_000 }, async () => {
  for (let seed = 0; seed < FILES / BATCH; seed++) {
    const random = new Random(seed);
    const pick = () => captures[random.below(captures.length)].bytes;
    const inputs = Array.from({ length: BATCH }, () => mutate(pick(), pick(), random));
    await survive(`files of seed ${seed}`, inputs, seed % IN_WORDS === 0);
  }
});

test(`${FRAMES} mutated frames in sound files`, { timeout: 900_000 }, async () => {
  const perFile = 50;
  const perRun = 40;
  const kinds = [...(await framesOf(captures.map(({ bytes }) => bytes)))];
  for (let seed = 0; seed < FRAMES / perFile / perRun; seed++) {
    const random = new Random(seed);
    const files = Array.from({ length: perRun }, () => {
      const [linkType, known] = kinds[random.below(kinds.length)];
      const pick = () => known[random.below(known.length)];
      let time = 1.7e15;
      const frames: Stamped[] = Array.from({ length: perFile }, () => {
        // Mostly steps that retries and time-outs are made of, rarely a clock that jumps.
        time = random.below(50) === 0 ? random.next() * 1e6 : time + random.below(1.5e6);
        return { bytes: mutate(pick(), pick(), random), time };
      });
      return pcapOf(linkType, frames);
    });
    await survive(`frames of seed ${seed}`, files);
    for (const file of files) await tellFrames(file);
  }
});

test('names from captures reach no report raw', async () => {
  const name = 'ens34';
  const named = captures.filter(({ bytes }) => Buffer.from(bytes).includes(name));
  expect(named).not.toEqual([]);
  for (const { bytes } of named) {
    for (const evil of ['\x1b[2Jx', '\x07\r\n\0\x7f', '\u009b1mx', '\u202eab']) {
      expect(Buffer.byteLength(evil)).toBe(name.length);
      const file = Uint8Array.from(bytes);
      file.set(Buffer.from(evil), Buffer.from(bytes).indexOf(name));
      await takeThrough([file]);
    }
  }
});
