import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cost, measure, median } from './measure.js';
import { BENCH, NETDIAG, run, TOOLS, type Tool, whyMissing } from './tools.js';
import { CORPORA, type CorpusName, generate } from './traffic/generate.js';

const USAGE = `npm run bench -- [options]
  --corpus <name,…>   small, imix, vxlan, large; default the first three
  --packets <n>       in each corpus, instead of 2,000,000 in small and 1,000,000 in the others
  --rounds <n>        runs of each tool, interleaved; default 3
  --tools <name,…>    compare with these only: ${TOOLS.slice(1)
    .map((tool) => tool.name)
    .join(', ')}
  --generate          only write the corpora`;

const GIGABYTE = 1e9;
const STARTS = 10;
const TARGETS = { loop: 1.2, decode: 1.6, tshark: 1 / 40, memory: 90e6, start: 0.08 };

const { values: options } = parseArgs({
  options: {
    corpus: { type: 'string', default: 'small,imix,vxlan' },
    packets: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    tools: { type: 'string' },
    generate: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

interface Sample {
  readonly tool: Tool;
  readonly costs: Cost[];
}

if (options.help) console.log(USAGE);
else await main();

async function main(): Promise<void> {
  const wanted = options.tools?.split(',');
  const tools: Tool[] = [];
  for (const tool of options.generate ? [] : TOOLS) {
    if (wanted !== undefined && tool.name !== 'netdiag' && !wanted.includes(tool.name)) continue;
    const reason = whyMissing(tool);
    if (reason === null) tools.push(tool);
    else console.log(`skipped: ${tool.name}: ${reason}`);
  }
  for (const name of options.corpus.split(',')) {
    if (name === 'large') await benchLarge();
    else if (name in CORPORA) await benchCorpus(name as CorpusName, tools);
    else throw new Error(`--corpus: no corpus "${name}"\n${USAGE}`);
  }
  if (!options.generate) await benchStart();
}

/** Every tool once a round, so that what else happens on the machine meets all of them. */
async function benchCorpus(name: CorpusName, tools: readonly Tool[]): Promise<void> {
  const packets = Number(options.packets ?? CORPORA[name].packets);
  const path = join(BENCH, 'corpora', `${name}-${packets}.pcap`);
  generate(name, path, { packets });
  await warm(path);
  const samples: Sample[] = tools.map((tool) => ({ tool, costs: [] }));
  const broken = new Set<Sample>();
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const sample of samples) {
      if (broken.has(sample)) continue;
      try {
        sample.costs.push(await run(sample.tool, path, packets));
      } catch (error) {
        broken.add(sample);
        console.log(`skipped: ${sample.tool.name}: ${(error as Error).message}`);
      }
    }
  }
  const megabytes = Math.round(statSync(path).size / 1e6);
  console.log(`\n${name}: ${packets.toLocaleString('en')} packets, ${megabytes} MB`);
  if (!options.generate) {
    printTable(
      name,
      packets,
      samples.filter((sample) => !broken.has(sample)),
    );
  }
}

/** Has the file in memory, so that nobody pays for the disk. */
async function warm(path: string): Promise<void> {
  for await (const _ of createReadStream(path, { highWaterMark: 1 << 20 }));
}

function printTable(name: CorpusName, packets: number, samples: readonly Sample[]): void {
  const ours = samples.find((sample) => sample.tool.name === 'netdiag');
  printRow(['', 'CPU', 'packets/s', 'peak', 'CPU of netdiag', 'target']);
  for (const { tool, costs } of samples) {
    const cpu = median(costs.map((cost) => cost.cpu));
    const memory = costs.flatMap((cost) => cost.memory ?? []);
    const ratio = ours === undefined ? null : median(costs.map((cost, round) => ours.costs[round].cpu / cost.cpu));
    printRow([
      tool.name,
      `${cpu.toFixed(2)} s`,
      `${(packets / cpu / 1e6).toFixed(2)} M`,
      memory.length === 0 ? '' : `${Math.round(Math.max(...memory) / 1e6)} MB`,
      ratio === null || tool.name === 'netdiag' ? '' : formatRatio(ratio),
      ratio === null ? '' : targetOf(name, tool, ratio),
    ]);
  }
}

function targetOf(name: CorpusName, tool: Tool, ratio: number): string {
  if (tool.name === 'C loop') return verdict('≤ 1.2 ×', ratio <= TARGETS.loop);
  if (tool.name === 'decode only') return verdict('≤ 1.6 ×', ratio <= TARGETS.decode);
  if (tool.packets === undefined) return '';
  const partly = `first ${tool.packets.toLocaleString('en')} packets, extrapolated`;
  return name === 'small' ? `${verdict('≤ 1/40', ratio <= TARGETS.tshark)} (${partly})` : `(${partly})`;
}

/** Memory must not grow with the file: a gigabyte of the corpus with the most addresses and flows. */
async function benchLarge(): Promise<void> {
  const path = join(BENCH, 'corpora', 'large.pcap');
  generate('imix', path, { bytes: GIGABYTE });
  console.log(`\nlarge: 1 GB of imix`);
  if (options.generate) return;
  await warm(path);
  const { cpu, memory } = await measure(TOOLS[0].command(path));
  printRow(['', 'CPU', '', 'peak', '', 'target']);
  const peak = memory === null ? 'unknown' : `${Math.round(memory / 1e6)} MB`;
  const met = memory === null ? '' : verdict('≤ 90 MB', memory <= TARGETS.memory);
  printRow(['netdiag', `${cpu.toFixed(2)} s`, '', peak, '', met]);
}

async function benchStart(): Promise<void> {
  const ours: number[] = [];
  const node: number[] = [];
  try {
    for (let round = 0; round < STARTS; round++) {
      ours.push((await measure([...NETDIAG, '--version'])).wall);
      node.push((await measure([process.execPath, '-e', '0'])).wall);
    }
  } catch (error) {
    console.log(`skipped: start: ${(error as Error).message}`);
    return;
  }
  const best = Math.min(...ours);
  console.log(`\nstart, by the clock, best of ${STARTS}`);
  printRow(['netdiag --version', milliseconds(best), '', '', '', verdict('≤ 80 ms', best <= TARGETS.start)]);
  printRow(['node -e 0', milliseconds(Math.min(...node)), '', '', '', '']);
}

function verdict(target: string, met: boolean): string {
  return `${target}: ${met ? 'met' : 'missed'}`;
}

function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)} ms`;
}

function formatRatio(ratio: number): string {
  return ratio >= 0.95 ? `${ratio.toFixed(2)} ×` : `1/${(1 / ratio).toFixed(1)}`;
}

function printRow([name, cpu, speed, memory, ratio, target]: readonly string[]): void {
  const cells = [name.padEnd(18), cpu.padStart(9), speed.padStart(10), memory.padStart(8), ratio.padStart(15), target];
  console.log(`  ${cells.join('  ')}`.trimEnd());
}
