import { expect, it } from 'vitest';
import { START } from '../../src/tui/state.js';
import { framesView } from '../../src/tui/views/frames.js';

/** The brackets in each line of the hex dump of 48 bytes, of which `length` from `offset` on are marked. */
function brackets(offset: number, length: number): string[] {
  const fields = [{ depth: 1 as const, text: 'field', offset, length }];
  const detail = { number: 1, fields, bytes: new Uint8Array(48) };
  const page = { range: [1, 1] as const, rows: [{ number: 1, line: 'frame' }], detail };
  const lines = framesView({ ...START, view: 'frames', field: 0 }, page, { columns: 80, rows: 40, color: false });
  return lines.filter((line) => /^00[0-9a-f]0 /.test(line)).map((line) => line.replace(/[^[\]]/g, ''));
}

it.each([
  ['within a line', 2, 3, ['[]', '', '']],
  ['to the end of a line', 14, 2, ['[]', '', '']],
  ['over lines', 14, 4, ['[', ']', '']],
  ['to the end', 40, 8, ['', '', '[]']],
])('marked bytes %s are put in brackets once', (_, offset, length, expected) => {
  expect(brackets(offset, length)).toEqual(expected);
});
