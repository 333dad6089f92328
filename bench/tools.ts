import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cost, isInstalled, measure } from './measure.js';

/** The bench folder and the package's; this file runs from bench/build. */
export const BENCH = fileURLToPath(new URL('..', import.meta.url));
export const NETDIAG: readonly string[] = [process.execPath, join(BENCH, '..', 'bin', 'netdiag.js')];

/** A way to read a capture that netdiag is compared with, or netdiag itself. */
export interface Tool {
  readonly name: string;
  /** Program that has to be installed; netdiag's own parts need none. */
  readonly program?: string;
  readonly command: (path: string) => readonly string[];
  /** Slow ones read no more packets than this; the rest is extrapolated, see `run`. */
  readonly packets?: number;
}

/** Ours comes first, next to what it is held against, so that both meet the same state of the machine. */
export const TOOLS: readonly Tool[] = [
  { name: 'netdiag', command: (path) => [...NETDIAG, 'analyze', '--format', 'json', '--fail-on', 'never', path] },
  { name: 'decode only', command: (path) => stage('decode', path) },
  { name: 'no rules', command: (path) => stage('network', path) },
  { name: 'C loop', program: 'cc', command: (path) => [join(BENCH, 'build', 'loop'), path] },
  { name: 'cat', program: 'cat', command: (path) => ['cat', path] },
  { name: 'capinfos', program: 'capinfos', command: (path) => ['capinfos', path] },
  { name: 'tcpdump -w', program: 'tcpdump', command: (path) => ['tcpdump', '-w', '/dev/null', '-r', path] },
  { name: 'tcpdump -nn', program: 'tcpdump', command: (path) => ['tcpdump', '-nn', '-r', path] },
  { name: 'pcap-parser', command: (path) => [process.execPath, join(BENCH, 'build/reference/pcap-parser.js'), path] },
  {
    name: 'tshark expert',
    program: 'tshark',
    command: (path) => ['tshark', '-q', '-z', 'expert', '-r', path],
    packets: 100_000,
  },
];

/** netdiag without what comes behind a stage. */
function stage(name: string, path: string): readonly string[] {
  return [process.execPath, join(BENCH, '../scripts/stages.js'), name, path];
}

/** Why a tool cannot run here, null if it can. Compiles the C loop. */
export function whyMissing(tool: Tool): string | null {
  if (tool.program !== undefined && !isInstalled(tool.program)) return `${tool.program} is not installed`;
  if (tool.name !== 'C loop') return null;
  const program = join(BENCH, 'build', 'loop');
  try {
    mkdirSync(dirname(program), { recursive: true });
    const source = join(BENCH, 'reference', 'loop.c');
    execFileSync('cc', ['-O2', '-o', program, source, '-lpcap'], { stdio: ['ignore', 'ignore', 'pipe'] });
    return null;
  } catch {
    return 'cc could not compile reference/loop.c (are the headers of libpcap installed?)';
  }
}

/**
 * What a tool costs on a capture of `packets` packets. Where it reads only the beginning, CPU and wall time are
 * extrapolated by the packet; what starting it costs is measured for itself and not multiplied.
 */
export async function run(tool: Tool, path: string, packets: number): Promise<Cost> {
  const command = tool.command(path);
  if (tool.packets === undefined || tool.packets >= packets) return measure(command);
  const start = await measure([...command, '-c', '1']);
  const part = await measure([...command, '-c', String(tool.packets)]);
  const scale = (from: number, to: number) => from + ((to - from) * packets) / (tool.packets as number);
  return { cpu: scale(start.cpu, part.cpu), wall: scale(start.wall, part.wall), memory: null };
}
