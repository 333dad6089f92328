import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { netdiag, outcomeOf, program, start } from '../support/netdiag.js';
import { Lab, Session, sleep, whyNot } from './lab.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-write-'));
let lab = new Lab();

afterEach(() => {
  lab.remove();
  lab = new Lab();
});

function pair(): void {
  lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0');
  lab.address('one', 'eth0', '10.9.0.1/24').ip('one', 'link set eth0 gso_max_size 1000');
}

/** Sends so many small packets at once. */
function flood(packets: number): void {
  const sender = join(root, 'bench/live/sender.js');
  lab.exec('one', process.execPath, sender, 'eth0', String(packets), '0');
}

/** Packets of a file as Wireshark counts them; fails for a file that it finds damaged. */
function packetsIn(file: string): number {
  const { stdout, stderr } = spawnSync('capinfos', ['-cMr', file], { encoding: 'utf8' });
  expect(stderr).not.toMatch(/cut short|corrupt|damaged/i);
  return Number(stdout.trim().split(/\s+/).at(-1));
}

describe.skipIf(whyNot !== null)(
  `live -w${whyNot === null ? '' : ` (skipped: ${whyNot})`}`,
  { timeout: 60_000 },
  () => {
    it('says once that the disk is full, keeps whole packets, and tells findings all the same', async () => {
      pair();
      const disk = join(folder, 'tiny');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
      try {
        const file = join(disk, 'full.pcapng');
        const session = await new Session(['eth0', '--netns', lab.name('two'), '-w', file]).ready();
        flood(100_000);
        await sleep(1000);
        for (let i = 0; i < 4; i++) {
          lab.send('one', '10.9.0.2');
          await sleep(1000);
        }
        await session.finding('arp/unanswered');
        expect(await session.end()).toBe(3);
        const told = session.stderr.split('\n').filter((line) => line.includes('disk'));
        expect(told).toEqual([
          `netdiag: ${file}: the disk is full: make room, or write elsewhere; the capture goes on, nothing more is written`,
        ]);
        expect(packetsIn(file)).toBeGreaterThan(1000);
        const { stdout } = await netdiag(['analyze', file, '--format', 'json', '--fail-on', 'never']);
        expect(JSON.parse(stdout).captures[0]).toMatchObject({ complete: true, problems: [] });
      } finally {
        execFileSync('umount', ['-l', disk]);
      }
    });

    it('ends on SIGTERM with a whole file and a report', async () => {
      pair();
      const file = join(folder, 'term.pcapng');
      const child = start(['live', 'eth0', '--netns', lab.name('two'), '-w', file, '--format', 'json', '--verbose']);
      const outcome = outcomeOf(child);
      await new Promise<void>((resolve) => {
        child.stderr.on('data', (text) => {
          if (String(text).includes('capturing on')) resolve();
        });
      });
      flood(5000);
      await sleep(300);
      child.kill('SIGTERM');
      const { status, stdout } = await outcome;
      expect(status).toBe(0);
      const [{ frames, dropped }] = JSON.parse(stdout).captures;
      expect(frames).toBeGreaterThan(0);
      expect(packetsIn(file)).toBe(frames);
      const counters = execFileSync('tshark', ['-r', file, '-q', '-z', 'io,stat,0'], { encoding: 'utf8' });
      expect(counters).toContain(String(frames));
      expect(dropped).toBe(0);
    });

    it('ends without complaint when nobody reads its findings any more', async () => {
      pair();
      const file = join(folder, 'pipe.pcapng');
      const netdiag = [
        process.execPath,
        program,
        'live',
        'eth0',
        '--netns',
        lab.name('two'),
        '-w',
        file,
        '--format',
        'ndjson',
      ];
      // `head` goes after the first finding; the next one finds the pipe closed.
      const shell = spawn('bash', ['-c', '"$@" | head -n 1 >/dev/null; echo $PIPESTATUS', 'bash', ...netdiag]);
      const outcome = outcomeOf(shell);
      await sleep(4000);
      for (let i = 0; i < 30 && shell.exitCode === null; i++) {
        lab.send('one', `10.9.0.${10 + i}`);
        await sleep(400);
      }
      const { stdout, stderr } = await outcome;
      expect(['0\n', '1\n']).toContain(stdout);
      expect(stderr).not.toMatch(/EPIPE|Error|internal/);
      expect(packetsIn(file)).toBeGreaterThan(0);
    });

    it('goes on without a file when who reads the pipe is gone', async () => {
      pair();
      const fifo = join(folder, 'fifo');
      execFileSync('mkfifo', [fifo]);
      const reader = spawn('head', ['-c', '100', fifo], { stdio: 'ignore' });
      const session = await new Session(['eth0', '--netns', lab.name('two'), '-w', fifo]).ready();
      flood(5000);
      await sleep(1200);
      for (let i = 0; i < 4; i++) {
        lab.send('one', '10.9.0.2');
        await sleep(1000);
      }
      await session.finding('arp/unanswered');
      expect(session.stderr).toContain('cannot be written (EPIPE)');
      expect(await session.end()).toBe(3);
      reader.kill();
    });

    it('keeps no more of a packet than asked for, on all devices and with a filter too', async () => {
      pair();
      const file = join(folder, 'snapped.pcapng');
      const flags = [
        'live',
        'any',
        '-f',
        'udp port 9',
        '--snapshot-length',
        '50',
        '-w',
        file,
        '--duration',
        '60',
        '-v',
      ];
      const child = spawn('ip', ['netns', 'exec', lab.name('two'), process.execPath, program, ...flags, '-c', '128']);
      const outcome = outcomeOf(child);
      await new Promise<void>((resolve) => {
        child.stderr.on('data', (text) => {
          if (String(text).includes('capturing on')) resolve();
        });
      });
      lab.send('one', '10.9.0.2', 7);
      flood(128);
      expect((await outcome).status).toBe(0);
      const fields = ['-T', 'fields', '-e', 'frame.cap_len', '-e', 'frame.len', '-e', 'udp.dstport'];
      const lines = execFileSync('tshark', ['-r', file, ...fields], { encoding: 'utf8' })
        .trim()
        .split('\n');
      expect(new Set(lines)).toEqual(new Set(['50\t60\t9']));
      expect(lines).toHaveLength(128);
    });

    it('keeps the last files of a ring, each whole and with the host context', async () => {
      pair();
      const files = join(folder, 'ring');
      mkdirSync(files);
      const session = await new Session([
        'eth0',
        '--netns',
        lab.name('two'),
        '-w',
        join(files, 'r.pcapng'),
        '--ring',
        '2x1',
      ]).ready();
      flood(60_000);
      await sleep(1000);
      await session.end();
      const kept = readdirSync(files).sort();
      expect(kept).toHaveLength(2);
      for (const each of kept) {
        expect(packetsIn(join(files, each))).toBeGreaterThan(0);
        expect(statSync(join(files, each)).size).toBeLessThan(2.2 * 1024 * 1024);
        const { stdout } = await netdiag(['analyze', join(files, each), '--format', 'json', '--fail-on', 'never']);
        expect(JSON.parse(stdout).examined.context).toBe(true);
      }
    });
  },
);
