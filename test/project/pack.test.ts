import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/fixtures.js';

const DEMO = ['fixtures/demo/vepa.pcap', '--context', 'fixtures/demo/context.json'];

let scratch: string;
let packed: string[];

function run(command: string, args: readonly string[], cwd = root): SpawnSyncReturns<string> {
  return spawnSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a command that has to succeed and gives what it printed. */
function output(command: string, args: readonly string[], cwd = root): string {
  const { status, stdout, stderr } = run(command, args, cwd);
  expect(status, `${command} ${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

// What `npm test` has built is packed as it is: building again would take it away under other tests.
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'netdiag-pack-'));
  const json = output('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch]);
  const [{ filename, files }] = JSON.parse(json);
  packed = files.map(({ path }: { path: string }) => path);
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--omit=dev'];
  output('npm', ['install', '--global', '--prefix', scratch, ...options, join(scratch, filename)]);
  writeFileSync(join(scratch, 'package.json'), '{ "private": true }');
  symlinkSync(join(scratch, 'lib/node_modules'), join(scratch, 'node_modules'));
}, 120_000);
afterAll(() => rmSync(scratch, { recursive: true }), 60_000);

const netdiag = (...args: string[]) => run(join(scratch, 'bin/netdiag'), args);

describe('the packed program, installed globally', () => {
  test('holds what it needs and nothing else', () => {
    expect(packed).toContain('dist/index.d.ts');
    expect(packed).toContain('LICENSE');
    expect(packed.filter((path) => /^(src|test|bench|scripts|\.ci)\//.test(path))).toEqual([]);
  });

  test('says its version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(netdiag('--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  test('has its schemas', () => {
    expect(packed).toContain('docs/schema/findings-1.json');
    const { resolve } = createRequire(join(scratch, 'use.cjs'));
    expect(JSON.parse(readFileSync(resolve('netdiag/schema/config.json'), 'utf8'))).toHaveProperty('title');
  });

  test('lists and explains its rules', () => {
    expect(netdiag('rules')).toMatchObject({ status: 0, stdout: expect.stringContaining('arp/unanswered') });
    expect(netdiag('explain', 'arp/unanswered')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('arp/unanswered'),
    });
  });

  test('diagnoses a capture', () => {
    const { status, stdout, stderr } = netdiag('analyze', ...DEMO, '--format', 'json');
    expect(stderr).toBe('');
    expect(status).toBe(1);
    expect(JSON.parse(stdout).findings[0]).toMatchObject({ rule: 'macvlan/vepa-no-reflection', confidence: 'certain' });
  });
});

describe('the packed library', () => {
  test('has exports, types and files that fit each other', () => {
    expect(output('npx', ['publint', '--strict', '--pack', 'false'])).toContain('All good!');
  });

  test('analyses captures', () => {
    const program = join(scratch, 'use.mjs');
    writeFileSync(
      program,
      `import { analyze } from 'netdiag';
const { findings } = await analyze(['fixtures/demo/vepa.pcap']);
console.log(findings[0].rule);
`,
    );
    expect(output(process.execPath, [program])).toMatch(/^[a-z]+\/[a-z-]+\n$/);
  });

  test('has types that stand on their own', () => {
    writeFileSync(
      join(scratch, 'use.mts'),
      `import { type Analysis, type Finding, analyze } from 'netdiag';
const analysis: Analysis = await analyze(['x.pcap'], { select: ['arp'] });
export const first: Finding | undefined = analysis.findings[0];
// @ts-expect-error inputs are a list
await analyze('x.pcap');
`,
    );
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--types', ''];
    output(join(root, 'node_modules/.bin/tsc'), [...options, 'use.mts'], scratch);
  });
});
