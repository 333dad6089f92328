// Usage: node scripts/bundle.js, after the program was compiled
// Puts the compiled program and the small packages that it uses into a few files in dist/program: to start it takes 100 ms
// less than from 300 files. What is large and seldom needed, or native, stays a package of its own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { numbersInPlace } from './constants.js';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const program = `${dist}program`;

try {
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    // Child processes are started from files of their own, which lie beside whoever starts them.
    input: {
      main: `${dist}commands/main.js`,
      'host-helper': `${dist}capture/live/host-helper.js`,
      'cap-helper': `${dist}capture/live/cap-helper.js`,
    },
    platform: 'node',
    external: ['koffi', 'ink', 'react', 'react/jsx-runtime'],
    plugins: [await numbersInPlace(dist)],
    optimization: { inlineConst: { mode: 'all' } },
  });
  await bundle.write({ dir: program, format: 'esm' });
} catch (error) {
  // The bundler is a native program that not every platform has; the program works without it.
  console.error(`not bundled, which makes the program start later: ${error instanceof Error ? error.message : error}`);
  mkdirSync(program, { recursive: true });
  writeFileSync(`${program}/main.js`, "import '../commands/main.js';\n");
}
