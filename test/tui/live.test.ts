import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Lab, sleep, whyNot } from '../live/lab.js';
import { hasTmux, inTerminal, type Terminal } from './terminal.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-tui-'));
let lab = new Lab('tui');

afterEach(() => {
  lab.remove();
  lab = new Lab('tui');
});

async function askInVain(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    lab.send('ns01', '10.9.0.102');
    await sleep(1000);
  }
}

/** Milliseconds for a tour: a busy machine takes its time to answer for itself. */
const PATIENCE = 90_000;

const LIVE = 'node bin/netdiag.js live ens34 --netns';

describe.skipIf(whyNot !== null || !hasTmux)(`live in a terminal${whyNot === null ? '' : ` (${whyNot})`}`, () => {
  for (const [columns, rows] of [
    [80, 24],
    [200, 50],
  ])
    test(
      `${columns}x${rows}: a finding appears, frames follow, pause, save, and quitting asks`,
      async () => {
        lab.macvlans('vepa', 'off');
        const file = join(folder, `${columns}.pcapng`);
        let isVepa = false;
        await inTerminal(`live${columns}`, columns, rows, async (terminal) => {
          terminal.type(`${LIVE} ${lab.name('host')}; echo status $?`);
          terminal.press('Enter');
          const empty = await terminal.until(/0 drops {2}live 0:/);
          expect(empty).toContain('Nothing found yet.');
          void askInVain(4);
          // Which of the two it is, a busy machine decides: whether it answered in time what it was asked of itself.
          const found = await terminal.until(/▌(ERROR|WARN) +(certain|likely) +10\.9\.0\.101 (cannot reach|asks for)/);
          expect(found).toMatch(/1 error {2}0|0 errors {2}1/);
          isVepa = found.includes('cannot reach');
          terminal.press('2');
          await terminal.until(/▌ +[3-9] /);
          terminal.press('k');
          await terminal.until('End latest');
          terminal.press('End');
          await terminal.until(/^(?!.*End latest)[\s\S]*p pause/);
          terminal.press('p');
          const paused = await terminal.until('paused  0 drops');
          const frames = /(\d+) frames/.exec(paused)?.[1];
          lab.send('ns02', '10.9.0.77');
          await sleep(1500);
          expect(terminal.screen).toContain(`${frames} frames`);
          terminal.press('p');
          await terminal.until(/(?<!paused {2})0 drops/);
          lab.send('ns02', '10.9.0.77');
          await terminal.until(new RegExp(`· (?!${frames} )\\d+ frames`));

          terminal.press('q');
          await terminal.until('Quit all the same? y/n');
          terminal.press('n', 'w');
          await terminal.until('Write frames to: netdiag-live.pcapng');
          terminal.press(...Array.from({ length: 'netdiag-live.pcapng'.length }, () => 'BSpace'));
          terminal.type(file);
          terminal.press('Enter');
          await terminal.until(/Wrote .*frames/);
          terminal.press('q');
          // The kernel of another namespace may have asked meanwhile.
          if (/Quit all the same/.test(await terminal.until(/Quit all the same|status 1/))) terminal.press('y');
          expect(await terminal.until('status 1')).not.toContain('[2 Frames]');
        });
        // What was saved is whole, and tells the same again: the host context is in it.
        const again = spawnSync(process.execPath, ['bin/netdiag.js', 'analyze', file, '--format', 'json']);
        const { captures, findings } = JSON.parse(String(again.stdout));
        expect(captures[0]).toMatchObject({ complete: true, directions: 'all', dropped: 0 });
        const rules = findings.map(({ rule }: { rule: string }) => rule);
        expect(rules).toContain(isVepa ? 'macvlan/vepa-no-reflection' : 'arp/unanswered');
      },
      PATIENCE,
    );

  test('Ctrl-C ends it at once, unsaved or not', async () => {
    lab.macvlans('bridge', 'off');
    await inTerminal('live-end', 80, 24, async (terminal) => {
      terminal.type(`${LIVE} ${lab.name('host')}; echo status $?`);
      terminal.press('Enter');
      await terminal.until(/live 0:/);
      lab.send('ns01', '10.9.0.77');
      await terminal.until(/[1-9] frame/);
      terminal.press('C-c');
      expect(await terminal.until('status 0')).not.toContain('[1 Findings]');
    });
  });

  const LAST = [71, 72, 73, 74, 75];
  // What has just come still waits in the ring: the file must have it.
  for (const [what, end] of [
    ['SIGTERM', (_: Terminal, pid: number) => process.kill(pid, 'SIGTERM')],
    ['a terminal that closes', (terminal: Terminal) => terminal.close()],
  ] as const)
    test(`${what} leaves a file with all that was captured`, async () => {
      lab.macvlans('bridge', 'off');
      const file = join(folder, `${what.length}.pcapng`);
      const pidFile = join(folder, `${what.length}.pid`);
      await inTerminal(`live-gone${what.length}`, 100, 24, async (terminal) => {
        const command = `${LIVE} ${lab.name('host')} -f arp -w ${file}`;
        terminal.type(`sh -c "echo \\$\\$ > ${pidFile}; exec ${command}"`);
        terminal.press('Enter');
        await terminal.until(/live 0:/);
        const pid = Number(readFileSync(pidFile, 'utf8'));
        for (const last of LAST) lab.send('ns01', `10.9.0.${last}`);
        end(terminal, pid);
        await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
      });
      const { stdout } = spawnSync(process.execPath, ['bin/netdiag.js', 'frames', file]);
      for (const last of LAST) expect(String(stdout)).toContain(`who-has 10.9.0.${last} `);
    });

  // The filter keeps the count for what the test sends: devices that have just come up send something by themselves.
  test('what ends by itself can still be looked at; with -w nothing is asked', async () => {
    lab.macvlans('bridge', 'off');
    const file = join(folder, 'written.pcapng');
    await inTerminal('live-written', 100, 24, async (terminal) => {
      terminal.type(`${LIVE} ${lab.name('host')} --count 1 -f 'arp host 10.9.0.77' -w ${file}; echo status $?`);
      terminal.press('Enter');
      await terminal.until(/live 0:/);
      lab.send('ns01', '10.9.0.77');
      await terminal.until('ended 0:');
      terminal.press('2');
      await terminal.until(/▌ +[1-9] /);
      terminal.press('q');
      await terminal.until('status 0');
    });
    const { stdout } = spawnSync(process.execPath, ['bin/netdiag.js', 'frames', file]);
    expect(String(stdout)).toContain('10.9.0.77');
  });
});
