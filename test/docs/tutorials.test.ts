import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { whyNot } from '../live/lab.js';
import { root } from '../support/fixtures.js';
import { program } from '../support/netdiag.js';
import { blocksOf, flat } from './page.js';

const folder = join(root, 'docs/tutorials');
const pages = readdirSync(folder).filter((name) => name.endsWith('.md'));
const MARK = '@@@ block ';

/**
 * Runs the commands of a page as a reader would, in a network namespace where nothing else is, with names of namespaces of
 * its own. Gives what each block printed, by its line.
 */
async function run(page: string): Promise<Map<number, string>> {
  const commands = blocksOf(page).filter(({ kind }) => kind === 'sh');
  const script = [
    'set -eu',
    'mkdir -p /run/netns; mount -t tmpfs tmpfs /run/netns',
    // Findings make status 1, which is no failure of the page.
    `netdiag() { "${process.execPath}" "${program}" "$@" || [ $? -eq 1 ]; }`,
    'ip link set lo up',
    ...commands.map(({ text, line }) => `echo "${MARK}${line}"\n${text}`),
  ].join('\n');
  const { stdout } = await promisify(execFile)('unshare', ['--net', '--mount', 'bash', '-c', `exec 2>&1\n${script}`], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '120' },
  }).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  const parts = stdout.split(new RegExp(`^${MARK}(\\d+)\n`, 'm')).slice(1);
  return new Map(commands.map(({ line }, i) => [line, parts[2 * i + 1] ?? '']));
}

if (whyNot !== null) console.log(`tutorials are not run: ${whyNot}`);

describe.skipIf(whyNot !== null)('the commands of', () => {
  it.concurrent.each(pages)('%s do what the page says', { timeout: 240_000 }, async (name) => {
    const page = readFileSync(join(folder, name), 'utf8');
    const printed = await run(page);
    let last = '';
    for (const { kind, text, line } of blocksOf(page)) {
      if (kind === 'sh') last = printed.get(line) ?? '';
      if (kind !== 'text') continue;
      for (const expected of text.split('\n')) expect(flat(last), `line ${line}`).toContain(flat(expected.trim()));
    }
  });
});

it('every tutorial is in the list of tutorials', () => {
  const list = readFileSync(join(root, 'docs/tutorials.md'), 'utf8');
  for (const name of pages) expect(list).toContain(`(tutorials/${name})`);
});
