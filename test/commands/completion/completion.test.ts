import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { SHELLS, type Shell } from '../../../src/commands/completion/shells.js';
import { RULES } from '../../../src/rules/index.js';
import { netdiag } from '../../support/netdiag.js';

const run = promisify(execFile);
const here = (name: string) => new URL(name, import.meta.url).pathname;
const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

const scripts = {} as Record<Shell, string>;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netdiag-completion-'));
  for (const shell of SHELLS) {
    const { stdout, status } = await netdiag(['completion', shell]);
    expect(status).toBe(0);
    scripts[shell] = join(folder, `netdiag.${shell}`);
    writeFileSync(scripts[shell], stdout);
  }
});

/** What bash offers for the last word. */
async function bash(...words: string[]): Promise<string[]> {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _netdiag; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['-c', script, 'bash', scripts.bash, ...words]);
  return stdout.split('\n').filter((word) => word !== '');
}

/** What fish offers for the last word, without descriptions. */
async function fish(line: string): Promise<string[]> {
  const { stdout } = await run('fish', [
    '--no-config',
    '-c',
    `source ${scripts.fish}; complete -C ${JSON.stringify(line)}`,
  ]);
  return stdout
    .split('\n')
    .filter((word) => word !== '')
    .map((word) => word.split('\t')[0]);
}

/** What the terminal shows after two Tabs, without its control sequences. */
async function zsh(line: string): Promise<string> {
  const { stdout } = await run('zsh', ['-f', here('type-and-tab.zsh'), scripts.zsh, line]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences begin with one
  return stdout.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '');
}

describe('completion', () => {
  it('refuses other shells, and says which there are', async () => {
    const { status, stderr } = await netdiag(['completion', 'tcsh']);
    expect(status).toBe(2);
    expect(stderr).toContain('bash, zsh, fish');
  });
});

describe('bash', () => {
  it('completes commands', async () => {
    expect(await bash('netdiag', 'a')).toEqual(['analyze']);
    expect(await bash('netdiag', '')).toContain('completion');
  });

  it('completes options of the command, and their values', async () => {
    expect(await bash('netdiag', 'analyze', '--min-')).toEqual(['--min-severity', '--min-confidence']);
    expect(await bash('netdiag', 'frames', '--min-')).toEqual([]);
    expect(await bash('netdiag', 'analyze', '--min-confidence', 'l')).toEqual(['likely']);
    expect(await bash('netdiag', 'analyze', '--format', 't')).toEqual(['text']);
    expect(await bash('netdiag', 'live', '--backend', '')).toEqual(['auto', 'ring', 'cap']);
    expect(await bash('netdiag', 'analyze', '--fail-on', '')).toContain('never');
  });

  it('completes rules', async () => {
    expect(await bash('netdiag', 'explain', '')).toEqual(RULES.map(({ meta }) => meta.id));
    expect(await bash('netdiag', 'analyze', '--select', 'arp/unan')).toEqual(['arp/unanswered']);
  });

  it('leaves files to the shell', async () => {
    expect(await bash('netdiag', 'analyze', '')).toEqual([]);
    const { stdout } = await run('bash', ['-c', `source ${scripts.bash}; complete -p netdiag`]);
    expect(stdout).toContain('-o default');
  });
});

describe.skipIf(!has('fish'))('fish', () => {
  it('completes commands, options, values, rules and files', async () => {
    expect(await fish('netdiag ana')).toEqual(['analyze']);
    expect(await fish('netdiag analyze --min-c')).toEqual(['--min-confidence']);
    expect(await fish('netdiag analyze --format t')).toEqual(['text']);
    expect(await fish('netdiag analyze --min-confidence ')).toEqual(['certain', 'hint', 'likely']);
    expect(await fish('netdiag explain arp/unan')).toEqual(['arp/unanswered']);
    expect(await fish(`netdiag analyze ${here('completion.te')}`)).toEqual([here('completion.test.ts')]);
  });
});

describe.skipIf(!has('zsh'))('zsh', () => {
  it('completes commands, options, values and rules', async () => {
    expect(await zsh('netdiag compl')).toContain('netdiag completion');
    const shown = await zsh('netdiag analyze --min-c');
    expect(shown).toContain('--min-confidence');
    for (const word of ['certain', 'likely', 'hint']) expect(shown).toContain(word);
    expect(await zsh('netdiag explain arp/unan')).toContain('arp/unanswered');
  });
});
