import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../support/fixtures.js';
import { outcomeOf } from '../../support/netdiag.js';

/**
 * What the machine's kernel may lack is tested in one of its own, started once for all files `*.inside.ts`: the tests here are
 * those that ran there. By hand, e.g. `test/support/kernel/run npx vitest run --config test/live/kernel/vitest.config.ts -t ipvlan`.
 */
const run = join(root, 'test/support/kernel/run');
const config = 'test/live/kernel/vitest.config.ts';
/** The kernel loads no program faster than in 15 ms: minutes for some forty networks. */
const SECONDS = 900;

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Whether a kernel starts here is seen by starting one. */
async function obstacle(): Promise<string | null> {
  if (process.platform !== 'linux') return 'not Linux';
  const { status, stderr } = await outcomeOf(spawn(run, ['-t', '60', 'true']));
  return status === 0 ? null : `no kernel of its own starts here: ${stderr.trim().split('\n').at(-1) ?? status}`;
}

async function inside(): Promise<Report> {
  const out = mkdtempSync(join(tmpdir(), 'netdiag-kernel-'));
  const vitest = [process.execPath, join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', config];
  const reports = ['--reporter=default', '--reporter=json', '--outputFile.json=/run/out/report.json'];
  const words = ['-m', '1536', '-t', String(SECONDS), '-o', out, 'env', 'TMPDIR=/tmp', ...vitest, ...reports];
  const { status, stdout, stderr } = await outcomeOf(spawn(run, words, { cwd: root }));
  const report = join(out, 'report.json');
  if (!existsSync(report)) throw new Error(`status ${status}\n${stdout}${stderr}`);
  return JSON.parse(readFileSync(report, 'utf8'));
}

const why = await obstacle();
const { testResults }: Report = why === null ? await inside() : { testResults: [] };

describe.skipIf(why !== null)(`in a kernel of its own${why === null ? '' : ` (skipped: ${why})`}`, () => {
  it('runs tests', () => {
    expect(testResults.flatMap(({ assertionResults }) => assertionResults).length).toBeGreaterThan(0);
  });
  for (const { name, message, assertionResults } of testResults) {
    if (assertionResults.length === 0) it(name, () => expect.fail(message));
    for (const { fullName, status, failureMessages } of assertionResults)
      it(fullName, () => {
        if (status !== 'passed') expect.fail(failureMessages.join('\n') || status);
      });
  }
});
