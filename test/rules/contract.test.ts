import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HEADINGS } from '../../scripts/new-rule.js';
import { RULES } from '../../src/rules/index.js';
import { expectationOf, fixtureCases, root } from '../support/fixtures.js';
import { readPage } from '../support/page.js';

/** What is agreed for each rule, whether it exists yet or not. */
const agreed = new Map(
  readFileSync(join(root, 'docs/rules/severities.tsv'), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [id, catalogue, severity] = line.split('\t');
      return [id, { id, catalogue, severity }];
    }),
);
const ids = RULES.map(({ meta }) => meta.id);

describe.each(RULES.map((rule) => [rule.meta.id, rule.meta] as const))('%s', (id, meta) => {
  test('has the agreed severity and catalogue entry', () => {
    expect({ id, catalogue: meta.catalogue, severity: meta.severity }).toEqual(agreed.get(id));
  });

  test('is summarized in one line', () => {
    expect(meta.summary).toMatch(/^\S.{10,100}[^\s.]$/);
  });

  test('is where its name says, with a test of its own', () => {
    expect(existsSync(join(root, 'src/rules', `${id}.ts`)), `src/rules/${id}.ts`).toBe(true);
    expect(existsSync(join(root, 'test/rules', `${id}.test.ts`)), `test/rules/${id}.test.ts`).toBe(true);
  });

  test('has a page with every heading and something below each', () => {
    const { title, lead, sections } = readPage(id);
    expect(title).toBe(`# ${id}`);
    expect(lead, 'a lead of one paragraph').toMatch(/^\S[^\n]*(\n\S[^\n]*)*$/);
    expect(sections.map(({ heading }) => heading)).toEqual(HEADINGS);
    expect(sections.filter(({ body }) => body === '').map(({ heading }) => heading)).toEqual([]);
  });

  test('has a fixture that shows the fault, and a near-miss', () => {
    const kinds = fixtureCases(id).map((fixture) => expectationOf(fixture).kind);
    expect(kinds).toContain('fault');
    expect(kinds).toContain('near-miss');
  });
});

describe('no rule is half there', () => {
  test('the list names each once', () => {
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('each file of a group is a rule; what rules are made of stands in parts/', () => {
    const groups = readdirSync(join(root, 'src/rules'), { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && entry.name !== 'engine' && entry.name !== 'parts',
    );
    const files = groups.flatMap(({ name }) =>
      readdirSync(join(root, 'src/rules', name), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${name}/${entry.name.replace(/\.ts$/, '')}`),
    );
    expect(files.toSorted()).toEqual(ids.toSorted());
  });

  // What is in no table is no rule: the engine, and the parts that rules are made of.
  test.each([
    ['src/rules', '.ts'],
    ['docs/rules', '.md'],
  ])('each rule that has a file in %s is in the list', (folder, ending) => {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    const named = files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));
    expect(named.filter((name) => agreed.has(name)).toSorted()).toEqual(ids.toSorted());
  });

  test('fixtures belong to rules in the list', () => {
    expect([...new Set(fixtureCases().map(({ rule }) => rule))].filter((rule) => !ids.includes(rule))).toEqual([]);
  });
});
