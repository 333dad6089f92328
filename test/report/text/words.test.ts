import { describe, expect, it } from 'vitest';
import { clock, counted, elapsed, frameList, protocolInWords } from '../../../src/report/text/words.js';

it.each([
  [0, '0 frames'],
  [1, '1 frame'],
  [1_234_567, '1,234,567 frames'],
])('counts %d as %s', (count, text) => {
  expect(counted(count, 'frame')).toBe(text);
});

it.each([
  [[1], '1'],
  [[1, 2], '1, 2'],
  [[1, 2, 3], '1–3'],
  [[1, 4, 5, 6, 7, 9, 10, 12], '1, 4–7, 9, 10, 12'],
])('lists frames %j as %s', (numbers, text) => {
  expect(frameList(numbers)).toBe(text);
});

describe('times', () => {
  const at = (time: string) => `2026-01-02T${time}Z`;

  it('of day, in milliseconds', () => {
    expect(clock(at('03:04:05.678901234'), false)).toBe('03:04:05.678');
    expect(clock(at('03:04:05.678901234'), true)).toBe('2026-01-02 03:04:05.678');
  });

  it.each([
    ['03:04:05.000000000', '03:04:05.000000900', '1 µs'],
    ['03:04:05.900000000', '03:04:06.000000000', '100 ms'],
    ['03:04:05.678901234', '03:04:07.728901234', '2.05 s'],
    ['03:04:05.000000000', '03:06:09.400000000', '2 min 4 s'],
    ['03:04:05.000000000', '06:24:05.000000000', '3 h 20 min'],
  ])('from %s to %s are %s', (first, last, text) => {
    expect(elapsed(at(first), at(last))).toBe(text);
  });

  it('of days', () => {
    expect(elapsed('2026-01-02T00:00:00.000000000Z', '2026-01-09T00:00:00.000000000Z')).toBe('7 days');
  });
});

it('protocols are written as their documents write them', () => {
  expect(['arp', 'ipv6', 'ipv6extension', 'vxlan'].map(protocolInWords)).toEqual([
    'ARP',
    'IPv6',
    'IPv6 extension headers',
    'VXLAN',
  ]);
});
