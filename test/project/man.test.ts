import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { netdiag } from '../support/netdiag.js';

const page = join(root, 'dist/netdiag.1');

describe('the manual page', () => {
  it('tells every command and every option that --help tells', async () => {
    const text = readFileSync(page, 'utf8').replaceAll('\\-', '-');
    const commands = [...(await netdiag(['--help'])).stdout.matchAll(/^ {2}([a-z]+) [[<]/gm)].map(([, name]) => name);
    expect(commands).toContain('analyze');
    for (const command of commands.filter((name) => name !== 'help')) {
      expect(text).toContain(`netdiag ${command} `);
      const { stdout } = await netdiag([command, '--help']);
      for (const [, option] of stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)) expect(text).toContain(option);
    }
  });

  it.skipIf(spawnSync('man', ['--version']).status !== 0)('is roff that man prints without a warning', () => {
    const { stderr, stdout } = spawnSync('man', ['--warnings', '-l', page], {
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('EXIT STATUS');
  });

  it('is part of the package', () => {
    const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(packed).toContain('dist/netdiag.1');
  });
});
