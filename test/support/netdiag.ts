import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './fixtures.js';

/** The file that a shell would start. */
export const program = join(root, 'bin/netdiag.js');

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
  const { NO_COLOR, FORCE_COLOR, NETDIAG_DEBUG, ...rest } = process.env;
  return rest;
}
