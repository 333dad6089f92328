import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { netdiag, outcomeOf, start } from '../support/netdiag.js';
import { Lab, Session, sleep, whyNot } from './lab.js';

const NOBODY = 65534;
let lab = new Lab();

afterEach(() => {
  lab.remove();
  lab = new Lab();
});

/** Waits until the text says it. */
async function until(says: () => boolean, what: string, said = () => ''): Promise<void> {
  for (let waited = 0; !says(); waited += 50) {
    if (waited > 40_000) throw new Error(`in 40 s not seen: ${what}${said()}`);
    await sleep(50);
  }
}

/** `netdiag live` with a report at its end, begun. */
async function reporting(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = start(['live', ...args, '--format', 'json', '--verbose'], { env });
  let stderr = '';
  child.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  const outcome = outcomeOf(child);
  await until(() => stderr.includes('capturing on'), 'that it captures');
  return {
    pid: child.pid ?? 0,
    said: () => stderr,
    async end() {
      child.kill('SIGINT');
      return this.report();
    },
    async report() {
      const { stdout, status } = await outcome;
      const { captures, findings } = JSON.parse(stdout);
      const notes: string[] = captures[0].notes.map(({ message }: { message: string }) => message);
      return { status, capture: captures[0], findings, notes };
    },
  };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
}

const uidsOf = (pid: number) => /^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1].split('\t');

