import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import wrapAnsi from 'wrap-ansi';
import { isPlain, plainLines } from '../../../src/report/text/plain.js';
import { grouped } from '../../../src/report/text/words.js';

const ALPHABET = ['a', 'b', 'M', '1', '.', '-', '·', '–', '…', '→', '─', '✗', 'é', 'ß', 'ł'];
const words = fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 12 });
const texts = fc.array(words, { maxLength: 20 }).map((each) => each.join(' '));

test('each plain character takes up one column', () => {
  for (let code = 0; code < 0x10000; code++) {
    const character = String.fromCharCode(code);
    if (isPlain(character)) expect(stringWidth(character), code.toString(16)).toBe(1);
  }
  fc.assert(fc.property(texts, (text) => isPlain(text) && stringWidth(text) === text.length));
});

test('plain text is broken where wrap-ansi would break it', () => {
  let broken = 0;
  fc.assert(
    fc.property(texts, fc.integer({ min: 5, max: 60 }), (text, width) => {
      const lines = plainLines(text, width);
      if (lines === null) return;
      if (lines.length > 1) broken++;
      expect(lines).toEqual(wrapAnsi(text, width, { hard: true }).split('\n'));
    }),
    { numRuns: 5000 },
  );
  expect(broken).toBeGreaterThan(100);
});

test('what takes more or fewer columns is not plain', () => {
  for (const text of ['漢', 'e\u0301', '\u{1f600}', '©', '™', '✔', 'a\u00adb', 'a\tb', 'a\nb', '\x1b[1m'])
    expect(isPlain(text), JSON.stringify(text)).toBe(false);
});

test('thousands are set apart as in English', () => {
  for (const count of [0, 7, 999, 1000, 12_345, 999_999, 1_000_000, 1_234_567_890, Number.MAX_SAFE_INTEGER])
    expect(grouped(count)).toBe(count.toLocaleString('en-US'));
});
