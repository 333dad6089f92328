import { describe, expect, it } from 'vitest';
import { terminalColor, terminalWidth } from '../../src/commands/terminal.js';
import { fakeIo } from '../support/io.js';

describe('terminalColor', () => {
  it.each<[flag: string | undefined, isTTY: boolean, env: NodeJS.ProcessEnv, color: boolean]>([
    [undefined, true, {}, true],
    [undefined, false, {}, false],
    ['auto', true, {}, true],
    ['auto', true, { NO_COLOR: '1' }, false],
    ['auto', true, { NO_COLOR: '' }, true],
    ['auto', true, { TERM: 'dumb' }, false],
    ['always', false, { NO_COLOR: '1', TERM: 'dumb' }, true],
    ['never', true, {}, false],
  ])('%s, terminal %s, %j: %s', (flag, isTTY, env, color) => {
    expect(terminalColor(flag, fakeIo({ env, stdout: { isTTY } }))).toBe(color);
  });

  it('is off in a file, though the terminal has it', () => {
    expect(terminalColor('auto', fakeIo({ stdout: { isTTY: true } }), false)).toBe(false);
    expect(terminalColor('always', fakeIo(), false)).toBe(true);
  });
});

it.each([
  [undefined, 100],
  [120, 120],
  [10, 40],
])('writes for %s columns as for %i', (columns, width) => {
  expect(terminalWidth(fakeIo({ stdout: columns === undefined ? {} : { columns } }))).toBe(width);
});
