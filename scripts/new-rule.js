// Usage: npm run new-rule -- <group>/<name>
// Lays out everything a rule consists of (docs/adding-a-rule.md) and enters it in the list. What it lays out is
// empty, so `npm test` names what is still to be written.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));
/** Headings of every rule's page, in this order. */
export const HEADINGS = ['What it means', 'On the wire', 'How sure', 'Not when', 'Cure', 'Limits', 'Sources'];

/**
 * @typedef {{ id: string, catalogue: string, severity: string }} Agreed
 */

/**
 * What docs/rules/severities.tsv says, in its order.
 * @param {string} root
 * @returns {Agreed[]}
 */
function agreedRules(root) {
  const [, ...lines] = readFileSync(join(root, 'docs/rules/severities.tsv'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [id, catalogue, severity] = line.split('\t');
    return { id, catalogue, severity };
  });
}

/** @param {string} name such as 'self-resolution', which gives 'selfResolution' */
function camelCase(name) {
  return name.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

/** @param {string} id such as 'arp/self-resolution', which gives 'selfResolution' */
function exportOf(id) {
  return camelCase(id.slice(id.indexOf('/') + 1));
}

/** @param {Agreed} rule */
function source({ id, catalogue, severity }) {
  return `import type { Rule } from '../rule.js';

export const ${exportOf(id)}: Rule = {
  meta: {
    id: '${id}',
    severity: '${severity}',
    summary: '',
    catalogue: '${catalogue}',
  },
  create() {
    return {};
  },
};
`;
}

/** @param {string} id */
function test(id) {
  return `import { test } from 'vitest';

test.todo('${id} speaks when');
test.todo('${id} keeps silent when');
`;
}

/** @param {string} id */
function page(id) {
  return [`# ${id}`, ...HEADINGS.map((heading) => `## ${heading}`)].map((line) => `${line}\n`).join('\n');
}

/**
 * The list with one more import and one more entry, in the order of the table. Where two groups have a rule of the
 * same name, the later one is imported under a longer one.
 * @param {string} list text of src/rules/index.ts
 * @param {string} id
 * @param {string[]} order
 */
function enter(list, id, order) {
  const match = /(readonly Rule\[\] = \[)([^\]]*)(\];)/.exec(list);
  if (match === null) throw new Error('src/rules/index.ts: found no list of rules');
  const imports = [...list.matchAll(/import \{ (?:\w+ as )?(\w+) \} from '\.\/(\w+\/[\w-]+)\.js'/g)];
  const idOf = new Map(imports.map(([, variable, rule]) => [variable, rule]));
  const exported = exportOf(id);
  const variable = idOf.has(exported) ? camelCase(id.replace('/', '-')) : exported;
  const entries = match[2].split(',').flatMap((entry) => entry.trim() || []);
  const at = entries.findIndex((entry) => order.indexOf(idOf.get(entry) ?? '') > order.indexOf(id));
  entries.splice(at === -1 ? entries.length : at, 0, variable);
  const named = list.replace(match[0], `${match[1]}\n${entries.join(',\n')}\n${match[3]}`);
  return `import { ${variable === exported ? exported : `${exported} as ${variable}`} } from './${id}.js';\n${named}`;
}

/**
 * Writes the files of a new rule below `root`.
 * @param {string} id
 * @param {string} root
 * @throws if the name is none, or if any of it exists already
 */
export function layOut(id, root = repository) {
  if (!/^[a-z][a-z0-9]*\/[a-z][a-z0-9-]*$/.test(id)) {
    throw new Error(`${id || 'no name given'}: a rule is called <group>/<name>, such as arp/unanswered`);
  }
  const rules = agreedRules(root);
  const rule = rules.find((each) => each.id === id);
  if (rule === undefined) throw new Error(`${id}: give it a line in docs/rules/severities.tsv first`);

  /** @type {Record<string, string>} */
  const files = {
    [`src/rules/${id}.ts`]: source(rule),
    [`test/rules/${id}.test.ts`]: test(id),
    [`docs/rules/${id}.md`]: page(id),
  };
  const fixtures = `fixtures/rules/${id}`;
  for (const path of [...Object.keys(files), fixtures]) {
    if (existsSync(join(root, path))) throw new Error(`${path}: exists already`);
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  mkdirSync(join(root, fixtures), { recursive: true });

  const index = join(root, 'src/rules/index.ts');
  const order = rules.map((each) => each.id);
  writeFileSync(index, enter(readFileSync(index, 'utf8'), id, order));
  execFileSync(join(repository, 'node_modules/.bin/biome'), ['check', '--write', '--log-level=error', index], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return [...Object.keys(files), `${fixtures}/`, 'src/rules/index.ts'];
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    for (const path of layOut(process.argv[2] ?? '')) console.log(path);
    console.log('now write them: docs/adding-a-rule.md says how, npm test says what is missing');
  } catch (error) {
    console.error(`new-rule: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 2;
  }
}
