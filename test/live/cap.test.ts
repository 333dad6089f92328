import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { capModule } from '../../src/capture/live/cap-module.js';
import { netdiag, outcomeOf, program, start } from '../support/netdiag.js';
import { Lab, sleep, whyNot } from './lab.js';

/** CI installs the package; NODE_PATH leads to it. */
const isMissing = process.env.NETDIAG_REQUIRE_LIVE !== '1' && capModule() === null;
const reason = whyNot ?? (isMissing ? 'the npm package cap is not installed' : null);
const folder = mkdtempSync(join(tmpdir(), 'netdiag-cap-'));
let lab = new Lab();

afterEach(() => {
  lab.remove();
  lab = new Lab();
});

/** A veth pair, and `netdiag live --backend cap` on one end of it. */
async function capturing(...flags: string[]) {
  lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0').address('one', 'eth0', '10.9.0.1/24');
  const common = ['--netns', lab.name('two'), '--format', 'json', '--verbose', '--fail-on', 'never'];
  const child = start(['live', 'eth0', '--backend', 'cap', ...common, ...flags]);
  let said = '';
  child.stderr.on('data', (bytes) => {
    said += bytes;
  });
  const outcome = outcomeOf(child);
  while (!said.includes('capturing on') && child.exitCode === null) await sleep(20);
  return {
    child,
    report: async () => {
      const { stdout, stderr, status } = await outcome;
      const { captures, findings } = JSON.parse(stdout);
      const notes: string[] = captures[0].notes.map(({ message }: { message: string }) => message);
      return { status, stderr, capture: captures[0], findings, notes };
    },
  };
}

/** Processes whose command line names the helper and the namespace's device. */
function helpers(): string[] {
  return readdirSync('/proc')
    .filter((each) => /^\d+$/.test(each))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`cap-helper.js\0eth0\0`);
      } catch {
        return false;
      }
    });
}

describe.skipIf(reason !== null)(
  `--backend cap${reason === null ? '' : ` (skipped: ${reason})`}`,
  { timeout: 60_000 },
  () => {
    it('finds what the ring finds, and says what it does not know', async () => {
      const file = join(folder, 'cap.pcapng');
      const { child, report } = await capturing('-w', file);
      for (let i = 0; i < 4; i++) {
        lab.send('one', '10.9.0.2');
        await sleep(1000);
      }
      child.kill('SIGINT');
      const { status, stderr, capture, findings, notes } = await report();
      expect(status).toBe(0);
      expect(stderr).toContain('backend cap');
      expect(findings.map(({ rule }: { rule: string }) => rule)).toContain('arp/unanswered');
      expect(capture).toMatchObject({ format: 'live', directions: 'none', dropped: null, complete: true });
      expect(capture.interfaces).toEqual([{ name: 'eth0', linkType: 'EN10MB', snapLength: 65535 }]);
      for (const limit of [
        /times are those of arrival/,
        /directions are not known/,
        /lost is not known/,
        /promiscuous/,
      ])
        expect(notes.some((note) => limit.test(note))).toBe(true);
      expect(notes.filter((note) => note.includes('ended'))).toEqual([]);
      expect((await netdiag(['frames', file])).stdout).toContain('who-has 10.9.0.2');
      expect(helpers()).toEqual([]);
    });

    it('outlives the end of cap when its interface goes down', async () => {
      const { report } = await capturing();
      for (let i = 0; i < 4; i++) {
        lab.send('one', '10.9.0.2');
        await sleep(1000);
      }
      lab.ip('two', 'link set eth0 down');
      const { status, stderr, capture, findings, notes } = await report();
      expect(status).toBe(0);
      expect(capture.frames).toBeGreaterThan(0);
      expect(findings.map(({ rule }: { rule: string }) => rule)).toContain('arp/unanswered');
      expect(notes.at(-1)).toMatch(/^cap ended \(SIGABRT\), as it does when its interface goes down/);
      expect(stderr).toContain('cap ended');
    });

    it('outlives the end of cap when its interface is deleted', async () => {
      const { report } = await capturing();
      lab.ip('two', 'link del eth0');
      const { status, notes } = await report();
      expect(status).toBe(0);
      expect(notes.at(-1)).toMatch(/^cap ended /);
    });

    it('takes filters and counts', async () => {
      const { report } = await capturing('-f', 'arp', '-c', '2');
      for (let i = 0; i < 3; i++) {
        lab.send('one', '10.9.0.2');
        await sleep(1000);
      }
      const { capture } = await report();
      expect(capture.protocols).toEqual({ ethernet: 2, arp: 2 });
    });

    it('tells in one line what cannot be', async () => {
      lab.namespaces('one');
      const run = (...args: string[]) => netdiag(['live', ...args, '--backend', 'cap', '--netns', lab.name('one')]);
      for (const [args, expected] of [
        [['nope'], /^netdiag: nope in \S+: cap cannot capture: .*\n$/],
        [['lo', 'eth0'], /^netdiag: --backend cap: captures on one interface only: run netdiag twice\n$/],
        [['lo', '-f', 'arp and'], /^netdiag: --filter "arp and": .*syntax error.*\n$/],
      ] as const) {
        const { status, stderr } = await run(...args);
        expect([status, stderr]).toEqual([2, expect.stringMatching(expected)]);
      }
    });
  },
);

describe.skipIf(whyNot !== null)(
  `--backend${whyNot === null ? '' : ` (skipped: ${whyNot})`}`,
  { timeout: 60_000 },
  () => {
    it('says which one auto took', async () => {
      lab.namespaces('one');
      const run = (...args: string[]) =>
        netdiag(['live', 'lo', '--netns', lab.name('one'), '--duration', '0.3', ...args]);
      expect((await run('--backend', 'auto')).stderr).toBe('netdiag: backend ring (AF_PACKET)\n');
      expect((await run('--backend', 'ring')).stderr).toBe('');
      const { status, stderr } = await run('--backend', 'other');
      expect([status, stderr]).toEqual([2, expect.stringMatching(/^netdiag: --backend: .*other.*\n$/)]);
    });

    it('says how to install cap where it is not', () => {
      lab.namespaces('one');
      const args = ['live', 'lo', '--netns', lab.name('one'), '--backend', 'cap', '--duration', '0.3'];
      const { NODE_PATH, ...env } = process.env;
      const { status, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env });
      // Unless it is installed beside netdiag or globally.
      if (status === 2)
        expect(stderr).toMatch(/^netdiag: --backend cap: the npm package cap is not installed: npm install/);
      expect(NODE_PATH === undefined || status === 2).toBe(true);
    });
  },
);
