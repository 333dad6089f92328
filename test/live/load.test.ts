import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { outcomeOf, start } from '../support/netdiag.js';
import { Lab, sleep, whyNot } from './lab.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-load-'));
let lab = new Lab();

afterEach(() => {
  lab.remove();
  lab = new Lab();
});

/** Sends small packets as fast as this machine can; returns how many. */
function flood(packets: number): number {
  const sender = [process.execPath, join(root, 'bench/live/sender.js'), 'eth0', String(packets), '0'];
  return JSON.parse(lab.exec('one', ...sender)).sent;
}

/** What `netdiag live` reports of the capture while `work` runs. */
async function capturing(flags: readonly string[], work: () => void) {
  lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0');
  // So the kernel cuts what the sender sends, which is faster.
  lab.ip('one', 'link set eth0 gso_max_size 1000');
  const child = start([
    'live',
    'eth0',
    '--netns',
    lab.name('two'),
    '--format',
    'json',
    '--verbose',
    '--fail-on',
    'never',
    ...flags,
  ]);
  const outcome = outcomeOf(child);
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (text) => {
      if (String(text).includes('capturing on')) resolve();
    });
  });
  work();
  await sleep(300);
  child.kill('SIGINT');
  const { stdout, status } = await outcome;
  expect(status).toBe(0);
  const { captures, findings } = JSON.parse(stdout);
  return { ...captures[0], rules: findings.map(({ rule }: { rule: string }) => rule) };
}

describe.skipIf(whyNot !== null)(`load${whyNot === null ? '' : ` (skipped: ${whyNot})`}`, { timeout: 60_000 }, () => {
  it('accounts for every packet of a flood, and writes what it captured', async () => {
    const file = join(folder, 'flood.pcapng');
    let sent = 0;
    const { frames, dropped } = await capturing(['-w', file], () => {
      sent = flood(400_000);
    });
    expect(sent).toBeGreaterThanOrEqual(400_000);
    expect(frames + dropped).toBe(sent);
    const counted = execFileSync('capinfos', ['-cMr', file], { encoding: 'utf8' });
    expect(Number(counted.trim().split(/\s+/).at(-1))).toBe(frames);
    expect(spawnSync('tshark', ['-r', file, '-c', '1'], { encoding: 'utf8' }).stderr).not.toMatch(/corrupt|cut short/);
  });

  it('accounts for those that a ring too small has lost, and says that they are missing', async () => {
    let sent = 0;
    const { frames, dropped, rules } = await capturing(['--buffer', '1'], () => {
      sent = flood(400_000);
    });
    expect(dropped).toBeGreaterThan(0);
    expect(frames).toBeGreaterThan(0);
    expect(frames + dropped).toBe(sent);
    expect(rules).toContain('capture/dropped-frames');
  });
});
