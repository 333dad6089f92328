import { tellError, UserError } from './errors.js';
import { type CommandIo, Exit } from './io.js';
import { run } from './program.js';
import { reasonOf } from './system-error.js';

/** Runs a command with the process as its world. Returns the exit status. */
export async function runInProcess(argv: readonly string[]): Promise<number> {
  const { stdout, stderr, env } = process;
  const ending = new AbortController();
  const io: CommandIo = { stdout, stderr, env, cwd: process.cwd(), signal: ending.signal };
  // The first Ctrl-C ends the reading and reports; the second one finds nobody listening and kills.
  process.once('SIGINT', () => ending.abort());
  process.once('SIGTERM', () => ending.abort());
  // The terminal or the connection is gone: what was captured is not, and what goes into files is written. It may come twice, from the
  // terminal and from the shell, and the second must not cut that short.
  process.on('SIGHUP', () => ending.abort());
  let readerGone = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    const isGone = error.code === 'EPIPE' || (error.code === 'EIO' && stdout.isTTY);
    if (!isGone) {
      tellError(new UserError('standard output', `cannot be written (${reasonOf(error)})`, 'see where it leads'), io);
      process.exit(Exit.Usage);
    }
    readerGone = true;
    ending.abort();
  });
  // Nobody is left to be told.
  stderr.on('error', () => {});
  const status = await run(argv, io);
  return readerGone && status === Exit.Interrupted ? Exit.Ok : status;
}
