import { describe, expect, test } from 'vitest';
import { hasTmux, Terminal } from './terminal.js';

const VEPA = 'node bin/netdiag.js analyze fixtures/demo/vepa.pcap --context fixtures/demo/context.json';

async function inTerminal(name: string, columns: number, rows: number, work: (terminal: Terminal) => Promise<void>) {
  const terminal = new Terminal(name, columns, rows);
  try {
    await terminal.until('ready>');
    await work(terminal);
  } finally {
    terminal.close();
  }
}

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
        expect(findings.split('\n')[0]).toContain('netdiag  fixtures/demo/vepa.pcap');

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

  test('SIGTERM leaves a restored screen', async () => {
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
