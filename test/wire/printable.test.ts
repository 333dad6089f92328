import { expect, test } from 'vitest';
import { printable, printableJson } from '../../src/wire/printable.js';

test.each([
  ['ens34', 'ens34'],
  ['a\x1b[31mred\x07', 'a\\x1b[31mred\\x07'],
  ['line\nbreak\ttab\x7f\x9b', 'line\\x0abreak\\x09tab\\x7f\\x9b'],
  ['\u202egnp.exe', '\\u{202e}gnp.exe'],
  ['a\u200bb\u2066c\ufeff', 'a\\u{200b}b\\u{2066}c\\u{feff}'],
  ['two\u2028lines', 'two\\u{2028}lines'],
  ['\ud800', '\\u{d800}'],
  ['网卡 é 😀', '网卡 é 😀'],
])('%j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('JSON means the same and is safe', () => {
  const value = { name: '\x1b\u202e\u{e0001}\x9b ok 网' };
  const json = printableJson(value);
  expect(JSON.parse(json)).toEqual(value);
  expect(json).toMatch(/^[\x20-\x7e网]*$/);
});
