import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { showOnly } from '../../../src/findings/filter.js';
import type { Analysis, Finding } from '../../../src/findings/finding.js';
import { reportText } from '../../../src/report/text/report.js';
import { analysis, captureReport, finding } from '../../support/diagnosis.js';

const vepa = finding({
  rule: 'macvlan/vepa-no-reflection',
  severity: 'error',
  confidence: 'certain',
  title: '172.16.91.101 cannot reach 172.16.91.102: nothing reflects frames back (macvlan VEPA)',
  summary: 'ns01 asks who has 172.16.91.102, three times, a second apart. '.repeat(5).trim(),
  segment: { capture: 0, interface: 'ens34', vlans: [100], vnis: [42] },
  count: 3,
  last: '2026-01-02T03:04:07.050000000Z',
  evidence: [1, 2, 3, 7].map((frame) => ({ capture: 0, frame, layer: 'arp', offset: 14, length: 28, note: 'who-has' })),
  cause: 'the switch does not send frames back to the port they came from',
  remedy: [
    { text: 'the children talk inside the host', commands: ['ip link set macvlan1 type macvlan mode bridge'] },
    { text: 'two steps', commands: ['ip link add br0 type bridge', `ip link set ens34 master br0 ${'x'.repeat(120)}`] },
  ],
  caveats: ['direction is unknown'],
  wouldRaise: ['ip -d link of the parent'],
  context: ['macvlan1 mode vepa (ns01)'],
  picture: ['ns01 ──┐', '       └─ ens34'],
  explains: [{ rule: 'arp/unanswered', count: 3, frames: [1, 2, 3] }],
});

const told = (given: Partial<Analysis>, look: { width?: number; color?: boolean; detail?: 'quiet' | 'verbose' } = {}) =>
  reportText(analysis(given), { width: 100, color: false, detail: 'normal', ...look });

const oneFinding = (given: Partial<Finding> = {}): Partial<Analysis> => ({
  findings: [{ ...vepa, ...given }],
  summary: { error: 1, warning: 0, info: 0 },
});

describe('frames and their time', () => {
  const one = { first: '2026-01-02T03:04:05.000000000Z', last: '2026-01-02T03:04:05.000000000Z' };

  it.each([
    [1, '1 frame from 2026-01-02 03:04:05.000 UTC'],
    [2, '2 frames in 0 µs from 2026-01-02 03:04:05.000 UTC'],
  ])('%i frames of one moment', (frames, words) => {
    expect(told({ captures: [captureReport({ ...one, frames })] })).toContain(words);
  });
});

it('tells no date of pasted text that has none', () => {
  const pasted = {
    format: 'text',
    first: '1970-01-01T02:18:48.674000000Z',
    last: '1970-01-01T02:18:49.674000000Z',
  } as const;
  expect(told({ captures: [captureReport({ ...pasted, frames: 2 })] })).toContain(
    '2 frames in 1.00 s from 02:18:48.674 · ',
  );
});

describe('damage', () => {
  it('of one kind is told once', () => {
    const problems = [1000, 2000, 3000].map((offset) => ({ offset, message: 'not a block' }));
    const text = told({ captures: [captureReport({ complete: false, problems })] });
    expect(text).toContain('  at byte 1,000: not a block (and 2 more like it)\n');
    expect(text).not.toContain('2,000');
  });

  it('of a text has no place in bytes', () => {
    const problems = [{ offset: 0, message: 'the text tells no times' }];
    expect(told({ captures: [captureReport({ format: 'text', problems })] })).toContain(
      '\n  the text tells no times\n',
    );
  });
});

