import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** What one process cost. */
export interface Cost {
  /** User and system time in seconds, of the process and the children it waited for. */
  readonly cpu: number;
  /** From start to end in seconds. */
  readonly wall: number;
  /** Peak of its resident memory in bytes; null where the system does not tell (/proc is Linux's). */
  readonly memory: number | null;
}

/**
 * `time` of bash gives the kernel's accounting (getrusage) of a child that was waited for, in milliseconds; Node
 * offers that for itself only. The pid that the subshell tells is the command's own after `exec`. Without the
 * braces `time` would run in the subshell too, and vanish with it.
 */
const SCRIPT = `TIMEFORMAT='%U %S %R'; time { ( echo "$BASHPID" >&3; exec "$@" >/dev/null 2>&4 3>&- 4>&- ); }`;
/** VmHWM is the kernel's own high-water mark, so only growth in the last moments before the exit goes unseen. */
const MEMORY_INTERVAL = 5;

/**
 * Runs a command to its end, its output thrown away.
 * @param input what it reads from standard input; each piece is valid until the next is asked for
 * @throws if it fails, with what it said
 */
export async function measure(command: readonly string[], input?: Iterable<Uint8Array>): Promise<Cost> {
  const shell: ChildProcess = spawn('bash', ['-c', SCRIPT, 'measure', ...command], {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe', 'pipe', 'pipe'],
    // Certificates that a machine gives to every Node.js would be counted as ours: Node.js 20 reads them at once, 50 ms of CPU.
    env: { ...process.env, LC_ALL: 'C', NODE_EXTRA_CA_CERTS: undefined },
  });
  const [, , timing, pid, complaint] = shell.stdio as unknown as [null, null, Readable, Readable, Readable];
  let memory: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  pid.once('data', (line: Buffer) => {
    const status = `/proc/${line.toString().trim()}/status`;
    timer = setInterval(() => {
      memory = peakMemory(status) ?? memory;
    }, MEMORY_INTERVAL);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    shell.once('error', reject);
    shell.once('close', resolve);
  });
  try {
    const feeding = input === undefined ? null : feed(shell.stdin as Writable, input);
    const [code, times, said] = await Promise.all([ended, text(timing), text(complaint), feeding]);
    if (code !== 0) throw new Error(`status ${code}: ${said.split('\n').find((line) => /^\S.*: /.test(line)) ?? ''}`);
    const [user, system, wall] = times.trim().split(' ').map(Number);
    return { cpu: user + system, wall, memory };
  } finally {
    clearInterval(timer);
  }
}

/** One piece after the other, since the next may lie where the last did. A command that has had enough is none of our business. */
async function feed(into: Writable, input: Iterable<Uint8Array>): Promise<void> {
  // The callback of a write tells the same.
  into.on('error', () => {});
  for (const piece of input) {
    const failed = await new Promise<unknown>((resolve) => into.write(piece, resolve));
    if (failed) return;
  }
  into.end();
}

/** VmHWM in bytes, null once the process is gone. */
function peakMemory(status: string): number | null {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    return null;
  }
}

/** Whether a program of this name is in PATH. */
export function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
