import { oneOf } from './arguments.js';
import type { CommandIo } from './io.js';

const COLOR_CHOICES = ['auto', 'always', 'never'] as const;

/** Columns to write for where nobody says how wide the terminal is. */
const USUAL_WIDTH = 100;
/** Below this, prose in columns cannot be read: better let the terminal break the lines. */
const LEAST_WIDTH = 40;

/** Columns of the terminal; elsewhere as `COLUMNS` says, which shells keep and `netdiag … | less` can be given. */
export function terminalWidth({ stdout, env }: CommandIo): number {
  const told = /^\d{1,4}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : 0;
  return Math.max(LEAST_WIDTH, stdout.columns || told || USUAL_WIDTH);
}

/**
 * Whether to write in colour: as the option says; without it on a terminal that can, unless `NO_COLOR`
 * is set (https://no-color.org: to anything but the empty string).
 * @throws UserError if the option is none of `auto`, `always`, `never`
 * @param toStdout false if the report goes into a file
 */
export function terminalColor(flag: string | undefined, { stdout, env }: CommandIo, toStdout = true): boolean {
  const choice = oneOf('--color', flag ?? 'auto', COLOR_CHOICES);
  if (choice !== 'auto') return choice === 'always';
  return toStdout && stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
