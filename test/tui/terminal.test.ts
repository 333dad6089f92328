import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasTmux, inTerminal, type Terminal } from './terminal.js';

const folder = mkdtempSync(join(tmpdir(), 't-'));
const VEPA = 'node bin/netdiag.js analyze fixtures/demo/vepa.pcap --context fixtures/demo/context.json';

/** Without tmux there is no terminal to drive: `.ci/run` installs it and lets no test be skipped. */
describe.skipIf(!hasTmux)('the full-screen view in a terminal (needs tmux)', () => {
  for (const [columns, rows] of [
    [80, 24],
    [200, 50],
  ]) {
    test(`${columns}x${rows}: finding, cure, frame, topology, search, resize, quit`, async () => {
      await inTerminal(`tour${columns}`, columns, rows, async (terminal) => {
        terminal.type('echo what stood here before');
        terminal.press('Enter');
        terminal.type(VEPA);
        terminal.press('Enter');
        const findings = await terminal.until('ip netns exec ns01 ip link set macvlan1 type macvlan mode bridge');
        expect(findings).toContain('ERROR certain 172.16.91.101 cannot reach 172.16.91.102');
        expect(findings).not.toContain('what stood here before');
        // The last line of the window stays free, and the head is on the first.
        expect(findings.split('\n')[0]).toContain(
          columns < 100 ? 'netdiag  vepa.pcap' : 'netdiag  fixtures/demo/vepa.pcap',
        );

        terminal.press('Enter');
        const frames = await terminal.until('[2 Frames]');
        expect(frames).toMatch(/▌ +1 03:04:55/);
        terminal.press('Enter', 'j');
        // The EtherType in a cooked header is its first two bytes (LINKTYPE_LINUX_SLL2).
        expect(await terminal.until('▌  etherType: 2054')).toContain('0000 [08 06]00 00');
        terminal.press('Escape', 'j');
        await terminal.until(/▌ +2 03:04:56/);

        terminal.press('3');
        const topology = await terminal.until('[3 Topology]');
        expect(topology).toContain('✗ stops here');
        expect(topology).toContain('26:10:84:17:90:d1');
        terminal.press('4');
        expect(await terminal.until('[4 Traffic]')).toContain('100 %');
        terminal.press('?');
        await terminal.until('Ctrl-C at once');

        terminal.press('1', '/');
        terminal.type('no such thing');
        terminal.press('Enter');
        await terminal.until('No finding matches "no such thing"');
        terminal.press('Escape', '/');
        terminal.type('172.16.91.102');
        terminal.press('Enter');
        await terminal.until('ERROR certain');

        terminal.resize(columns === 80 ? 130 : 80, 30);
        await terminal.until(columns === 80 ? / │ 172\.16\.91\.101 cannot reach/ : '…');
        terminal.press('q');
        const restored = await terminal.until(/what stood here before[\s\S]*ready>\s*$/);
        expect(restored).not.toContain('[1 Findings]');
        terminal.type('echo status $?');
        terminal.press('Enter');
        await terminal.until('status 1');
      });
    });
  }

  test('Ctrl-C leaves a restored screen', async () => {
    await inTerminal('interrupt', 80, 24, async (terminal) => {
      terminal.type(`${VEPA}; echo status $?`);
      terminal.press('Enter');
      await terminal.until('q quit');
      terminal.press('C-c');
      expect(await terminal.until('status 130')).not.toContain('[1 Findings]');
    });
  });

  for (const [name, signal, status] of [
    ['hangup', 'SIGHUP', 129],
    ['terminated', 'SIGTERM', 143],
    ['interrupted', 'SIGINT', 130],
  ] as const)
    test(`${signal} leaves a restored screen, and a cursor`, async () => {
      await inTerminal(name, 80, 24, async (terminal) => {
        const file = join(folder, `${name}.pid`);
        terminal.type('echo what stood here before');
        terminal.press('Enter');
        terminal.type(`sh -c 'echo $$ > ${file}; exec ${VEPA}'; echo status $?`);
        terminal.press('Enter');
        await terminal.until('q quit');
        expect(terminal.cursor).toBe(false);
        process.kill(Number(readFileSync(file, 'utf8')), signal);
        const restored = await terminal.until(`status ${status}`);
        expect(restored).toContain('what stood here before');
        expect(restored).not.toContain('[1 Findings]');
        expect(terminal.cursor).toBe(true);
      });
    });

  for (const [how, stop] of [
    ['Ctrl-Z', (terminal: Terminal) => terminal.press('C-z')],
    ['SIGTSTP', (_: Terminal, pid: number) => process.kill(pid, 'SIGTSTP')],
  ] as const)
    test(`${how} leads to the shell, and fg back to the view`, async () => {
      await inTerminal(how, 80, 24, async (terminal) => {
        const file = join(folder, `${how}.pid`);
        terminal.type('echo what stood here before');
        terminal.press('Enter');
        terminal.type(`sh -c 'echo $$ > ${file}; exec ${VEPA}'`);
        terminal.press('Enter');
        await terminal.until('q quit');
        for (let turn = 0; turn < 2; turn++) {
          stop(terminal, Number(readFileSync(file, 'utf8')));
          const shell = await terminal.until(/Stopped[\s\S]*ready>\s*$/);
          expect(shell).toContain('what stood here before');
          expect(shell).not.toContain('Findings');
          expect(terminal.cursor).toBe(true);
          // The terminal is the shell's: keys are echoed, and Enter ends a line.
          terminal.type(`echo turn $((${turn}+10))`);
          terminal.press('Enter');
          await terminal.until(`turn ${turn + 10}`);
          terminal.type('fg');
          terminal.press('Enter');
          // Keys work without Enter, and nothing is left of the shell.
          await terminal.until('[1 Findings]');
          terminal.press('4');
          expect(await terminal.until('[4 Traffic]')).not.toContain('ready>');
          terminal.press('1');
          await terminal.until('[1 Findings]');
          expect(terminal.cursor).toBe(false);
        }
        terminal.press('q');
        await terminal.until(/what stood here before[\s\S]*ready>\s*$/);
      });
    });

  test('Ctrl-Z changes nothing where no shell could let it go on', async () => {
    await inTerminal('alone', 80, 24, async (terminal) => {
      terminal.type(`exec ${VEPA}`);
      terminal.press('Enter');
      await terminal.until('q quit');
      terminal.press('C-z');
      terminal.press('4');
      await terminal.until('[4 Traffic]');
    });
  });

  for (const [what, code] of [
    ['an exception', "setTimeout(() => { throw new Error('no way on') }, 4000)"],
    ['a rejection nobody handles', "setTimeout(() => Promise.reject(new Error('no way on')), 4000)"],
  ] as const)
    test(`${what} leaves a restored screen with what it says`, async () => {
      const file = join(folder, `fault-${what.length}.mjs`);
      writeFileSync(file, code);
      await inTerminal(`fault${what.length}`, 100, 30, async (terminal) => {
        terminal.type(`NODE_OPTIONS='--import ${file}' ${VEPA}; echo status $?`);
        terminal.press('Enter');
        await terminal.until('q quit');
        const restored = await terminal.until(/Error: no way on[\s\S]*status 1/);
        expect(restored).not.toContain('[1 Findings]');
        expect(terminal.cursor).toBe(true);
        // Keys are echoed again, and a line ends with Enter: the terminal is not raw any more.
        terminal.type('echo typed $((6*7))');
        terminal.press('Enter');
        await terminal.until('typed 42');
      });
    });

  test('SIGTERM of timeout leaves a restored screen', async () => {
    await inTerminal('terminate', 80, 24, async (terminal) => {
      // With --foreground the program keeps the terminal, and 124 says that it was ended for the time.
      terminal.type(`timeout --foreground 5 ${VEPA}; echo status $?`);
      terminal.press('Enter');
      await terminal.until('q quit');
      expect(await terminal.until('status 124')).not.toContain('[1 Findings]');
    });
  });

  test('takes keys from the terminal when standard input is the capture', async () => {
    await inTerminal('stdin', 80, 24, async (terminal) => {
      terminal.type(`cat fixtures/demo/vepa.pcap | node bin/netdiag.js analyze -`);
      terminal.press('Enter');
      await terminal.until('[1 Findings]');
      terminal.press('2');
      await terminal.until(/▌ +1 03:04:55/);
      terminal.press('q');
      await terminal.until(/ready>\s*$/);
    });
  });

  test('does not open where no file can be read, and says so at once', async () => {
    await inTerminal('unread', 100, 24, async (terminal) => {
      terminal.type('node bin/netdiag.js analyze nowhere.pcap README.md; echo status $?');
      terminal.press('Enter');
      const said = await terminal.until(/status 2/);
      expect(said).toContain('netdiag: nowhere.pcap: no such file: check the path');
      expect(said).toContain('netdiag: README.md: not a capture');
      expect(terminal.cursor).toBe(true);
    });
  });

  test('prints where that is asked for, and uses no colour with NO_COLOR', async () => {
    await inTerminal('plain', 100, 24, async (terminal) => {
      terminal.type(`${VEPA} --no-tui --quiet`);
      terminal.press('Enter');
      expect(await terminal.until(/ ERROR .*certain/)).not.toContain('[1 Findings]');
      terminal.type(`NO_COLOR=1 ${VEPA}`);
      terminal.press('Enter');
      await terminal.until('[1 Findings]');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences that set a colour
      expect(terminal.styled).not.toMatch(/\x1b\[(3|4|9)[0-9]/);
    });
  });
});
