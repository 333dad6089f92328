import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pcapHeader, pcapRecord } from '../capture/build.js';
import { netdiag, outcomeOf, program, start } from '../support/netdiag.js';

const demo = 'fixtures/demo/vepa.pcap';
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netdiag-faults-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a script in a mount namespace of its own, where a file system of 64 KB lies at `$FULL`; null where that is not allowed. */
function withTinyDisk(script: string) {
  const full = join(folder, 'full');
  mkdirSync(full);
  const mount = 'mount -t tmpfs -o size=64k tmpfs "$FULL" || exit 99';
  const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', `${mount}\n${script}`], {
    encoding: 'utf8',
    env: { ...process.env, FULL: full, NODE: process.execPath, NETDIAG: program },
  });
  return { status, stdout, stderr };
}
const mayMount = spawnSync('unshare', ['-m', 'true']).status === 0;

describe('a full disk', () => {
  const fill = 'head -c 60000 /dev/zero > "$FULL/fill"';

  it.skipIf(!mayMount)('leaves the earlier report as it was, and nothing half written', () => {
    const { status, stdout, stderr } = withTinyDisk(
      `echo before > "$FULL/report.html"; ${fill}
       "$NODE" "$NETDIAG" analyze ${demo} --format html -o "$FULL/report.html"; echo "status $?"
       cat "$FULL/report.html"; ls "$FULL"`,
    );
    expect(status).toBe(0);
    expect(stderr).toMatch(/^netdiag: \S+report\.html: cannot be written \(no space left\): [^\n]+\n$/);
    expect(stdout).toBe('status 2\nbefore\nfill\nreport.html\n');
  });

  it.skipIf(!mayMount)('leaves no half evidence', () => {
    const { stdout, stderr } = withTinyDisk(
      `head -c 65000 /dev/zero > "$FULL/fill"
       "$NODE" "$NETDIAG" report ${demo} --evidence "$FULL/proof.pcapng" -o "$FULL/report.md"; echo "status $?"; ls "$FULL"`,
    );
    expect(stderr).toContain('cannot be written (no space left)');
    expect(stdout).toBe('status 2\nfill\n');
  });
});

describe('two runs that write the same file at once', () => {
  it('leave the whole report of one of them', async () => {
    const file = join(folder, 'report.json');
    const runs = Array.from({ length: 4 }, () => netdiag(['analyze', demo, '--format', 'json', '-o', file]));
    for (const { status } of await Promise.all(runs)) expect([0, 1]).toContain(status);
    expect(JSON.parse(readFileSync(file, 'utf8')).captures).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['report.json']);
  });
});

describe.each(['SIGINT', 'SIGTERM'] as const)('%s at any moment', (signal) => {
  it('leaves no half file, and a status that says what happened', { timeout: 120_000 }, async () => {
    const capture = join(folder, 'large.pcap');
    const records = Array.from({ length: 20_000 }, (_, i) => pcapRecord(1_700_000_000 + i, 0, Buffer.alloc(1000, i)));
    writeFileSync(capture, Buffer.concat([pcapHeader(), ...records]));
    for (let after = 0; after < 480; after += 40) {
      const file = join(folder, `${after}.json`);
      const child = start(['analyze', capture, '--format', 'json', '-o', file]);
      const outcome = outcomeOf(child);
      const timer = setTimeout(() => child.kill(signal), after);
      const { status, stderr } = await outcome;
      clearTimeout(timer);
      // Before Node.js has started, a signal simply ends it: status null.
      expect([null, 0, 1, 130, 143], `${after} ms: ${stderr}`).toContain(status);
      expect(stderr).toBe('');
      if (existsSync(file)) JSON.parse(readFileSync(file, 'utf8'));
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('a pipe that is closed', () => {
  it('ends the report without a word', async () => {
    const child = spawn(process.execPath, [program, 'analyze', demo, '--format', 'html'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    const { stderr } = await outcomeOf(child);
    expect(stderr).toBe('');
  });
});
