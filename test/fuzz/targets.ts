import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Random } from '../../bench/traffic/random.js';
import { Analyzer } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import { CaptureError } from '../../src/capture/source.js';
import { anonymized } from '../../src/commands/anonymize/anonymize.js';
import { UserError } from '../../src/commands/errors.js';
import { evidenceOf } from '../../src/commands/evidence/evidence.js';
import { ContextError } from '../../src/network/context/error.js';
import { parseContext } from '../../src/network/context/parse.js';
import { FORMATS, loadReporter } from '../../src/report/reporter.js';
import { framesOf, pcapOf, type Stamped } from '../hostile/frames.js';
import { type Bytes, mutate } from '../hostile/mutate.js';
import { refuseControl, seeds, takeThrough, tellFrames } from '../hostile/pipeline.js';
import { root } from '../support/fixtures.js';

/** Something that strangers give to netdiag: where it begins, how it is damaged, and what is done with it. */
export interface Target {
  readonly seeds: readonly Bytes[];
  mutate(input: Bytes, other: Bytes, random: Random): Bytes;
  /**
   * Takes inputs in one run, as far as they can share one: setting up the rules costs more than a small capture.
   * @throws what must not be thrown
   */
  run(inputs: readonly Bytes[]): Promise<void>;
}

const base = join(root, 'fixtures');
const named = (ending: RegExp): Bytes[] =>
  readdirSync(base, { recursive: true, encoding: 'utf8' })
    .filter((path) => ending.test(path))
    .sort()
    .map((path) => Uint8Array.from(readFileSync(join(base, path))));

/** @param scratch a folder for files that have to be files */
export async function targets(scratch: string): Promise<Record<string, Target>> {
  const captures = seeds().map(({ bytes }) => bytes);
  return {
    files: { seeds: captures, mutate, run: takeThrough },
    frames: { seeds: await histories(captures), mutate: mutateFrames, run: throughFrames },
    text: { seeds: named(/^text\/.*\.txt$/), mutate: mutateText, run: takeThrough },
    context: { seeds: named(/context\.json$/), mutate: mutateJson, run: each(withContext) },
    reports: { seeds: captures, mutate, run: intoReports },
    evidence: { seeds: captures, mutate, run: each((input) => intoEvidence(input, join(scratch, 'evidence.pcapng'))) },
  };
}

const each = (run: (input: Bytes) => Promise<void>) => async (inputs: readonly Bytes[]) => {
  for (const input of inputs) await run(input);
};

/** Whole files again, each with the frames of one link type. */
async function histories(captures: readonly Bytes[]): Promise<Bytes[]> {
  const files: Bytes[] = [];
  for (const capture of captures) {
    try {
      for (const [linkType, frames] of await framesOf([capture])) {
        files.push(
          pcapOf(
            linkType,
            frames.slice(0, 40).map((bytes, i) => ({ bytes, time: 1.7e15 + i * 5e5 })),
          ),
        );
      }
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
    }
  }
  return files;
}

const FILE = 24;
const RECORD = 16;

function recordsOf(file: Bytes): Stamped[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const frames: Stamped[] = [];
  for (let at = FILE; at + RECORD <= file.length; ) {
    const end = at + RECORD + view.getUint32(at + 8, true);
    frames.push({
      bytes: file.slice(at + RECORD, end),
      time: view.getUint32(at, true) * 1e6 + view.getUint32(at + 4, true),
    });
    at = end;
  }
  return frames;
}

