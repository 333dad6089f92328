import { execFile, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { XMLParser } from 'fast-xml-parser';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../../src/commands/program.js';
import { root } from '../support/fixtures.js';
import { fakeIo } from '../support/io.js';
import { sarif } from '../support/sarif.js';

/** Three requests without answer, no context: a symptom and a hint. */
const capture = join(root, 'fixtures/demo/vepa.pcap');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netdiag-check-'));
  copyFileSync(capture, join(folder, 'x.pcap'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function check(...args: string[]) {
  const io = fakeIo({ cwd: folder });
  const status = await run(['check', ...args], io);
  return { status, ...io.written };
}
const expectation = () => JSON.parse(readFileSync(join(folder, 'x.expect.json'), 'utf8'));
const write = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));

it('holds on our own fixtures: npm run regress', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'regress'], { cwd: root });
  expect(stdout).toMatch(/^\d{2,} captures as expected, 0 not\n$/);
});

it('asks for an expectation, takes it down, and holds to it', async () => {
  const first = await check('.');
  expect(first.status).toBe(1);
  expect(first.stdout).toContain('--update');
  expect((await check('--update', '.')).status).toBe(0);
  expect(expectation().findings[0]).toMatchObject({ rule: 'arp/unanswered', frames: [1, 2, 3] });
  expect(JSON.stringify(expectation())).not.toContain('title');
  expect(await check('x.pcap')).toMatchObject({ status: 0, stdout: '1 capture as expected, 0 not\n' });
});

it('ended by Ctrl-C amidst a capture writes nothing down', async () => {
  execFileSync('mkfifo', [join(folder, 'late.pcap')]);
  const writer = spawn('sh', ['-c', 'exec 3>late.pcap; cat x.pcap >&3; touch opened; sleep 30'], { cwd: folder });
  const ending = new AbortController();
  const io = fakeIo({ cwd: folder, signal: ending.signal });
  const ended = run(['check', join(folder, 'late.pcap'), '--update'], io);
  while (!existsSync(join(folder, 'opened'))) await sleep(20);
  await sleep(500);
  ending.abort();
  expect(await ended).toBe(130);
  writer.kill();
  expect(io.written).toEqual({ stdout: '', stderr: '' });
  expect(existsSync(join(folder, 'late.expect.json'))).toBe(false);
});

it('names the expectation whose place is none', async () => {
  write('x.expect.json', { vantage: 'ens34', findings: [] });
  const { status, stderr } = await check('.');
  expect(status).toBe(2);
  expect(stderr).toContain('x.expect.json: vantage: "ens34" does not name a place');
});

it('tells what is missing, what is new and what changed, and keeps the rest of the file', async () => {
  await check('--update', '.');
  const [found] = expectation().findings;
  const gone = { rule: 'bridge/loop', confidence: 'certain', frames: [7], subject: { mac: '02:00:00:00:00:01' } };
  write('x.expect.json', { note: 'mine', findings: [{ ...found, frames: [1, 2] }, gone] });
  const { status, stdout } = await check('.');
  expect(status).toBe(1);
  expect(stdout).toContain('- bridge/loop  certain  frame 7  mac 02:00:00:00:00:01   expected, not found');
  expect(stdout).toMatch(
    /- arp\/unanswered {2}\w+ {2}frames 1, 2 .* expected\n {2}\+ arp\/unanswered {2}\w+ {2}frames 1–3/,
  );
  await check('--update', '.');
  expect(expectation()).toMatchObject({ note: 'mine', findings: [found] });
  write('x.expect.json', { findings: [] });
  expect((await check('.')).stdout).toContain('+ arp/unanswered');
});

it('reports differences as JUnit, annotations and SARIF', async () => {
  write('x.expect.json', { findings: [{ rule: 'bridge/loop', frames: [], subject: {} }] });
  const xml = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' }).parse(
    (await check('.', '--format', 'junit')).stdout,
  );
  expect(xml.testsuites.failures).toBe('1');
  expect(xml.testsuites.testsuite.testcase.failure['#text']).toContain('+ arp/unanswered');
  expect((await check('.', '--format', 'github')).stdout).toMatch(/^::error file=x\.pcap,title=[^\n]*%0A[^\n]*\n$/);
  const { results } = sarif((await check('.', '--format', 'sarif')).stdout);
  expect(results.map((each: { baselineState: string }) => each.baselineState).sort()).toEqual(['absent', 'new']);
});

it('accepts what a baseline knows, and names what is stale in it', async () => {
  expect((await check('.', '--baseline', 'known.json')).stderr).toContain('no such baseline');
  expect((await check('.', '--baseline', 'known.json', '--update')).status).toBe(0);
  expect(existsSync(join(folder, 'x.expect.json'))).toBe(false);
  const accepted = await check('.', '--baseline', 'known.json');
  expect(accepted).toMatchObject({ status: 0, stdout: expect.stringContaining('1 known finding in the baseline') });
  const known = JSON.parse(readFileSync(join(folder, 'known.json'), 'utf8'));
  const stale = { ...known.findings[0], fingerprint: 'ffff', title: 'long gone' };
  write('known.json', { ...known, findings: [stale] });
  const { status, stdout } = await check('.', '--baseline', 'known.json');
  expect(status).toBe(1);
  expect(stdout).toContain('long gone');
});

it('tells suppressed findings with their reason', async () => {
  write('netdiag.config.json', { suppressions: [{ rule: 'arp/unanswered', reason: 'a lamp that sleeps' }] });
  write('x.expect.json', { findings: [] });
  expect(await check('.')).toMatchObject({ status: 0, stdout: expect.stringContaining('a lamp that sleeps') });
});

it.each([
  [['nowhere'], 'nowhere: no such file or folder'],
  [['x.pcap', '--format', 'html'], '"html" is not known'],
])('refuses %j', async (args, message) => {
  const { status, stderr } = await check(...args);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});

it('goes on after a file that is no capture, and says so by its status', async () => {
  writeFileSync(join(folder, 'y.pcap'), 'nothing');
  await check('--update', 'x.pcap');
  const { status, stdout } = await check('.');
  expect(status).toBe(2);
  expect(stdout).toContain('y.pcap');
  expect(stdout).toContain('1 capture as expected, 1 not');
  expect(sarif((await check('.', '--format', 'sarif')).stdout).results).toMatchObject([
    { ruleId: 'netdiag/not-compared', level: 'error' },
  ]);
});
