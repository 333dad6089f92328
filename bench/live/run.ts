import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { isInstalled, median } from '../measure.js';
import { BENCH, NETDIAG } from '../tools.js';
import { Wire } from './wire.js';

const USAGE = `npm run bench:live -- [options]
  --rates <n,…>     packets a second, 0 for as fast as the sender goes; default 300000,500000,0
  --seconds <n>     of traffic in each run; default 5
  --rounds <n>      runs of each capturing program at each rate, in turns; default 3
Needs root on Linux (it makes two network namespaces), and tcpdump to compare with.`;

/** Packets sent at most in a run at full speed: as many as 600,000 a second would be. */
const FULL_SPEED = 600_000;
/** Milliseconds that a program has to take what was sent. */
const SETTLE_MS = 500;
const START_MS = 20_000;
/** Ticks a second of /proc/<pid>/stat, on every architecture that Node runs on. */
const TICKS = 100;
const FOLDER = mkdtempSync(join(tmpdir(), 'netdiag-bench-'));
const WRITTEN = join(FOLDER, 'live.pcapng');
const DELAY = join(FOLDER, 'delay.json');

interface Program {
  readonly name: string;
  readonly command: (device: string) => readonly string[];
  /** What it says on standard error when it captures. */
  readonly ready: RegExp;
  /** How many packets it says that it got, and that were lost. */
  readonly counts: (stdout: string, stderr: string) => { captured: number; dropped: number };
}

interface Outcome {
  sent: number;
  rate: number;
  captured: number;
  dropped: number;
  arrived: number;
  /** Seconds of CPU while the traffic ran. */
  cpu: number;
  /** 99th percentile and maximum of the event loop's delay in milliseconds; null for what has none. */
  delay: { p99: number; max: number } | null;
}

const netdiag = (...more: string[]): Omit<Program, 'name'> => ({
  command: (device) => {
    const [node, ...program] = NETDIAG;
    const flags = ['--format', 'json', '--verbose', '--fail-on', 'never', ...more];
    return [node, '--import', join(BENCH, 'live', 'loop-delay.js'), ...program, 'live', device, ...flags];
  },
  ready: /capturing on/,
  counts: (stdout) => {
    const [{ frames, dropped }] = JSON.parse(stdout).captures;
    return { captured: frames, dropped: dropped ?? 0 };
  },
});

const tcpdump = (...more: string[]): Omit<Program, 'name'> => ({
  // The ring is as large as netdiag's.
  command: (device) => ['tcpdump', '-i', device, '-B', '32768', ...more],
  ready: /listening on/,
  counts: (_, stderr) => {
    const count = (what: string) => Number(new RegExp(`(\\d+) packets? ${what}`).exec(stderr)?.[1]);
    return { captured: count('captured'), dropped: count('dropped by kernel') };
  },
});

/** What only copies, and what decodes as well. */
const COPYING: Program = { name: 'tcpdump -w /dev/null', ...tcpdump('-w', '/dev/null') };
const PRINTING: Program = { name: 'tcpdump -nn > /dev/null', ...tcpdump('-nn') };
/** Its drops are not known, and it does not hand over what waits in its buffers. */
const CAP: Program = { name: 'netdiag --backend cap', ...netdiag('--backend', 'cap') };
const PROGRAMS: readonly Program[] = [
  { name: 'netdiag live', ...netdiag() },
  { name: 'netdiag live -w', ...netdiag('-w', WRITTEN) },
  CAP,
  COPYING,
  PRINTING,
];

