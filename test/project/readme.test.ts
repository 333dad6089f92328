import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../support/fixtures.js';
import { netdiag } from '../support/netdiag.js';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What stands in code, in blocks or in a line. */
const code = [...readme.matchAll(/```sh\n(.*?)```|`([^`\n]+)`/gs)]
  .map(([, block, inline]) => block ?? inline)
  .join('\n');

/** Each new rule would change the picture: how many there are is not what it shows. */
function withoutCount(text: string): string {
  return text.replace(/\d+ rules\./, 'all rules.');
}

describe('README', () => {
  test('shows what the demo prints', () => {
    const picture = /```text\n(.*?)```/s.exec(readme)?.[1];
    const { NO_COLOR, FORCE_COLOR, COLUMNS, ...env } = process.env;
    const { status, stdout } = spawnSync('npm', ['run', '--silent', 'demo'], { cwd: root, env, encoding: 'utf8' });
    expect(status).toBe(0);
    expect(picture && withoutCount(picture)).toBe(withoutCount(stdout));
  });

  test('has a picture of the full-screen view as it looks now (npm run picture)', () => {
    const now = join(mkdtempSync(join(tmpdir(), 'netdiag-picture-')), 'tui.svg');
    const { status, stderr } = spawnSync(process.execPath, ['scripts/picture.js', now], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(readFileSync(now, 'utf8')).toBe(readFileSync(join(root, 'docs/tui.svg'), 'utf8'));
    expect(readme).toContain('](docs/tui.svg)');
  });

  test('names npm scripts that exist', () => {
    const named = [...code.matchAll(/npm run ([\w-]+)/g)].map(([, script]) => script);
    expect(named).toContain('demo');
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });

  test('names commands and options that exist', async () => {
    const used = [...code.matchAll(/(?:^|\| |&& )netdiag ([a-z]+)([^\n|#]*)/gm)];
    expect(used.map(([, command]) => command)).toContain('analyze');
    for (const [, command, rest] of used) {
      const { stdout } = await netdiag([command, '--help']);
      for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(stdout, `${command} ${option}`).toContain(option);
    }
  });

  test('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\(([^):]+)\)/g)].map(([, path]) => path);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
