// Usage: npm run fuzz -- [options]; --help tells them
// Bundles the fuzzer with the program's sources, so that V8 counts coverage in few files, and watches over it: what hangs
// cannot say so itself.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/** Milliseconds without a sign of life after which the fuzzer hangs: a batch takes less than one second, on a busy machine many. */
const PATIENCE = 120_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = await rolldown({
  input: `${root}test/fuzz/fuzz.ts`,
  platform: 'node',
  external: [/^koffi$/, /^ink$/, /^react/, /^vitest$/],
});
await bundle.write({ dir: `${root}test/build`, format: 'esm' });
await bundle.close();

const child = fork(`${root}test/build/fuzz.js`, process.argv.slice(2));
let timer = setTimeout(hangs, PATIENCE);
child.on('message', () => {
  clearTimeout(timer);
  timer = setTimeout(hangs, PATIENCE);
});
child.on('exit', (code) => {
  clearTimeout(timer);
  process.exitCode ||= code ?? 1;
});

function hangs() {
  console.error('the fuzzer hangs: run it again with the same --seed and one --target to see which input it is');
  process.exitCode = 1;
  child.kill('SIGKILL');
}