const { values: options } = parseArgs({
  options: {
    rates: { type: 'string', default: '300000,500000,0' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(USAGE);
else await main();

async function main(): Promise<void> {
  const missing = PROGRAMS.filter((program) =>
    program === CAP ? !hasCap() : program.name.startsWith('tcpdump') && !isInstalled('tcpdump'),
  );
  for (const { name } of missing) console.log(`skipped: ${name}: not installed`);
  const programs = PROGRAMS.filter((program) => !missing.includes(program));
  const wire = new Wire();
  try {
    for (const rate of options.rates.split(',').map(Number)) await benchRate(rate, programs, wire);
  } finally {
    wire.remove();
    rmSync(FOLDER, { recursive: true, force: true });
  }
}

function hasCap(): boolean {
  const [node, ...program] = NETDIAG;
  return spawnSync(node, [...program, 'live', 'lo', '--backend', 'cap', '--duration', '0.1']).status === 0;
}

/** Every program once a round, so that what else happens on the machine meets all of them. */
async function benchRate(rate: number, programs: readonly Program[], wire: Wire): Promise<void> {
  const packets = (rate || FULL_SPEED) * Number(options.seconds);
  const outcomes = new Map<Program, Outcome[]>(programs.map((program) => [program, []]));
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [program, runs] of outcomes) runs.push(await run(program, packets, rate, wire));
  const asked = rate === 0 ? 'as fast as the sender goes' : `${rate.toLocaleString('en')} packets/s`;
  console.log(`\n${asked}, ${packets.toLocaleString('en')} packets of 60 bytes, ${options.rounds} rounds`);
  printRow(['', 'sent/s', 'lost', 'exact', 'CPU', 'of -w', 'of -nn', 'delay p99', 'max']);
  for (const [{ name }, runs] of outcomes) {
    const ratioTo = (other: Program) => {
      const theirs = outcomes.get(other);
      return theirs ? `${median(runs.map(({ cpu }, i) => cpu / theirs[i].cpu)).toFixed(2)} ×` : '';
    };
    const delays = runs.flatMap(({ delay }) => delay ?? []);
    printRow([
      name,
      Math.round(median(runs.map((each) => each.rate))).toLocaleString('en'),
      runs.map(({ sent, captured }) => (sent - captured).toLocaleString('en')).join(' '),
      // tcpdump does not take what still waits in its ring when it is told to end.
      name.startsWith('tcpdump') || name === CAP.name ? '' : runs.map(exactness).join(' '),
      `${median(runs.map(({ cpu }) => cpu)).toFixed(2)} s`,
      ratioTo(COPYING),
      ratioTo(PRINTING),
      delays.length === 0 ? '' : `${Math.max(...delays.map(({ p99 }) => p99)).toFixed(0)} ms`,
      delays.length === 0 ? '' : `${Math.max(...delays.map(({ max }) => max)).toFixed(0)} ms`,
    ]);
  }
}

/** Everything that was sent must be accounted for; what did not arrive at the device is not the capture's fault. */
function exactness({ captured, dropped, sent, arrived }: Outcome): string {
  if (captured + dropped === sent && arrived === sent) return 'yes';
  return `NO (${captured} + ${dropped} of ${arrived} of ${sent})`;
}

async function run(program: Program, packets: number, rate: number, wire: Wire): Promise<Outcome> {
  const [command, ...args] = wire.inside('b', program.command(wire.device));
  const child = spawn(command, args, { env: { ...process.env, LOOP_DELAY: DELAY } });
  let stdout = '';
  let stderr = '';
  // What tcpdump prints is thrown away, as if it went to /dev/null.
  const isPrinting = program === PRINTING;
  child.stdout.on('data', (bytes: Buffer) => {
    if (!isPrinting) stdout += bytes;
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes;
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    for (let waited = 0; !program.ready.test(stderr); waited += 50) {
      if (waited > START_MS || child.exitCode !== null)
        throw new Error(`${program.name}: ${stderr || 'did not start'}`);
      await sleep(50);
    }
    if (program.name.startsWith('netdiag')) child.kill('SIGUSR2');
    const before = wire.arrived();
    const cpu = cpuOf(child);
    const sender = [process.execPath, join(BENCH, 'live', 'sender.js'), wire.device, String(packets), String(rate)];
    const [ip, ...words] = wire.inside('a', sender);
    const { sent, seconds } = JSON.parse((await promisify(execFile)(ip, words)).stdout);
    await sleep(SETTLE_MS);
    const spent = cpuOf(child) - cpu;
    child.kill('SIGINT');
    await ended;
    const { captured, dropped } = program.counts(stdout, stderr);
    const arrived = wire.arrived() - before;
    return { sent, rate: sent / seconds, captured, dropped, arrived, cpu: spent, delay: delayOf(program) };
  } finally {
    child.kill('SIGKILL');
    rmSync(WRITTEN, { force: true });
  }
}

function delayOf({ name }: Program): Outcome['delay'] {
  if (!name.startsWith('netdiag')) return null;
  const { 99: p99, 100: max } = JSON.parse(readFileSync(DELAY, 'utf8'));
  return { p99, max };
}

/** User and system time in seconds of a process and its children that run. */
function cpuOf({ pid }: ChildProcess): number {
  const ownOf = (pid: string): number => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return ticksOf(pid) / TICKS + children.reduce((sum, each) => sum + ownOf(each), 0);
  };
  return ownOf(String(pid));
}

/** User and system time of a process: fields 14 and 15 of its stat, behind its name in brackets (proc(5)). */
function ticksOf(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function printRow([name, ...cells]: readonly string[]): void {
  const widths = [11, 32, 14, 8, 9, 9, 11, 8];
  console.log(`  ${name.padEnd(24)}${cells.map((cell, i) => cell.padStart(widths[i])).join('')}`.trimEnd());
}
