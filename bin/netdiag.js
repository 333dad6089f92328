#!/usr/bin/env node
'use strict';
// CommonJS, since loading the first ES module takes 8 ms: whoever asks for the version waits for Node.js alone.
const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
  console.log(require('../package.json').version);
} else {
  import('../dist/program/main.js');
}
