import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import type { AnalyzeFlags } from '../analyze-settings.js';
import type { CommandIo } from '../io.js';

/** Whether a person at a terminal asked for nothing else than the full-screen view. */
export function wantsTui({ format, output, quiet, tui }: AnalyzeFlags, { stdout, env }: CommandIo): boolean {
  if (stdout !== process.stdout || stdout.isTTY !== true || env.TERM === 'dumb' || env.CI) return false;
  return tui !== false && format === undefined && output === undefined && !quiet;
}

/** A terminal to take keys from; null if there is none. Standard input may be the capture or something else. */
export function keyboard(): ReadStream | null {
  if (process.stdin.isTTY === true) return process.stdin as ReadStream;
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    return null;
  }
}
