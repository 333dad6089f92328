#!/usr/bin/env node
'use strict';
// Whoever asks for the version waits for Node.js alone: what console.log needs takes 3 ms to load, a first ES module 8 ms.
const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
  const { version } = require('../package.json');
  try {
    require('node:fs').writeSync(1, `${version}\n`);
  } catch {
    // A pipe that is full, or closed at the other end: waits, or says nothing.
    console.log(version);
  }
} else {
  require('./start.js').start();
}
