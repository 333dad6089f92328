import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What each file may not import: the arrows of docs/architecture.md, backwards. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  'src/capture/probe.ts': ['../wire/decode.js', '../network/x.js', '../rules/rule.js', '../findings/x.js'],
  'src/capture/pcap/probe.ts': ['../../wire/decode.js', '../../network/x.js', '../../report/x.js'],
  'src/wire/probe.ts': ['../capture/source.js', '../network/x.js', '../rules/rule.js', '../findings/x.js'],
  'src/network/probe.ts': ['../capture/source.js', '../rules/rule.js', '../findings/x.js', '../analyze.js'],
  'src/rules/probe.ts': ['../capture/source.js', '../findings/x.js', '../report/x.js', '../commands/x.js'],
  'src/rules/capture/probe.ts': ['../../capture/source.js', '../../findings/x.js', '../../analyze.js'],
  'src/findings/probe.ts': ['../capture/source.js', '../report/x.js', '../commands/x.js', '../analyze.js'],
  'src/report/probe.ts': ['../capture/source.js', '../network/x.js', '../tui/x.js', '../commands/x.js'],
  'src/tui/probe.ts': ['../capture/source.js', '../network/x.js', '../rules/rule.js', '../commands/x.js'],
};

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/capture/probe.ts': ['../wire/frame.js', '../wire/capture-info.js', './source.js'],
  'src/network/probe.ts': ['../wire/frame.js', './table.js'],
  'src/rules/index.ts': ['./capture/damaged-file.js', './arp/unanswered.js'],
  'src/rules/capture/probe.ts': ['../rule.js', '../../network/x.js', '../../wire/frame.js'],
  'src/findings/probe.ts': ['../rules/rule.js'],
  'src/report/probe.ts': ['../findings/finding.js', '../wire/frame.js'],
  'src/tui/probe.ts': ['../findings/finding.js', '../report/x.js'],
  'src/commands/probe.ts': ['../analyze.js', '../capture/source.js', '../report/x.js'],
};

const scratch = mkdtempSync(join(tmpdir(), 'netdiag-imports-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What our linter says about `src` of a folder, one line a complaint. */
function lint(folder: string): string {
  cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
  const options = ['lint', '--reporter=github', '--max-diagnostics=none', 'src'];
  return spawnSync(join(root, 'node_modules/.bin/biome'), options, { cwd: folder, encoding: 'utf8' }).stdout;
}

/** Writes each file with its imports, one a line, lints them with our rules, and says which lines were refused. */
function refused(folder: string, table: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  const base = join(scratch, folder);
  for (const [file, imports] of Object.entries(table)) {
    const path = join(base, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, imports.map((target, i) => `export { x as x${i} } from '${target}';\n`).join(''));
  }
  const found = new Set<string>();
  for (const [, path, line] of lint(base).matchAll(/noRestrictedImports,file=([^,]*),line=(\d+)/g)) {
    found.add(`${path.slice(path.lastIndexOf('src/'))}:${line}`);
  }
  return Object.fromEntries(
    Object.entries(table).map(([file, imports]) => [file, imports.filter((_, i) => found.has(`${file}:${i + 1}`))]),
  );
}

describe('the one-way street', () => {
  test('every arrow against it is refused', () => {
    expect(refused('forbidden', FORBIDDEN)).toEqual(FORBIDDEN);
  });

  test('imports along it are not', () => {
    const none = Object.fromEntries(Object.keys(ALLOWED).map((file) => [file, []]));
    expect(refused('allowed', ALLOWED)).toEqual(none);
  });

  test('imports of values and of types count as re-exports do', () => {
    const base = join(scratch, 'kinds/src/wire');
    mkdirSync(base, { recursive: true });
    writeFileSync(
      join(base, 'probe.ts'),
      `import type { X } from '../network/a.js';\nimport { x } from '../network/b.js';\n\nexport const y: X = x;\n`,
    );
    expect(lint(join(scratch, 'kinds')).match(/noRestrictedImports/g)).toHaveLength(2);
  });

  test('no two files import each other, not even types', () => {
    const base = join(scratch, 'circle/src/wire');
    mkdirSync(base, { recursive: true });
    writeFileSync(join(base, 'a.ts'), `import { b } from './b.js';\n\nexport const a = b;\nexport type A = string;\n`);
    writeFileSync(join(base, 'b.ts'), `import type { A } from './a.js';\n\nexport const b: A = '';\n`);
    expect(lint(join(scratch, 'circle'))).toMatch(/noImportCycles,file=[^,]*a\.ts/);
  });
});
