import { expect, it } from 'vitest';
import { andOthers, listed, times } from '../../../src/rules/parts/words.js';

it('puts names, numbers and rests into words', () => {
  expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
  expect(listed(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  expect([1, 2, 3].map(times)).toEqual(['once', 'twice', '3 times']);
  expect([0, 1, 2].map(andOthers)).toEqual(['', ' and one other address', ' and 2 other addresses']);
});