/** Damages one frame, its time or its place: the records around it stay sound, so that all of it gets behind the readers. */
function mutateFrames(input: Bytes, other: Bytes, random: Random): Bytes {
  const linkType = new DataView(input.buffer, input.byteOffset).getUint32(20, true);
  const frames = recordsOf(input);
  const others = recordsOf(other);
  if (frames.length === 0) return input;
  const at = random.below(frames.length);
  const foreign = others.length === 0 ? frames[at] : others[random.below(others.length)];
  switch (random.below(6)) {
    case 0:
      frames.splice(at, 1);
      break;
    case 1:
      if (frames.length < 200) frames.splice(at, 0, { ...frames[at], bytes: frames[at].bytes });
      break;
    case 2:
      frames[at] = {
        ...frames[at],
        time: Math.max(0, frames[at].time + (random.below(2) ? 1 : -1) * random.below(3e6)),
      };
      break;
    case 3:
      if (frames.length < 200) frames.splice(at, 0, { bytes: foreign.bytes, time: frames[at].time });
      break;
    default:
      frames[at] = { ...frames[at], bytes: mutate(frames[at].bytes, foreign.bytes, random) };
  }
  return pcapOf(linkType, frames);
}

async function throughFrames(inputs: readonly Bytes[]): Promise<void> {
  await takeThrough(inputs);
  for (const input of inputs) await tellFrames(input);
}

const WORDS = [
  ' ',
  '\n',
  '0x0000:  ',
  ' > ',
  ', ethertype ARP (0x0806), length 42: ',
  '\u001b[2J',
  'ff:ff:ff:ff:ff:ff',
  '99999999999',
];

function mutateText(input: Bytes, other: Bytes, random: Random): Bytes {
  if (random.below(2) === 0) return mutate(input, other, random);
  const at = random.below(input.length + 1);
  const word = Buffer.from(WORDS[random.below(WORDS.length)]);
  return Uint8Array.from(Buffer.concat([input.subarray(0, at), word, input.subarray(at)]));
}

const VALUES: readonly unknown[] = [
  null,
  -1,
  0,
  1e300,
  '',
  '\u001b[2J',
  'x'.repeat(5000),
  [],
  {},
  [[]],
  { a: null },
  true,
  '::',
  '1.2.3.4/99',
  '__proto__',
];

/** Puts something else in the place of one value, or takes it away; the rest stays JSON. */
function mutateJson(input: Bytes, _other: Bytes, random: Random): Bytes {
  const json = JSON.parse(Buffer.from(input).toString());
  let node = json;
  for (;;) {
    const keys = Object.keys(node);
    if (keys.length === 0) break;
    const key = keys[random.below(keys.length)];
    const child = node[key];
    if (typeof child === 'object' && child !== null && random.below(12) !== 0) {
      node = child;
      continue;
    }
    if (random.below(6) === 0) delete node[key];
    else node[key] = VALUES[random.below(VALUES.length)];
    break;
  }
  return Uint8Array.from(Buffer.from(JSON.stringify(json)));
}

const demo = join(root, 'fixtures/demo/vepa.pcap');

async function withContext(input: Bytes): Promise<void> {
  try {
    const context = parseContext(JSON.parse(Buffer.from(input).toString()));
    const analyzer = new Analyzer({ context, vantage: { namespace: 'host', interface: 'ens34' } });
    await analyzer.read(await openCapture(demo));
    const report = await loadReporter('text');
    refuseControl(report(analyzer.analysis(), { width: 80, color: false, detail: 'verbose' }));
  } catch (error) {
    if (!(error instanceof ContextError)) throw error;
    refuseControl(`${error.message} ${error.advice}`);
  }
}

async function intoReports(inputs: readonly Bytes[]): Promise<void> {
  const analyzer = new Analyzer();
  for (const input of inputs) {
    try {
      await analyzer.read(await openCapture('-', { stdin: Readable.from([input]) }));
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
    }
  }
  const analysis = analyzer.analysis();
  for (const format of FORMATS) {
    const report = await loadReporter(format);
    refuseControl(report(analysis, { width: 80, color: false, detail: 'normal' }));
  }
}

async function intoEvidence(input: Bytes, file: string): Promise<void> {
  writeFileSync(file, input);
  const analyzer = new Analyzer();
  try {
    await analyzer.read(await openCapture(file));
    const evidence = await evidenceOf(analyzer.analysis(), {}, null);
    await anonymized(evidence, null, {}, { key: 'fuzz' });
  } catch (error) {
    if (!(error instanceof CaptureError) && !(error instanceof UserError)) throw error;
  }
}
