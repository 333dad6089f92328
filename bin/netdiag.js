#!/usr/bin/env node
'use strict';
// Whoever asks for the version waits for Node.js alone: what console.log needs takes 3 ms to load, a first ES module 8 ms.
const words = process.argv.slice(2);
const isVersion = words.length === 1 && (words[0] === '--version' || words[0] === '-V');
if (!isVersion || !tell()) require('./start.js').start();

/** Whether the version could be written: into a pipe that is full, one that is closed, or a full disk the program does. */
function tell() {
  try {
    require('node:fs').writeSync(1, `${require('../package.json').version}\n`);
    return true;
  } catch {
    return false;
  }
}
