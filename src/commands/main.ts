import { version } from '../version.js';
import { Exit } from './io.js';

/*
 * The way in. Asking for the version loads nothing else; everything else runs with the process as its world.
 */
const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) console.log(version());
else process.exitCode = await runInProcess();

async function runInProcess(): Promise<number> {
  const ending = new AbortController();
  // The first Ctrl-C ends the reading and reports; the second one finds nobody listening and kills.
  process.once('SIGINT', () => ending.abort());
  let readerGone = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      readerGone = true;
      ending.abort();
    });
  }
  const { run } = await import('./program.js');
  const { stdout, stderr, env } = process;
  const status = await run(argv, { stdout, stderr, env, cwd: process.cwd(), signal: ending.signal });
  return readerGone && status === Exit.Interrupted ? Exit.Ok : status;
}
