import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { whyNot } from '../live/lab.js';
import { root } from '../support/fixtures.js';
import { program } from '../support/netdiag.js';
import { type Block, blocksOf, flat, NOT_RUN, needsOf } from './page.js';

const MARK = '@@@ block ';

/** In namespaces of its own; what a page leaves running dies with it. */
const ALONE = ['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** The program of a Debian package, where its name is another. */
const PROGRAM: Record<string, string> = { iproute2: 'ip', nftables: 'nft' };

/** Why the commands of a page cannot be run here; null where they can, and where all must (`NETDIAG_REQUIRE_LIVE=1`). */
export function obstacleTo(page: string): string | null {
  if (process.env.NETDIAG_REQUIRE_LIVE === '1') return null;
  const needs = needsOf(page);
  if (needs.includes('root') && whyNot !== null) return whyNot;
  const missing = needs.filter((name) => name !== 'root' && !isThere(PROGRAM[name] ?? name));
  return missing.length > 0 ? `no ${missing.join(', ')} here` : null;
}

function isThere(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

/** Runs the commands of a page and compares what each block prints with the text that the page shows behind it. */
export async function tryOut(page: string): Promise<void> {
  const blocks = blocksOf(page);
  const printed = await run(blocks, needsOf(page).includes('root'));
  let last: Block | null = null;
  for (const block of blocks) {
    const { kind, isRun, text, line, before } = block;
    if (kind === 'sh') last = block;
    if (kind === 'sh' && !isRun) {
      expect(before, `line ${line} tells the reader`).toContain(NOT_RUN);
      expect(spawnSync('bash', ['-n'], { input: text }).status, `line ${line} can be read by a shell`).toBe(0);
    }
    if (kind !== 'text') continue;
    expect(last?.isRun, `line ${line}: output of commands that are run`).toBe(true);
    const output = flat(printed.get(last?.line ?? 0) ?? '');
    for (const expected of text.split('\n')) expect(output, `line ${line}`).toContain(flat(expected.trim()));
  }
}

/**
 * Runs blocks as a reader would, one after the other in one shell; those of pages for root in a network namespace where
 * nothing else is, with names of namespaces of its own. Gives what each block printed, by its line.
 */
async function run(blocks: readonly Block[], asRoot: boolean): Promise<Map<number, string>> {
  const commands = blocks.filter(({ isRun }) => isRun);
  const folder = mkdtempSync(join(tmpdir(), 'netdiag-page-'));
  const path = join(folder, 'netdiag');
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, { mode: 0o755 });
  const script = [
    'exec 2>&1; set -u; refused=0',
    // Findings make status 1, which is no failure of the page; wrong use is one, unless the page shows its message.
    "trap 's=$?; case $BASH_COMMAND in netdiag*) [ $s -eq 1 ] || [ $refused = 1 ] || exit $s;; *) exit $s;; esac' ERR",
    ...(asRoot ? ['mkdir -p /run/netns; mount -t tmpfs tmpfs /run/netns', 'ip link set lo up'] : []),
    ...commands.map((block) => {
      const shown = blocks[blocks.indexOf(block) + 1];
      const refused = shown?.kind === 'text' && /^netdiag: |^exit status [23]$/m.test(shown.text);
      return `echo "${MARK}${block.line}"\nrefused=${Number(refused)}\n${block.text}`;
    }),
    'exit 0',
  ].join('\n');
  const [file, ...args] = [...(asRoot ? ALONE : []), 'bash', '-c', script];
  const { stdout } = await promisify(execFile)(file, args, {
    cwd: root,
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}`, NO_COLOR: '1', COLUMNS: '100' },
  })
    .catch((error) => {
      throw new Error(`${error.message}\n${error.stdout}`);
    })
    .finally(() => rmSync(folder, { recursive: true }));
  const parts = stdout.split(new RegExp(`^${MARK}(\\d+)\n`, 'm')).slice(1);
  return new Map(commands.map(({ line }, i) => [line, parts[2 * i + 1] ?? '']));
}
