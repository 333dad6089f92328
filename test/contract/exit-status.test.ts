import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { netdiag, outcomeOf, start, waiting } from '../support/netdiag.js';

const demo = 'fixtures/demo/vepa.pcap';
const demoBytes = readFileSync(join(root, demo));
/** The file header and two of its three records: an ARP packet in a Linux cooked header v2 each. */
const TWO_FRAMES = 24 + 2 * (16 + 20 + 28);
const context = ['--context', 'fixtures/demo/context.json'];
const folder = mkdtempSync(join(tmpdir(), 'netdiag-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The demo without the end of its last frame. */
const cut = join(folder, 'cut.pcap');
writeFileSync(cut, demoBytes.subarray(0, -5));
const noCapture = join(folder, 'page.pcap');
writeFileSync(noCapture, '<!DOCTYPE html><html></html>');

const statusOf = async (...args: string[]) => (await netdiag(['analyze', ...args])).status;

describe('the exit status', () => {
  it('is 0 if nothing is at or above --fail-on', async () => {
    expect(await statusOf(demo, ...context, '--fail-on', 'never')).toBe(0);
    expect(await statusOf(demo, ...context, '--select', 'bridge/loop')).toBe(0);
  });

  it('is 1 for findings', async () => {
    expect(await statusOf(demo, ...context)).toBe(1);
    expect(await statusOf(demo, ...context, '--fail-on', 'error')).toBe(1);
  });

  it('is 1 for findings that are not shown, and the report says that there are some', async () => {
    const config = join(folder, 'mild.json');
    writeFileSync(config, '{"severity": {"macvlan": "warning"}}');
    const args = [demo, ...context, '--select', 'macvlan', '--config', config, '--min-severity', 'error'];
    const { status, stdout } = await netdiag(['analyze', ...args, '--format', 'json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [], hidden: 1 });
    expect(await statusOf(...args, '--fail-on', 'error')).toBe(0);
  });

  it('is 2 for wrong use', async () => {
    expect(await statusOf()).toBe(2);
    expect(await statusOf(demo, '--no-such-option')).toBe(2);
  });

  it('is 2 for an input that cannot be read at all, and the others are reported', async () => {
    expect(await statusOf(noCapture)).toBe(2);
    const { status, stdout, stderr } = await netdiag(['analyze', noCapture, cut, demo, '--format', 'json']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^netdiag: .*page\.pcap: not a capture: .*\n$/);
    expect(JSON.parse(stdout).captures).toMatchObject([{ name: cut }, { name: demo, frames: 3 }]);
  });

  it('is 3 for an input that could be read in part, and what was read is reported', async () => {
    const { status, stdout } = await netdiag(['analyze', cut, '--format', 'json']);
    expect(status).toBe(3);
    expect(JSON.parse(stdout).captures).toMatchObject([
      { frames: 2, complete: false, problems: [{ offset: TWO_FRAMES, message: expect.any(String) }] },
    ]);
  });

  it('is 130 after Ctrl-C, and what was read until then is reported', async () => {
    const child = start(['analyze', '-', '--format', 'json']);
    const outcome = outcomeOf(child);
    child.stdin.write(demoBytes.subarray(0, TWO_FRAMES));
    await waiting(child);
    child.kill('SIGINT');
    const { status, stdout, stderr } = await outcome;
    expect(stderr).toBe('');
    expect(status).toBe(130);
    expect(JSON.parse(stdout).captures).toMatchObject([{ name: '-', frames: 2 }]);
  });
});

describe.skipIf(process.platform === 'win32')('a named pipe', () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);

  it.each(['analyze', 'frames'])('that nobody writes to can be left with one Ctrl-C by %s', async (command) => {
    const child = start([command, pipe]);
    const outcome = outcomeOf(child);
    await waiting(child);
    child.kill('SIGINT');
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    expect(await outcome).toEqual({ status: 130, stdout: '', stderr: '' });
    clearTimeout(late);
  });

  it.each(['json', 'markdown', 'html'])('is read once, to its end, for %s', async (format) => {
    const outcome = netdiag(['analyze', pipe, ...context, '--format', format]);
    await writeFile(pipe, demoBytes);
    const { status, stdout, stderr } = await outcome;
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toContain('macvlan/vepa-no-reflection');
  });

  it('cannot be reported on, which needs a second reading', async () => {
    const { status, stderr } = await netdiag(['report', pipe]);
    expect([status, stderr]).toEqual([2, `netdiag: ${pipe}: cannot be read twice: save it to a file first\n`]);
  });
});

describe('a reader that goes away', () => {
  it.each([
    ['frames', '--format', 'ndjson'],
    ['analyze', '--format', 'json'],
  ])('ends %s without a word', async (command, ...format) => {
    const child = start([command, '-', ...format]);
    child.stdin.on('error', () => {});
    child.stdout.destroy();
    const closed = once(child, 'close');
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.stdin.write(demoBytes.subarray(0, 24));
    for (let i = 0; i < 5000; i++) child.stdin.write(demoBytes.subarray(24));
    child.stdin.end();
    const [status, signal] = await closed;
    expect(stderr).toBe('');
    expect(signal).toBeNull();
    expect([0, 1]).toContain(status);
  });
});