describe('a finding', () => {
  const text = told(oneFinding(), { width: 110 });
  const lines = text.split('\n');

  it('tells a time once that begins and ends within a millisecond', () => {
    expect(told(oneFinding({ last: '2026-01-02T03:04:05.000400000Z' }))).toContain('3 times, 03:04:05.000\n');
  });

  it('says what, where, when and how sure', () => {
    expect(lines).toContainEqual(expect.stringMatching(/^ ERROR {2}172\.16\.91\.101 cannot reach .* certain$/));
    expect(text).toContain(
      '        macvlan/vepa-no-reflection · ens34 · VLAN 100 · VNI 42 · 3 times, 03:04:05.000 – 03:04:07.050\n',
    );
    expect(text).toContain('frames 1–3, 7   who-has');
    expect(text).toContain('arp/unanswered (3 times, frames 1–3)');
    for (const words of ['direction is unknown', 'ip -d link of the parent', 'macvlan1 mode vepa (ns01)']) {
      expect(text).toContain(words);
    }
    expect(text).toContain('netdiag explain macvlan/vepa-no-reflection');
    expect(text).toContain('1 error · 0 warnings · 0 notes');
  });

  it('keeps commands and pictures whole', () => {
    for (const { commands } of vepa.remedy) for (const command of commands) expect(text).toContain(command);
    expect(lines).toContain('          ns01 ──┐');
    expect(lines).toContain('                 └─ ens34');
  });

  it('leaves a picture out that the terminal would break', () => {
    const picture = ['ns01 ──┐', `       └─ ${'─'.repeat(40)} ens34`];
    expect(told(oneFinding({ picture }), { width: 66 })).toContain('ns01 ──┐');
    const narrow = told(oneFinding({ picture }), { width: 65 });
    expect(narrow).not.toContain('──');
    expect(narrow).not.toContain('\n\n\n');
  });

  it('puts what a command does behind it where there is room', () => {
    const wide = told(oneFinding(), { width: 110 });
    expect(wide).toContain('mode bridge   # the children talk inside the host\n');
    const narrow = told(oneFinding(), { width: 60 });
    expect(narrow).toContain(
      '# the children talk inside the host\n          ip link set macvlan1 type macvlan mode bridge\n',
    );
  });

  it.each([40, 60, 80, 100, 200])('keeps its prose within %d columns, wide characters too', (width) => {
    const chinese = { summary: '虚拟机之间无法通信'.repeat(20), title: '无法通信'.repeat(20) };
    for (const given of [{}, chinese]) {
      const copyable = (line: string) => /ip link|netdiag explain/.test(line);
      const lines = told(oneFinding(given), { width }).split('\n');
      for (const line of lines) if (!copyable(line)) expect(stringWidth(line), line).toBeLessThanOrEqual(width);
    }
  });

  it('cannot make the terminal do anything', () => {
    const evil = '\u001b]0;owned\u0007 \u009b2J \u202e';
    const text = told({
      captures: [captureReport({ name: evil, problems: [{ offset: 1, message: evil }] })],
      findings: [
        finding({
          title: evil,
          summary: evil,
          cause: evil,
          caveats: [evil],
          wouldRaise: [evil],
          context: [evil],
          picture: [evil],
          remedy: [{ text: evil, commands: [evil] }],
          evidence: [{ capture: 0, frame: 1, layer: 'arp', offset: 0, length: 1, note: evil }],
          segment: { capture: 0, interface: evil, vlans: [], vnis: [] },
        }),
      ],
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it('is in colour only where that is wanted', () => {
    expect(text).not.toContain('\u001b');
    expect(told(oneFinding(), { color: true })).toContain('\u001b[31m');
  });
});

describe('what was read', () => {
  it('is a line for one capture', () => {
    expect(told({}, { width: 200 })).toContain(
      'a.pcap · pcap, Ethernet · 3 frames in 2.05 s from 2026-01-02 03:04:05.000 UTC · directions unknown\n',
    );
  });

  it('says nothing of directions where there is no frame', () => {
    const nothing = captureReport({ frames: 0, bytes: 0, first: null, last: null });
    expect(told({ captures: [nothing] })).toContain('a.pcap · pcap, Ethernet · 0 frames\n');
    expect(told({ captures: [nothing, nothing] })).not.toContain('unknown');
  });

  it('is a table for several, with the whole name of each', () => {
    const long = `${'very-long-name-'.repeat(8)}.pcapng.gz`;
    const text = told({
      captures: [
        captureReport(),
        captureReport({ name: long, complete: false, problems: [{ offset: 4096, message: 'cut' }] }),
      ],
    });
    expect(text).toMatch(/^capture +format +frames +time +directions +lost$/m);
    expect(text.replaceAll(/\s/g, '')).toContain('very-long-name-'.repeat(8));
    expect(text).toContain('at byte 4,096: cut');
  });
});

describe('nothing found', () => {
  const text = told({ captures: [captureReport({ undecoded: { PTP: 2 } })] });

  it('says what was examined, and what it says little about', () => {
    expect(text).toContain('Nothing found.');
    expect(text).toContain('Examined: 3 frames, Ethernet 3, ARP 3; 30 rules.');
    expect(text).toContain('Not understood: PTP 2.');
    expect(text).toMatch(/which way each frame\s+went\s+and\s+how\s+the\s+host\s+is\s+set\s+up\s+\(--context\)/);
  });

  it('does not ask for what is there', () => {
    const examined = { rules: 30, context: true };
    const text = told({ examined, captures: [captureReport({ directions: 'all' })] });
    expect(text).not.toContain('Not known here');
  });

  it('in no frames is no result', () => {
    const captures = [captureReport({ frames: 0, bytes: 0, first: null, last: null, protocols: {} })];
    expect(told({ captures })).toContain('There was no frame to judge by.');
    expect(told({ captures })).not.toContain('Nothing found');
  });

  it('in frames of a kind that netdiag does not read is no result', () => {
    const text = told({ captures: [captureReport({ undecoded: { 'link type USBPCAP': 3 }, protocols: {} })] });
    expect(text).toMatch(/^Nothing could be examined\.$/m);
    expect(text).toContain('Not understood: link type USBPCAP 3.');
    expect(text).toContain('capture again on such a device');
  });

  it('because of a filter is not nothing', () => {
    const shown = showOnly(analysis(oneFinding({ severity: 'info' })), 'error', 'hint');
    const text = told(shown);
    expect(text).toContain('1 finding not shown');
    expect(text).not.toContain('Nothing found.');
  });
});

describe('many findings', () => {
  const findings = Array.from({ length: 6 }, (_, i) => finding({ title: `title ${i}`, count: i + 1 }));

  it('begin with a table of them', () => {
    const text = told({ findings });
    expect(text).toMatch(/^severity +confidence +rule +what +count$/m);
    expect(text).toMatch(/^warning +likely +arp\/unanswered +title 5 +6$/m);
    expect(told({ findings: findings.slice(1) })).not.toContain('severity  ');
  });

  it('are told in full up to twenty, and all of them when asked', () => {
    const findings = Array.from({ length: 23 }, (_, i) => finding({ title: `title ${i}.` }));
    const inFull = (text: string) => text.match(/Not sure\?/g)?.length;
    const text = told({ findings });
    expect(inFull(text)).toBe(20);
    expect(text).toContain('3 further findings in the table above');
    expect(text).toContain('title 22.');
    expect(inFull(told({ findings }, { detail: 'verbose' }))).toBe(23);
  });

  it('are so many in the table at most, and it is said where more may be', () => {
    const findings = Array.from({ length: 1000 }, (_, i) => finding({ title: `title ${i}.` }));
    const text = told({ findings });
    expect(text).toContain('980 further findings, 180 of them in the table above; -v tells all.');
    expect(text).not.toContain('title 200.');
    expect(text).toContain('only 1,000 findings are kept: there may be more');
    expect(told({ findings: findings.slice(1) }, { detail: 'verbose' })).not.toContain('there may be more');
    expect(told({ findings }, { detail: 'verbose' })).toContain('title 999.');
  });

  it('tells of a rule that has one finding behind hundreds of another', () => {
    const many = Array.from({ length: 1000 }, (_, n) => finding({ rule: 'icmp/redirect', title: `title ${n}.` }));
    const findings = [...many, finding({ rule: 'arp/unanswered', title: 'nobody answers' })];
    const text = told({ findings });
    expect(text.split('nobody answers')).toHaveLength(3);
    expect(text.indexOf('title 18.')).toBeLessThan(text.lastIndexOf('nobody answers'));
    expect(text).not.toContain('title 199.');
    expect(text).toContain('981 further findings, 180 of them in the table above; -v tells all.');
  });

  it('are a line each when quiet is asked for', () => {
    expect(told({ findings }, { detail: 'quiet' }).trimEnd().split('\n')).toHaveLength(6);
  });
});

it('is short about the capture itself beside a fault, and not where it is all there is, or all is asked for', () => {
  const note = finding({ rule: 'capture/cooked', severity: 'info', cause: 'why so' });
  const fault = finding({ severity: 'warning', cause: 'a fault' });
  expect(told({ findings: [fault, note] })).not.toContain('why so');
  expect(told({ findings: [fault, note] })).toContain('netdiag explain capture/cooked');
  expect(told({ findings: [note] })).toContain('why so');
  expect(told({ findings: [fault, note] }, { detail: 'verbose' })).toContain('why so');
});

it('tells suppressed findings by number, and with their reasons when asked', () => {
  const suppressed = [
    { rule: 'arp/unanswered', title: 'no answer', fingerprint: 'f', reason: 'a sleeping printer' },
  ] as const;
  const given = { suppressed: [...suppressed] };
  expect(told(given)).toContain('1 finding suppressed by the configuration.');
  expect(told(given, { detail: 'verbose' })).toContain('arp/unanswered: no answer: a sleeping printer');
});
