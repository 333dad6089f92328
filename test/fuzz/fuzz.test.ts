import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Script } from 'node:vm';
import { expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { Coverage } from './coverage.js';
import { targets } from './targets.js';

it('has seeds for every target, all of which netdiag takes, and changes them', { timeout: 300_000 }, async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'fuzz', '--', '--minutes', '0.1'], {
    cwd: root,
  });
  for (const [name, { seeds }] of Object.entries(await targets('/nowhere'))) {
    expect(seeds.length, name).toBeGreaterThan(0);
    expect(Number(new RegExp(`${name}: (\\d+) inputs`).exec(stdout)?.[1]), name).toBeGreaterThan(0);
  }
  expect(stdout).toContain('; 0 finds');
});

it('sees code that runs for the first time, and no other', () => {
  const coverage = new Coverage(/^watched\.js$/);
  const code = 'const f = (n) => { if (n > 1) { return "more"; } return "one"; }; f;';
  const step = new Script(code, { filename: 'watched.js' }).runInThisContext();
  step(1);
  expect(coverage.take()).toBe(true);
  step(1);
  expect(coverage.take()).toBe(false);
  step(2);
  expect(coverage.take()).toBe(true);
});
