/*
 * Loaded in front of a program (node --import): measures how late its event loop was, in milliseconds, from SIGUSR2 to
 * its end, and writes it to the file that LOOP_DELAY names. Each value includes the 5 ms between two looks.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION = 5;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
delay.enable();
process.on('SIGUSR2', () => delay.reset());
process.on('exit', () => {
  const milliseconds = Object.fromEntries([50, 99, 100].map((each) => [each, delay.percentile(each) / 1e6]));
  writeFileSync(process.env.LOOP_DELAY ?? '/dev/stderr', JSON.stringify(milliseconds));
});
