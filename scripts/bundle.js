// Usage: node scripts/bundle.js, after the program was compiled
// Puts the compiled program and the small packages that it uses into a few files in dist/program: to start it takes 100 ms
// less than from 300 files. What is large and seldom needed, or native, stays a package of its own. CommonJS, as only of
// scripts Node.js 20 can be given the bytecode (scripts/bytecode.js), and because its loader of ES modules takes 8 ms.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { numbersInPlace } from './constants.js';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const program = `${dist}program`;
const ANALYZE = ['commands/main.js', 'commands/analyze.js'].map((name) => dist + name);

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
    // `analyze` is meant to be in one file with what starts it.
    checks: { ineffectiveDynamicImport: false },
  });
  const { output } = await bundle.generate({
    format: 'cjs',
    banner: "'use strict';",
    comments: { legal: true, annotation: false, jsdoc: false },
    // All that `analyze` needs in one file, where V8 knows what each name means: of other files it asks each time.
    codeSplitting: {
      groups: [{ name: 'main', test: (id) => ANALYZE.includes(id), includeDependenciesRecursively: true }],
    },
  });
  mkdirSync(program, { recursive: true });
  for (const file of output) if (file.type === 'chunk') write(file.fileName, file.code);
  writeFileSync(`${program}/package.json`, '{ "type": "commonjs" }\n');
} catch (error) {
  // The bundler is a native program that not every platform has; the program works without it.
  console.error(`not bundled, which makes the program start later: ${error instanceof Error ? error.message : error}`);
  mkdirSync(program, { recursive: true });
  writeFileSync(`${program}/package.json`, '{ "type": "commonjs" }\n');
  write('main.js', "import('../commands/main.js');");
}

/**
 * @param {string} name
 * @param {string} code of CommonJS
 */
function write(name, code) {
  const text = asciiOf(requiredLate(code));
  // As the function that Node.js would make of it: bin/start.js would have to copy it to put something around it.
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${text}\n})`;
  writeFileSync(join(program, name), name === 'main.js' ? wrapped : text);
}

/**
 * Node's own modules that few runs need are loaded where something of them is used: 11 M of 245 M instructions of a small
 * capture are theirs. So is what measures and breaks lines, which asks ICU about all emojis when it is loaded.
 * @param {string} code
 */
function requiredLate(code) {
  const required =
    /^\s*(?:let|const) (node_\w+|childProcess|require_wrap_ansi) = (require\("(?:node:(?:child_process|crypto|net|stream|tty|zlib)|\.\/wrap-ansi-[\w-]+\.js)"\));\n/gm;
  const found = [...code.matchAll(required)];
  return found.reduce(
    // In parentheses, for `new` would take the call for its own.
    (rest, [, name, call]) => rest.replaceAll(new RegExp(`\\b${name}(?=\\.)`, 'g'), `(${call})`),
    code.replaceAll(required, ''),
  );
}

/**
 * The same in ASCII: V8 keeps a source with one other character in it in twice the memory, and reads it slower.
 * @param {string} code
 */
function asciiOf(code) {
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
