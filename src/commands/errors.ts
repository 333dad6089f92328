import { CaptureError } from '../capture/source.js';
import { printable } from '../wire/printable.js';
import type { CommandIo } from './io.js';

/** Wrong use, or something that the user named and that does not work: told in one line, exit status 2. */
export class UserError extends Error {
  /**
   * @param subject the file or argument
   * @param message what is wrong with it
   * @param advice what to do
   */
  constructor(
    readonly subject: string,
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/** Tells an error as the contract wants it: one line, and the stack only when asked for. */
export function tellError(error: unknown, io: CommandIo): void {
  io.stderr.write(`netdiag: ${printable(lineOf(error))}\n`);
  if (io.env.NETDIAG_DEBUG === '1' && error instanceof Error) io.stderr.write(`${error.stack}\n`);
}

function lineOf(error: unknown): string {
  if (error instanceof UserError) return `${error.subject || '""'}: ${error.message}: ${error.advice}`;
  if (error instanceof CaptureError) return `${error.input || '""'}: ${error.message}: ${error.advice}`;
  const message = error instanceof Error ? error.message : String(error);
  return `internal error: ${message}: please report it with the output of NETDIAG_DEBUG=1`;
}
