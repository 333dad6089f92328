import { setTimeout as sleep } from 'node:timers/promises';
import * as ink from 'ink';
import { render } from 'ink-testing-library';
import * as react from 'react';
import { afterEach, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.js';
import type { Analysis } from '../../src/findings/finding.js';
import { appOf } from '../../src/tui/app.js';
import type { FrameStore, LiveControls, LiveNote, Session } from '../../src/tui/session.js';
import { clip, width } from '../../src/tui/text.js';
import { sparkline } from '../../src/tui/views/traffic.js';

const App = appOf(ink, react);
const real = await analyze(['fixtures/demo/vepa.pcap']);
const opened: { unmount(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.unmount();
});

/** Frames that exist only as numbers, as many as are asked for. */
function numbered(last: number): FrameStore {
  return {
    range: () => [1, last],
    nearest: (_, number) => number,
    rows: (_, from, count) =>
      Array.from({ length: count }, (_each, i) => ({ number: from + i, line: `frame number ${from + i}` })),
    detail: (_, number) => ({
      number,
      fields: [
        { depth: 0, text: 'ethernet', offset: 0, length: 14 },
        { depth: 1, text: 'etherType: 2054', offset: 12, length: 2 },
      ],
      bytes: Uint8Array.from({ length: 20 }, (_each, i) => i),
    }),
  };
}

/** A live capture that does as it is told. */
function liveControls(given: Partial<LiveControls> = {}, notes: LiveNote[] = []): LiveControls {
  const controls = {
    paused: false,
    dropped: 0 as number | null,
    unsaved: false,
    notes,
    pause: () => {
      controls.paused = true;
    },
    resume: () => {
      controls.paused = false;
    },
    save: (file: string) => Promise.resolve(`Wrote ${file}`),
    ...given,
  };
  return controls;
}

/** Milliseconds after which a key is taken for one that changes nothing on the screen. */
const UNCHANGED = 600;

function open(given: Partial<Session> & { columns?: number; rows?: number } = {}) {
  const copies: string[] = [];
  const ends: boolean[] = [];
  const stops: string[] = [];
  const session: Session = {
    analysis: () => real,
    status: { state: 'done', text: '' },
    frames: numbered(5_000_000),
    ...given,
  };
  const screen = { columns: given.columns ?? 100, rows: given.rows ?? 23, color: false };
  const app = render(
    react.createElement(App, {
      session,
      screen,
      copy: (text) => copies.push(text),
      quit: (byCtrlC) => ends.push(byCtrlC),
      suspend: () => stops.push('to the shell'),
    }),
  );
  opened.push(app);
  const press = async (...keys: string[]) => {
    await sleep(60);
    for (const key of keys) {
      const before = app.lastFrame();
      app.stdin.write(key);
      // Drawn when the machine has time for it; what a key does not change is waited for a while.
      for (let waited = 0; app.lastFrame() === before && waited < UNCHANGED; waited += 10) await sleep(10);
      await sleep(30);
    }
    return app.lastFrame() ?? '';
  };
  return { press, copies, ends, stops };
}

describe('the views', () => {
  test('findings: who, what, why, and y copies the first command', async () => {
    const { press, copies } = open();
    const shown = await press();
    expect(shown).toContain(real.findings[0].title.slice(0, 40));
    expect(shown).toMatch(/^ ?Look *$/m);
    await press('y');
    const commands = real.findings[0].remedy.find((each) => each.commands.length > 0)?.commands ?? [];
    expect(copies).toEqual(commands.length > 0 ? [commands.join('\n')] : []);
  });

  test('frames: the last of five million, the field marked in the bytes, and back', async () => {
    const { press } = open();
    expect(await press('2', 'G')).toContain('▌frame number 5000000');
    expect(await press('g', '\r', 'j')).toMatch(/0b\[0c 0d\]0e/);
    expect(await press('\x1b')).toContain('Enter headers');
    await sleep(50);
    expect(await press('\x1b')).toContain('[1 Findings]');
  });

  test('what is scrolled ends at its last line: the first key back is seen to', async () => {
    const { press } = open({ columns: 50 });
    const help = await press('?', 'G');
    expect(await press('k')).not.toBe(help);
    const detail = await press('1', '\x04', '\x04', '\x04', '\x04', '\x04');
    expect(await press('\x15')).not.toBe(detail);
  });

  test('a low screen leaves room for the text; a search begun in the help leads to findings', async () => {
    const many = { ...real, findings: Array.from({ length: 9 }, () => real.findings[0]) };
    const { press } = open({ analysis: () => many, rows: 11 });
    expect((await press()).split('\n').filter((line) => line.includes('WARN'))).toHaveLength(2);
    expect(await press('?', '/', 'x', '\x15', 'a', 'r', 'p', '\r')).toContain('[1 Findings]');
    expect(await press()).toContain('"arp" n/N');
  });

  test('frames: a search goes to the next that matches', async () => {
    const { press } = open();
    await press('2', '/', '7', '0', '0', '0', '\r');
    // A search lets keys through meanwhile: on a busy machine it ends later than the key.
    await expect.poll(() => press(), { timeout: 5000 }).toContain('▌frame number 7000');
    await press('n');
    await expect.poll(() => press(), { timeout: 5000 }).toContain('▌frame number 17000');
    await press('N');
    await expect.poll(() => press(), { timeout: 5000 }).toContain('▌frame number 7000');
  });

  test('findings: a search that finds none leaves no keys for one', async () => {
    const { press } = open();
    expect(await press('/', 'x', 'y', 'z', '\r')).toContain('No finding matches "xyz"');
    const shown = await press();
    expect(shown).not.toContain('y copy cure');
    expect(shown).toContain('Esc ends it');
    expect(await press('\x1b')).toContain('y copy cure');
  });

  test('topology, traffic and help', async () => {
    const { press } = open();
    expect(await press('3')).toContain(real.topology.stations[0].mac);
    expect(await press('4')).toContain('SLL2');
    expect(await press('?')).toContain('copy the cure');
  });

  test('a narrow window keeps the name of the capture and the words of the help', async () => {
    const { press } = open({ columns: 60 });
    expect(await press()).toContain(' netdiag  vepa.pcap · 3');
    const words = (await press('?')).replaceAll(/\s+/g, ' ');
    expect(words).toContain('scroll: the text of a finding, half a page elsewhere');
  });

  test('a narrow window keeps the view, the keys of the others and the way out', async () => {
    const { press } = open({ columns: 40 });
    const findings = (await press()).split('\n');
    expect(findings[1]).toBe('[1 Findings] 2  3  4  ?');
    expect(findings.at(-1)?.trimEnd()).toBe(' j/k move  Enter frame  ? help  q quit');
    const traffic = (await press('4')).split('\n');
    expect(traffic[1]).toBe(' 1  2  3 [4 Traffic] ?');
    expect(traffic.at(-1)?.trimEnd()).toBe(' j/k scroll  Esc back  ? help  q quit');
    // The end of what is typed shows, where the cursor is.
    const typed = await press('e', ...'0123456789abcdef');
    expect(typed.split('\n').at(-1)?.trimEnd()).toBe(' Write report to: …t.md0123456789abcdef▏');
  });

  test('the foot says of Escape what it does', async () => {
    const { press } = open();
    const foot = async (...keys: string[]) => (await press(...keys)).split('\n').at(-1);
    expect(await foot('2')).toContain('Enter headers  Esc back');
    expect(await foot('\r')).toContain('j/k field  Esc list  / search');
    const searched = await foot('\x1b', '/', '9', '\r');
    expect(searched).toContain('"9" n/N, Esc ends it  j/k move');
    expect(searched).not.toContain('Esc back');
  });

  test('Ctrl-Z leads to the shell, in a prompt too', async () => {
    const { press, stops } = open();
    await press('\x1a', '/', '\x1a');
    expect(stops).toHaveLength(2);
  });

  test('what a mouse or the terminal says is no key', async () => {
    const { press } = open();
    // A click (xterm, SGR 1006), focus in and out (1004), the answers to DA1 and DSR.
    for (const noise of ['\x1b[<0;12;4M', '\x1b[<0;12;4m', '\x1b[I', '\x1b[O', '\x1b[?62;4c', '\x1b[4;21R'])
      expect(await press('2', noise)).toContain('[2 Frames]');
    expect(await press('/', '[1]')).toContain('/[1]▏');
  });

  test('the chosen finding stays chosen when a worse one comes before it', async () => {
    const [first] = real.findings;
    const named = (name: string) => ({ ...first, title: `${name} finding`, fingerprint: name });
    let now: Analysis = { ...real, findings: [named('one'), named('two')] };
    const { press } = open({ analysis: () => now, status: { state: 'reading', text: '10 %' } });
    expect(await press('j')).toMatch(/▌.*two finding/);
    now = { ...real, findings: [named('worse'), named('one'), named('two')] };
    await sleep(300);
    const shown = await press();
    expect(shown).toMatch(/▌.*two finding/);
    expect(shown).toContain('worse finding');
  });

  test('q quits, but asks where frames would be lost; Ctrl-C asks nothing', async () => {
    const calm = open();
    await calm.press('q');
    expect(calm.ends).toEqual([false]);
    const live = liveControls({ dropped: 3, unsaved: true });
    const { press, ends } = open({ live });
    expect(await press('q')).toContain('Quit all the same? y/n, w writes first');
    expect(await press('n')).toContain('3 drops');
    expect(await press('q', 'w')).toContain('Write frames to: netdiag-live.pcapng');
    await press('\x1b');
    expect(ends).toEqual([]);
    await press('q', 'y');
    expect(ends).toEqual([false]);
    await press('\x03');
    expect(ends).toEqual([false, true]);
  });

  test('live: frames follow the latest until one is chosen, and again from End on', async () => {
    let last = 100;
    const frames: FrameStore = { ...numbered(0), range: () => [last - 50, last] };
    const { press } = open({ live: liveControls(), status: { state: 'reading', text: 'live 0:01' }, frames });
    expect(await press('2')).toContain('▌frame number 100');
    last = 120;
    await sleep(250);
    expect(await press()).toContain('▌frame number 120');
    expect(await press('k')).toContain('▌frame number 119');
    last = 140;
    await sleep(250);
    const stays = await press();
    expect(stays).toContain('▌frame number 119');
    expect(stays).toContain('End latest');
    // It is let go at last: the oldest that is kept takes its place.
    last = 300;
    await sleep(250);
    expect(await press()).toContain('▌frame number 250');
    expect(await press('\x1b[F')).toContain('▌frame number 300');
    last = 310;
    await sleep(250);
    expect(await press()).toContain('▌frame number 310');
  });

  test('live: p pauses and resumes, drops always show, what happened is noted, w writes', async () => {
    const notes: LiveNote[] = [];
    const live = liveControls({ dropped: 7 }, notes);
    const { press } = open({ live, status: { state: 'reading', text: 'live 0:01' }, columns: 80 });
    for (const view of ['1', '2', '3', '4', '?']) expect(await press(view)).toContain('7 drops');
    expect(await press('p')).toContain('p resume');
    await sleep(250);
    expect(await press()).toContain('paused  7 drops');
    expect(await press('p')).toContain('p pause');
    notes.push({ time: '2026-01-02T03:04:05.000Z', text: 'macvlan1 in ns01: mode vepa, now bridge' });
    await sleep(250);
    expect((await press()).split('\n').at(-1)).toContain('macvlan1 in ns01: mode vepa, now bridge');
    expect(await press('4')).toMatch(/03:04:05\.000 {2}macvlan1 in ns01/);
    expect(await press('w', '\r')).toContain('Wrote netdiag-live.pcapng');
  });

  test('live: a finding whose frame is gone says so', async () => {
    const frames: FrameStore = { ...numbered(0), range: () => [900, 950] };
    const { press } = open({ live: liveControls(), frames });
    const shown = await press('\r');
    expect(shown).toContain('▌frame number 900');
    expect(shown).toContain('Frame 1 is no longer kept');
  });

  test('a search through millions of frames lets keys through, and the next key ends it', async () => {
    const { press } = open();
    await press('2', '/');
    expect(await press('z', 'z', '\r')).toMatch(/Searching "zz": frame [\d,]+ of 5,000,000/);
    expect(await press('j')).not.toContain('Searching');
    await sleep(200);
    expect(await press()).not.toContain('Searching');
  });

  test('hostile and wide text stays in its columns and brings no control characters', async () => {
    const evil = '\x1b[2J\x07漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字\u202e'.repeat(3);
    const [first] = real.findings;
    const findings = [{ ...first, title: evil, summary: evil, cause: evil, picture: [evil], context: [evil] }];
    const captures = real.captures.map((each) => ({ ...each, name: evil }));
    for (const columns of [80, 200]) {
      const { press } = open({ analysis: () => ({ ...real, findings, captures }), columns });
      for (const view of ['1', '3', '4']) {
        const shown = await press(view);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        expect(shown).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
        for (const line of shown.split('\n')) expect(width(line)).toBeLessThanOrEqual(columns);
      }
    }
  });
});

describe('text', () => {
  test('is cut by columns, not characters', () => {
    expect(clip('漢字漢字', 5)).toBe('漢字…');
    expect(clip('漢字漢字', 6)).toBe('漢字… ');
    expect(clip('abc', 5)).toBe('abc  ');
  });

  test('sparkline', () => {
    expect(sparkline([0, 7, 14])).toBe('▁▅█');
    expect(sparkline([0, 0])).toBe('▁▁');
  });
});
