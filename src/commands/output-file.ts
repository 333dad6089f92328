import { randomBytes } from 'node:crypto';
import { accessSync, constants, realpathSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from './errors.js';

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
  const { code } = error as NodeJS.ErrnoException;
  return new UserError(file, `cannot be written (${code})`, 'check the folder and its permissions');
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
