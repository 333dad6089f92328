import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HEADINGS, layOut } from '../../scripts/new-rule.js';
import { root } from '../support/fixtures.js';

const EMPTY = `import type { Rule } from './rule.js';

export const RULES: readonly Rule[] = [];
`;

let scratch: string;
const read = (path: string) => readFileSync(join(scratch, path), 'utf8');

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'netdiag-new-rule-'));
  for (const folder of ['src/rules', 'docs/rules']) mkdirSync(join(scratch, folder), { recursive: true });
  cpSync(join(root, 'biome.json'), join(scratch, 'biome.json'));
  cpSync(join(root, 'docs/rules/severities.tsv'), join(scratch, 'docs/rules/severities.tsv'));
  writeFileSync(join(scratch, 'src/rules/index.ts'), EMPTY);
});
afterEach(() => rmSync(scratch, { recursive: true }));

describe('npm run new-rule', () => {
  test('lays out source, test, page and fixture folder', () => {
    layOut('arp/unanswered', scratch);
    expect(read('src/rules/arp/unanswered.ts')).toContain(`severity: 'warning'`);
    expect(read('test/rules/arp/unanswered.test.ts')).toContain('test.todo');
    expect(existsSync(join(scratch, 'fixtures/rules/arp/unanswered'))).toBe(true);
    expect(read('docs/rules/arp/unanswered.md').match(/^#+ .*/gm)).toEqual([
      '# arp/unanswered',
      ...HEADINGS.map((heading) => `## ${heading}`),
    ]);
  });

  test('keeps the list in the order of the table, whatever the order of work', () => {
    for (const id of ['arp/self-resolution', 'ipvlan/host-isolation', 'bridge/loop', 'macvlan/host-isolation']) {
      layOut(id, scratch);
    }
    expect(read('src/rules/index.ts')).toBe(`import { selfResolution } from './arp/self-resolution.js';
import { loop } from './bridge/loop.js';
import { hostIsolation } from './ipvlan/host-isolation.js';
import { hostIsolation as macvlanHostIsolation } from './macvlan/host-isolation.js';
import type { Rule } from './rule.js';

export const RULES: readonly Rule[] = [selfResolution, macvlanHostIsolation, hostIsolation, loop];
`);
  });

  test('overwrites nothing', () => {
    layOut('arp/unanswered', scratch);
    expect(() => layOut('arp/unanswered', scratch)).toThrow('src/rules/arp/unanswered.ts: exists already');
  });

  test.each(['unanswered', '../../etc', 'Arp/Unanswered', ''])('refuses %j as a name', (id) => {
    expect(() => layOut(id, scratch)).toThrow('a rule is called <group>/<name>');
  });

  test('refuses a rule whose severity nobody agreed', () => {
    expect(() => layOut('arp/unheard-of', scratch)).toThrow('severities.tsv');
  });
});
