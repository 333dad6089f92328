'use strict';
// Starts the program as `require` would, but with the bytecode that V8 made of it when it was built: then nothing is parsed
// and compiled until something new is called, which halves the time of a small capture.
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { constants, Script } = require('node:vm');

const program = join(__dirname, '../dist/program/main.js');

/** Lies with the program and is trusted as the program is. Bytecode fits one V8: for any other the program is compiled. */
const bytecode = join(dirname(program), `main-${process.version}-${process.arch}.bytecode`);

/** @returns {import('node:vm').Script} what has been started */
function start() {
  // The bundler writes ASCII, and all of it as one function (scripts/bundle.js).
  const script = new Script(readFileSync(program, 'latin1'), {
    filename: program,
    cachedData: known(),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  // Parts of the program that are loaded later ask for this one by its name.
  const Module = /** @type {typeof import('node:module')} */ (module.constructor);
  const started = new Module(program, module);
  started.filename = program;
  started.paths = module.paths;
  require.cache[program] = started;
  const requireThere = (/** @type {string} */ id) => started.require(id);
  script.runInThisContext()(started.exports, requireThere, started, program, dirname(program));
  started.loaded = true;
  return script;
}

/** V8 looks itself whether it is of its own version and of a source of this length. */
function known() {
  try {
    return readFileSync(bytecode);
  } catch {
    return undefined;
  }
}

module.exports = { start, bytecode };
