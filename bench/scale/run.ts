import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cost, measure, median } from '../measure.js';
import { NETDIAG } from '../tools.js';
import { CORPORA, type CorpusName, chunks } from '../traffic/generate.js';
import { Packet } from '../traffic/packet.js';
import { pcapChunks } from '../traffic/pcap.js';
import { hour } from './hour.js';
import { STORMS } from './storms.js';

const USAGE = `npm run bench:scale -- [options]
  --only <name,…>  growth, storms, hour, large; default all
  --corpus <name>  of growth and large: ${Object.keys(CORPORA).join(', ')}; default imix
  --bytes <n>      of large; default 10,000,000,000`;

const SIZES = [100_000, 1_000_000, 10_000_000];
const HOUR_PACKETS = 1_000_000;
/** What a packet costs in the largest capture and what in the middle one: more is growth that is not linear. */
const STEADY = 1.25;
const MEMORY = 250e6;
const FEW = 50;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'growth,storms,hour,large' },
    corpus: { type: 'string', default: 'imix' },
    bytes: { type: 'string', default: '10000000000' },
    help: { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'netdiag-scale-'));
const report = join(folder, 'report.json');

if (options.help) console.log(USAGE);
else {
  try {
    await main();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Nothing lies on the disk: captures are made while they are read, on standard input. */
async function main(): Promise<void> {
  const parts = options.only.split(',');
  const start = median(await Promise.all([1, 2, 3].map(async () => (await read(chunks('small', { packets: 1 }))).cpu)));
  console.log(
    `CPU is user and system time of netdiag alone; ${start.toFixed(2)} s of it to start are left out of µs a packet.`,
  );
  const name = options.corpus as CorpusName;
  if (parts.includes('growth')) {
    console.log(`\n${name}`);
    const each = await grow(SIZES, start, (packets) => chunks(name, { packets }));
    verdict(`a packet of ${SIZES[2]} costs at most ${STEADY} × one of ${SIZES[1]}`, each[2] <= STEADY * each[1]);
  }
  if (parts.includes('storms')) {
    for (const { says, packets, write } of STORMS) {
      console.log(`\n${says}`);
      const each = await grow([packets / 10, packets], start, (limit) => {
        const packet = new Packet();
        return pcapChunks(packet, (step) => (step < limit ? write(packet, step) : null));
      });
      verdict(`a packet of ${packets} costs at most ${STEADY} × one of ${packets / 10}`, each[1] <= STEADY * each[0]);
    }
  }
  if (parts.includes('hour')) {
    console.log('\nan hour with the same troubles all the time');
    const cost = await read(hour(HOUR_PACKETS));
    const { findings, captures } = JSON.parse(readFileSync(report, 'utf8'));
    row('packets', cost, captures[0].frames, start);
    for (const { rule, count, title } of findings) console.log(`    ${rule} ${count} times: ${title}`);
    verdict(`${findings.length} findings, at most ${FEW}`, findings.length <= FEW);
  }
  if (parts.includes('large')) {
    const bytes = Number(options.bytes);
    console.log(`\n${bytes / 1e9} GB of ${name}`);
    const cost = await read(chunks(name, { bytes }));
    row('packets', cost, JSON.parse(readFileSync(report, 'utf8')).captures[0].frames, start);
    verdict(`peak memory at most ${MEMORY / 1e6} MB`, (cost.memory ?? 0) <= MEMORY);
  }
}

/** What a packet costs, in microseconds of CPU, in captures of these sizes. */
async function grow(sizes: readonly number[], start: number, make: (packets: number) => Iterable<Uint8Array>) {
  const each: number[] = [];
  for (const packets of sizes) each.push(row('packets', await read(make(packets)), packets, start));
  return each;
}

function read(input: Iterable<Uint8Array>): Promise<Cost> {
  const command = [...NETDIAG, 'analyze', '--format', 'json', '--fail-on', 'never', '--output', report, '-'];
  return measure(command, input);
}

function row(what: string, { cpu, memory }: Cost, packets: number, start: number): number {
  const each = ((cpu - start) / packets) * 1e6;
  const peak = memory === null ? 'unknown' : `${Math.round(memory / 1e6)} MB`;
  const count = `${packets.toLocaleString('en')} ${what}`.padStart(20);
  const { findings } = JSON.parse(readFileSync(report, 'utf8'));
  console.log(
    `${count}  ${cpu.toFixed(2).padStart(7)} s CPU  ${each.toFixed(2)} µs each  peak ${peak}  ${findings.length} findings`,
  );
  return each;
}

function verdict(claim: string, met: boolean): void {
  console.log(`  ${claim}: ${met ? 'met' : 'missed'}`);
}
