import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UserError } from './errors.js';
import type { CommandIo } from './io.js';
import { adviceFor, reasonOf } from './system-error.js';

/**
 * Writes a file whole or not at all: beside it first, then in its place. What is no regular file
 * (a pipe, `/dev/stdout`) is written to as it is.
 * @throws UserError if it cannot be written; an earlier file is then untouched
 */
export function writeWhole(file: string, text: string | Uint8Array): void {
  try {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there !== undefined && !there.isFile()) writeFileSync(file, text);
    else replace(there === undefined ? file : realpathSync(file), text, there);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/**
 * Writes what a command has to say: into the file that it was asked to write, null for standard output.
 * @throws UserError if the file cannot be written
 */
export function deliver(text: string, file: string | null, { stdout }: CommandIo): void {
  if (file === null) stdout.write(text);
  else writeWhole(file, text);
}

/**
 * Refuses to write over what is read, or twice to one file: it is a slip, and what was there is lost. Nor is `-` taken for
 * the name of a file, which would have to be removed by somebody who meant standard output.
 * @param outputs files by the option that names them; undefined for those that were not given
 * @param inputs files and folders that are read
 * @throws UserError
 */
export function checkOutputs(
  outputs: Readonly<Record<string, string | undefined>>,
  inputs: readonly (string | undefined)[],
  cwd: string,
): void {
  const taken = inputs.filter((input) => input !== undefined && input !== '-').map((input) => input as string);
  for (const [option, output] of Object.entries(outputs)) {
    if (output === undefined) continue;
    if (output === '') throw new UserError(option, 'names no file', 'give a name behind it');
    if (output === '-')
      throw new UserError(`${option} -`, 'is not standard output', 'name a file, or ./- for one of that name');
    if (taken.some((other) => isSameFile(resolve(cwd, other), resolve(cwd, output))))
      throw new UserError(`${option} ${output}`, 'is used in this run already', 'name another file');
    taken.push(output);
  }
}

/** By what lies there, whatever it is called; devices and pipes can be written to by several. */
function isSameFile(one: string, other: string): boolean {
  if (one === other && !existsSync(one)) return true;
  try {
    const [here, there] = [statSync(one), statSync(other)];
    return here.isFile() && here.dev === there.dev && here.ino === there.ino;
  } catch {
    return false;
  }
}

/**
 * Whether `writeWhole` will be able to write, for those who have something to write only much later.
 * @throws UserError if not
 */
export function checkWritable(file: string): void {
  try {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(there === undefined || there.isFile() ? dirname(file) : file, constants.W_OK);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

function cannotWrite(file: string, error: unknown): UserError {
  return new UserError(file, `cannot be written (${reasonOf(error)})`, adviceFor(error));
}

function replace(file: string, text: string | Uint8Array, there: Stats | undefined): void {
  const beside = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    writeFileSync(beside, text, { flag: 'wx', mode: there?.mode ?? 0o666 });
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
