import { describe, expect, it } from 'vitest';
import { blocksOf, needsOf } from './page.js';
import { tryOut } from './run.js';

const sh = (...lines: string[]) => ['```sh', ...lines, '```', ''].join('\n');
const text = (...lines: string[]) => ['```text', ...lines, '```', ''].join('\n');
const REPORT = 'netdiag analyze fixtures/demo/vepa.pcap -q';

describe('a page is tried out', () => {
  it('accepts what is printed, wrapped elsewhere too, and status 1 of findings', async () => {
    await tryOut(sh('echo one   two', REPORT, 'echo "exit status $?"') + text('one two', 'exit status 1'));
  });

  it('accepts a refusal that the page shows', async () => {
    await tryOut(sh('netdiag analyze no-such-file') + text('netdiag: no-such-file'));
  });

  it.each([
    ['another output', sh('echo one') + text('two')],
    ['a command that fails', sh('false', 'echo one') + text('one')],
    ['a function that fails', sh('f() { return 3; }', 'f', 'echo one') + text('one')],
    ['an unset variable', sh('echo "$nothing"')],
    ['wrong use of netdiag', sh('netdiag analyze no-such-file')],
    [
      'text of commands that are not run',
      `Not run by the tests:\n${sh('echo one').replace('sh', 'sh not run')}${text('one')}`,
    ],
    ['commands that no shell can read', `Not run by the tests:\n${sh('if true').replace('sh', 'sh not run')}`],
    ['commands that are not run without saying so', sh('echo one').replace('sh', 'sh not run')],
  ])('refuses %s', async (_, page) => {
    await expect(tryOut(page)).rejects.toThrow();
  });

  it('does not run what is marked', () => {
    const [first, second] = blocksOf(
      `Not run by the tests:\n\n${sh('false').replace('sh', 'sh not run')}${sh('true')}`,
    );
    expect([first.isRun, first.before, second.isRun]).toEqual([false, 'Not run by the tests:', true]);
  });

  it('knows what a page needs', () => {
    expect(needsOf('x. You need root, `iproute2`\nand `ping`; not `qemu`.')).toEqual(['root', 'iproute2', 'ping']);
    expect(needsOf('nothing')).toEqual([]);
  });
});
