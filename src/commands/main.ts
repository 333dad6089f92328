import { version } from '../version.js';

/* The way in. Asking for the version loads nothing else. */
const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  console.log(version());
} else {
  const { runInProcess } = await import('./process.js');
  process.exitCode = await runInProcess(argv);
}