describe.skipIf(whyNot !== null)(
  `a machine that changes${whyNot === null ? '' : ` (skipped: ${whyNot})`}`,
  { timeout: 120_000 },
  () => {
    it('is judged as it is now, in every namespace', async () => {
      lab.macvlans('vepa', 'on');
      const session = await new Session(['ens34', '--netns', lab.name('host')]).ready();
      lab.exec('sw', 'bridge', 'link', 'set', 'dev', 'p-host', 'hairpin', 'off');
      await until(() => session.stderr.includes('hairpin on, now off'), 'the change');
      expect(session.stderr).toContain(`p-host in ${lab.name('sw')}: hairpin on, now off`);
      for (let i = 0; i < 4; i++) {
        lab.send('ns01', '10.9.0.102');
        await sleep(1000);
      }
      await session.finding('macvlan/vepa-no-reflection', 'certain');
      expect(await session.end()).toBe(1);
    });

    it('has its changes in the report: modes, addresses, devices and namespaces that come and go', async () => {
      lab.macvlans('vepa', 'on');
      const run = await reporting(['ens34', '--netns', lab.name('host')]);
      lab.ip('ns01', 'link set macvlan1 type macvlan mode bridge').address('ns02', 'macvlan2', '10.9.0.77/24');
      lab.namespaces('late').ip('host', 'link add dummy7 type bridge');
      const expected = [
        `macvlan1 in ${lab.name('ns01')}: mode vepa, now bridge`,
        `macvlan2 in ${lab.name('ns02')}: addresses 10.9.0.102/24, now 10.9.0.102/24 10.9.0.77/24`,
        `dummy7 in ${lab.name('host')} is new: bridge`,
        `namespace ${lab.name('late')} is new`,
      ];
      await until(() => expected.every((each) => run.said().includes(each)), expected.join('; '), run.said);
      lab.exec('late', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
      lab.ip('host', 'link del dummy7');
      const later = [`net.ipv4.ip_forward in ${lab.name('late')}: 0, now 1`, `dummy7 in ${lab.name('host')} is gone`];
      await until(() => later.every((each) => run.said().includes(each)), later.join('; '), run.said);
      const { notes } = await run.end();
      expect(notes).toEqual(expect.arrayContaining([...expected, ...later]));
    });

    it('is not asked all the time while a link flaps', async () => {
      lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0').cable('one', 'eth1', 'two', 'eth1');
      const run = await reporting(['eth0', '--netns', lab.name('one')]);
      for (let i = 0; i < 60; i++) {
        lab.ip('two', `link set eth1 ${i % 2 === 0 ? 'down' : 'up'}`);
        await sleep(40);
      }
      await sleep(3000);
      const { notes } = await run.end();
      expect(notes.filter((each) => each.includes('eth1')).length).toBeLessThan(16);
    });

    it('can take a device down and up again', async () => {
      lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0').address('one', 'eth0', '10.9.0.1/24');
      const run = await reporting(['eth0', '--netns', lab.name('one')]);
      lab.ip('one', 'link set eth0 down');
      await until(() => run.said().includes('is down'), 'down');
      await sleep(600);
      lab.ip('one', 'link set eth0 up');
      await sleep(200);
      lab.send('one', '10.9.0.2');
      await until(() => run.said().includes(`${lab.name('one')} is up again`), 'up');
      const { notes, capture } = await run.end();
      expect(notes.filter((each) => /is down|is up again/.test(each))).toEqual([
        `eth0 in ${lab.name('one')} is down; the capture goes on when it is up`,
        `eth0 in ${lab.name('one')} is up again`,
      ]);
      expect(capture.frames).toBeGreaterThan(0);
    });

    it.each([
      ['another index', ''],
      ['the same index', ' index 77'],
    ])('ends with what it has when its device is deleted and made again with %s', async (_, index) => {
      lab.namespaces('one');
      const make = `link add eth0${index} type bridge`;
      lab.ip('one', make).ip('one', 'link set eth0 up').address('one', 'eth0', '10.9.0.1/24');
      const run = await reporting(['eth0', '--netns', lab.name('one')]);
      lab.send('one', '10.9.0.2');
      await sleep(300);
      lab.ip('one', 'link del eth0').ip('one', make).ip('one', 'link set eth0 up');
      const { notes, status, capture } = await run.report();
      expect(status).toBe(0);
      expect(capture.frames).toBeGreaterThan(0);
      expect(notes).toContain(`eth0 in ${lab.name('one')} was deleted: its capture ends here`);
    });

    it('goes on with the other device when one of two is deleted', async () => {
      lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0').cable('one', 'eth1', 'two', 'eth1');
      lab.address('one', 'eth1', '10.9.1.1/24');
      const run = await reporting(['eth0', 'eth1', '--netns', lab.name('one')]);
      lab.ip('one', 'link del eth0');
      await until(() => run.said().includes('was deleted'), 'deleted');
      lab.send('one', '10.9.1.2');
      await sleep(300);
      expect((await run.end()).capture.frames).toBeGreaterThan(0);
    });

    it('is asked on by a helper when root was given up, and what is written belongs to the user', async () => {
      lab.macvlans('vepa', 'on');
      const folder = mkdtempSync(join(tmpdir(), 'netdiag-sudo-'));
      chownSync(folder, NOBODY, NOBODY);
      const file = join(folder, 'written.pcapng');
      const report = join(folder, 'report.json');
      const ids = { SUDO_UID: String(NOBODY), SUDO_GID: String(NOBODY) };
      const child = start(
        ['live', 'ens34', '--netns', lab.name('host'), '-w', file, '-o', report, '--format', 'json', '-v'],
        {
          env: ids,
        },
      );
      let stderr = '';
      child.stderr.on('data', (bytes) => {
        stderr += bytes;
      });
      const outcome = outcomeOf(child);
      await until(() => stderr.includes('capturing on'), 'that it captures');
      const pid = child.pid ?? 0;
      expect(uidsOf(pid)).toEqual(Array(4).fill(String(NOBODY)));
      const helpers = childrenOf(pid);
      expect(helpers).toHaveLength(1);
      expect(uidsOf(helpers[0])).toEqual(Array(4).fill('0'));
      lab.ip('ns01', 'link set macvlan1 type macvlan mode bridge');
      await until(() => stderr.includes('mode vepa, now bridge'), 'the change');
      child.kill('SIGTERM');
      expect((await outcome).status).toBe(0);
      for (const each of [file, report]) expect(statSync(each)).toMatchObject({ uid: NOBODY, gid: NOBODY });
      expect(JSON.parse(readFileSync(report, 'utf8')).captures[0].notes).not.toEqual([]);
      expect((await netdiag(['analyze', file, '--format', 'json', '--fail-on', 'never'])).status).toBe(0);
      await until(() => !readdirSync('/proc').includes(String(helpers[0])), 'the end of the helper');
    });

    it('leaves nothing listening in a namespace that is deleted', async () => {
      lab
        .namespaces('one', 'two')
        .cable('one', 'eth0', 'two', 'eth0')
        .namespaces('three')
        .cable('three', 'eth0', 'two', 'eth1');
      const run = await reporting(['eth0', '--netns', lab.name('one')]);
      execFileSync('ip', ['netns', 'del', lab.name('three')]);
      await until(() => run.said().includes(`namespace ${lab.name('three')} is gone`), 'that it is gone');
      // The namespace ends with its last socket, and with it the veth pair.
      await until(() => !lab.exec('two', 'ip', 'link').includes('eth1'), 'the end of its devices');
      await run.end();
    });
  },
);
