import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { root } from '../support/fixtures.js';

const scratch = mkdtempSync(join(tmpdir(), 'netdiag-totals-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What `.ci/run` ends with for test files with these statuses: its last line and its exit status. */
function totals(
  files: readonly (readonly string[])[] | null,
  npmStatus: number,
): [lastLine: string, exit: number | null] {
  const report = join(scratch, 'report.json');
  rmSync(report, { force: true });
  const testResults = files?.map((statuses) => ({
    name: 'x.test.ts',
    status: statuses.length === 0 || statuses.includes('failed') ? 'failed' : 'passed',
    assertionResults: statuses.map((status) => ({ status, fullName: 'a test' })),
  }));
  if (testResults !== undefined) writeFileSync(report, JSON.stringify({ testResults }));
  const { stdout, status } = spawnSync(process.execPath, [join(root, '.ci/totals.js'), report, String(npmStatus)], {
    encoding: 'utf8',
  });
  return [stdout.trimEnd().split('\n').at(-1) ?? '', status];
}

describe('the totals of .ci/run', () => {
  test('count what passed and what failed', () => {
    expect(totals([['passed', 'passed'], ['passed']], 0)).toEqual(['3 passed, 0 failed', 0]);
    expect(totals([['passed', 'failed']], 1)).toEqual(['1 passed, 1 failed', 1]);
  });

  test.each(['skipped', 'pending', 'todo'])('refuse a test that is %s', (status) => {
    expect(totals([['passed', status]], 0)).toEqual(['1 passed, 0 failed', 1]);
  });

  test('count a file that could not be loaded', () => {
    expect(totals([['passed'], []], 1)).toEqual(['1 passed, 1 failed', 1]);
  });

  test('count lint, types or build that failed before any test', () => {
    expect(totals(null, 1)).toEqual(['0 passed, 1 failed', 1]);
  });

  test('do not take nothing for success', () => {
    expect(totals([], 0)[1]).toBe(1);
  });
});
