import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './fixtures.js';

/** The file that a shell would start. */
export const program = join(root, 'bin/netdiag.js');

/** Of the mask of signals that a process catches, proc(5): bit n - 1, and SIGINT is 2. */
const SIGINT_BIT = 1 << 1;

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Given on standard input, which is empty otherwise. */
  input?: Uint8Array;
  /** Node.js and the program, if not this Node.js and the program of the sources. */
  command?: readonly [node: string, program: string];
}

/** Runs the built program as a user would, with pipes for its output. */
export function netdiag(args: readonly string[], { input, ...options }: RunOptions = {}): Promise<Outcome> {
  const child = start(args, options);
  child.stdin.end(input);
  return outcomeOf(child);
}

/** Starts it, for tests that have to do something while it runs. */
export function start(
  args: readonly string[],
  { cwd = root, env = {}, command: [node, script] = [process.execPath, program] }: RunOptions = {},
) {
  return spawn(node, [script, ...args], { cwd, env: { ...environment(), ...env } });
}

export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { status, stdout, stderr };
}

/** The tests' own environment without what changes the look of output. */
function environment(): NodeJS.ProcessEnv {
  const { NO_COLOR, FORCE_COLOR, COLUMNS, NETDIAG_DEBUG, ...rest } = process.env;
  return rest;
}

/** When it would hear Ctrl-C and has nothing left to do but wait (Linux: /proc; elsewhere some seconds are taken for it). */
export async function waiting({ pid }: ChildProcess): Promise<void> {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  if (!existsSync('/proc/self/status')) return void (await pause(2000));
  for (let asleep = 0; asleep < 3; await pause(100)) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const caught = Number.parseInt(/^SigCgt:.*?(\w{8})$/m.exec(status)?.[1] ?? '0', 16);
    asleep = (caught & SIGINT_BIT) !== 0 && /^State:\s+S/m.test(status) ? asleep + 1 : 0;
  }
}
