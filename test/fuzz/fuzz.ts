import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../../bench/traffic/random.js';
import type { Bytes } from '../hostile/mutate.js';
import { Coverage } from './coverage.js';
import { type Target, targets } from './targets.js';

const USAGE = `npm run fuzz -- [options]
  --minutes <n>   how long; default 2
  --target <name,…>   files, frames, text, context, reports, evidence; default all
  --seed <n>      of the random numbers; default the clock
  --finds <folder>    where inputs are put that netdiag cannot take; default fuzz-finds`;

/** Inputs between two looks at what code they reached: a look takes as long as some dozens of inputs. */
const BATCH = 64;
/** Inputs in one run. */
const RUN = 16;
/** Microseconds of CPU for one run, a hundred times what it takes: other programs on the machine do not count. */
const PATIENCE = 10e6;
/** Inputs kept of one target at most, besides its seeds. */
const KEPT = 5000;
/** How many times as large as the largest seed an input may grow. */
const GROWTH = 4;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    target: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    finds: { type: 'string', default: 'fuzz-finds' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'netdiag-fuzz-'));
  const all = await targets(scratch);
  const wanted = options.target?.split(',') ?? Object.keys(all);
  for (const name of wanted) if (!(name in all)) throw new Error(`--target: no target "${name}"\n${USAGE}`);
  const random = new Random(Number(options.seed));
  const coverage = new Coverage(/test\/build\//);
  const corpora = new Map(wanted.map((name) => [name, [...all[name].seeds]]));
  const ran = new Map<string, number>();
  const finds = new Map<string, string>();
  console.log(`seed ${options.seed}; ${wanted.map((name) => `${name}: ${all[name].seeds.length} seeds`).join(', ')}`);
  for (const name of wanted) await attemptAll(name, all[name], all[name].seeds, finds);
  const largest = new Map(
    wanted.map((name) => [name, GROWTH * Math.max(...all[name].seeds.map(({ length }) => length))]),
  );
  coverage.take();
  const begun = coverage.size;
  // The seeds take their time; what was asked for begins behind them.
  const end = Date.now() + Number(options.minutes) * 60_000;
  let told = Date.now();
  const spent = new Map(wanted.map((name) => [name, 0]));
  // A short time still is enough for each target once.
  while (Date.now() < end || ran.size < wanted.length) {
    // Each target gets as much time as the others, however long its inputs take.
    const name = wanted.reduce((a, b) => ((spent.get(b) ?? 0) < (spent.get(a) ?? 0) ? b : a));
    const begin = performance.now();
    const corpus = corpora.get(name) ?? [];
    const pick = () => corpus[random.below(corpus.length)];
    const batch = Array.from({ length: BATCH }, () => all[name].mutate(pick(), pick(), random)).filter(
      ({ length }) => length <= (largest.get(name) ?? 0),
    );
    await attemptAll(name, all[name], batch, finds);
    ran.set(name, (ran.get(name) ?? 0) + batch.length);
    // All of the batch are kept: to ask which of them it was costs more than its companions do.
    if (coverage.take() && corpus.length < all[name].seeds.length + KEPT) corpus.push(...batch);
    spent.set(name, (spent.get(name) ?? 0) + performance.now() - begin);
    if (Date.now() - told > 10_000) {
      told = Date.now();
      console.log(
        `${sum(ran)} inputs, ${coverage.size} characters of code reached (${begun} by the seeds), ${finds.size} finds`,
      );
    }
    process.send?.('alive');
  }
  rmSync(scratch, { recursive: true });
  console.log([...ran].map(([name, count]) => `${name}: ${count} inputs`).join(', '));
  console.log(`${coverage.size} characters of code reached, ${begun} of them by the seeds; ${finds.size} finds`);
  for (const [why, file] of finds) console.log(`${file}: ${why}`);
  return finds.size === 0 ? 0 : 1;
}

async function attemptAll(name: string, target: Target, inputs: readonly Bytes[], finds: Map<string, string>) {
  for (let at = 0; at < inputs.length; at += RUN) await attempt(name, target, inputs.slice(at, at + RUN), finds);
}

/** Runs inputs, and if that fails each alone; what must not happen is a find, each kind of it once. */
async function attempt(
  name: string,
  target: Target,
  inputs: readonly Bytes[],
  finds: Map<string, string>,
): Promise<void> {
  const why = await failure(name, target, inputs);
  if (why === null || finds.has(why)) return;
  for (const input of inputs) {
    const alone = inputs.length > 1 ? await failure(name, target, [input]) : why;
    if (alone !== null) return keep(alone, name, [input], finds);
  }
  keep(why, name, inputs, finds);
}

async function failure(name: string, target: Target, inputs: readonly Bytes[]): Promise<string | null> {
  const begin = process.cpuUsage();
  try {
    await target.run(inputs);
    const { user, system } = process.cpuUsage(begin);
    return user + system > PATIENCE ? `${name}: takes long` : null;
  } catch (error) {
    const [message, place = ''] = String(error instanceof Error ? error.stack : error).split('\n');
    return `${name}: ${message} ${place.trim()}`;
  }
}

function keep(why: string, name: string, inputs: readonly Bytes[], finds: Map<string, string>): void {
  if (finds.has(why)) return;
  mkdirSync(options.finds, { recursive: true });
  const files = inputs.map((input) => {
    const file = join(options.finds, `${name}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`);
    writeFileSync(file, input);
    return file;
  });
  finds.set(why, files.join(' '));
  console.log(`find: ${why}\n  ${files.join(' ')}`);
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, each) => total + each, 0);
}
