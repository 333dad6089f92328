// Usage: node .ci/totals.js <vitest JSON report> <exit status of npm test>
// Counts, refuses skipped tests, and prints the totals as the last line.
import { existsSync, readFileSync } from 'node:fs';

const [report, status] = process.argv.slice(2);
let passed = 0;
let failed = 0;
/** @type {string[]} */
const skipped = [];

if (existsSync(report)) {
  for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed++;
      else if (test.status === 'failed') failed++;
      else skipped.push(`${file.name}: ${test.fullName} (${test.status})`);
    }
    // A file that could not even be loaded has no tests to count.
    if (file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed')) failed++;
  }
}
// Install, lint, types or build failed before or beside the tests.
if (Number(status) !== 0 && failed === 0) failed = 1;

for (const test of skipped) console.log(`skipped, which CI refuses: ${test}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || skipped.length > 0 || passed === 0 ? 1 : 0;
