import { describe, expect, it } from 'vitest';
import { Layout } from '../../../src/report/text/layout.js';
import { table } from '../../../src/report/text/table.js';

const HEAD = ['segment', 'mac', 'attached as', 'frames', 'what is wrong when it speaks'];
const ROWS = [
  ['VNI 10', '52:54:00:10:00:01', 'veth (certain: ip -d link: eth0 in vm-vtep1)', '12', 'arp/unanswered'],
  ['-', '1a:c3:76:88:23:6c', '', '3', ''],
];

const drawn = (columns: number, rows = ROWS) => table(HEAD, rows, [3], new Layout(columns, false));
const widest = (lines: readonly string[]) => Math.max(...lines.map((line) => line.length));

describe('a table', () => {
  it('is as wide as what is in it, where there is room', () => {
    expect(drawn(200)).toEqual([
      'segment  mac                attached as                                   frames  what is wrong when it speaks',
      'VNI 10   52:54:00:10:00:01  veth (certain: ip -d link: eth0 in vm-vtep1)      12  arp/unanswered',
      '-        1a:c3:76:88:23:6c                                                     3',
    ]);
  });

  it.each([110, 90, 80, 70, 60, 50, 40])('fits into %i columns, and no word is lost or broken', (columns) => {
    const lines = drawn(columns);
    expect(widest(lines)).toBeLessThanOrEqual(columns);
    for (const word of ['52:54:00:10:00:01', 'certain:', 'vm-vtep1)', 'arp/unanswered', 'segment', 'frames'])
      expect(lines.join('\n')).toContain(word);
  });

  it('is written row by row where not even its words fit', () => {
    expect(drawn(40)).toEqual([
      'segment      VNI 10',
      'mac          52:54:00:10:00:01',
      'attached as  veth (certain: ip -d link:',
      '             eth0 in vm-vtep1)',
      'frames       12',
      '             arp/unanswered',
      '',
      'segment      -',
      'mac          1a:c3:76:88:23:6c',
      'frames       3',
    ]);
  });

  it('breaks a long name before it gives up its columns', () => {
    const name = 'macvlan/a-rule-with-a-name-of-some-length';
    const rows = [['-', '-', '-', '1', name]];
    expect(drawn(90, rows).join('\n')).toContain(name);
    expect(drawn(60, rows).join('\n')).not.toContain(name);
    expect(widest(drawn(60, rows))).toBeLessThanOrEqual(60);
    expect(drawn(60, rows).join('').replaceAll(' ', '')).toContain('frames');
  });
});
