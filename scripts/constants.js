// For bundle.js: writes the numbers themselves where compiled modules name them, as in `Protocol.Arp`. V8 cannot see that a
// property of an object from another module never changes, and looks it up for every packet: some 11 instructions each time.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** @typedef {Map<string, number>} Numbers names and values of one object */

/**
 * @param {string} dist folder of the compiled program
 * @returns {Promise<import('rolldown').Plugin>}
 */
export async function numbersInPlace(dist) {
  const { parseSync, Visitor } = await import('rolldown/utils');
  /** @type {Map<string, Map<string, Numbers>>} by module, then by exported name */
  const exported = new Map();
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js') || name.startsWith('program')) continue;
    const path = join(dist, name);
    exported.set(path, numbersOf(parseSync(path, readFileSync(path, 'utf8')).program));
  }

  return {
    name: 'numbers-in-place',
    transform(code, id) {
      const { program } = parseSync(id, code);
      const known = new Map(exported.get(id));
      /** @type {Set<string>} */
      const imported = new Set();
      for (const statement of program.body) {
        if (statement.type !== 'ImportDeclaration' || !statement.source.value.startsWith('.')) continue;
        const there = exported.get(resolve(dirname(id), statement.source.value));
        for (const specifier of statement.specifiers) {
          if (specifier.type !== 'ImportSpecifier' || specifier.imported.type !== 'Identifier') continue;
          const numbers = there?.get(specifier.imported.name);
          if (numbers === undefined) continue;
          known.set(specifier.local.name, numbers);
          imported.add(specifier.local.name);
        }
      }
      /** @type {{ start: number, end: number, text: string }[]} */
      const changes = [];
      /** @param {{ type: string, name?: string }} name */
      const declare = ({ type, name = '' }) => {
        if (type === 'Identifier' && imported.has(name))
          throw new Error(`${id}: ${name} means something else in a function`);
      };
      new Visitor({
        VariableDeclarator: ({ id }) => declare(id),
        FunctionDeclaration: ({ params }) => params.forEach(declare),
        FunctionExpression: ({ params }) => params.forEach(declare),
        ArrowFunctionExpression: ({ params }) => params.forEach(declare),
        MemberExpression({ object, property, computed, start, end }) {
          if (computed || object.type !== 'Identifier' || property.type !== 'Identifier') return;
          const value = known.get(object.name)?.get(property.name);
          if (value !== undefined) changes.push({ start, end, text: value < 0 ? `(${value})` : String(value) });
        },
      }).visit(program);
      if (changes.length === 0) return null;
      let text = '';
      let from = 0;
      for (const change of changes.sort((a, b) => a.start - b.start)) {
        text += code.slice(from, change.start) + change.text;
        from = change.end;
      }
      return { code: text + code.slice(from), map: null };
    },
  };
}

/**
 * Objects that a module exports whose properties are numbers, all of them, and written as such.
 * @param {import('rolldown/utils').ESTree.Program} program
 */
function numbersOf(program) {
  /** @type {Map<string, Numbers>} */
  const found = new Map();
  for (const statement of program.body) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration?.type !== 'VariableDeclaration') continue;
    if (statement.declaration.kind !== 'const') continue;
    for (const { id, init } of statement.declaration.declarations) {
      if (id.type !== 'Identifier' || init?.type !== 'ObjectExpression') continue;
      /** @type {Numbers} */
      const numbers = new Map();
      for (const property of init.properties) {
        if (property.type !== 'Property' || property.key.type !== 'Identifier') continue;
        if (property.value.type === 'Literal' && typeof property.value.value === 'number')
          numbers.set(property.key.name, property.value.value);
      }
      if (numbers.size > 0 && numbers.size === init.properties.length) found.set(id.name, numbers);
    }
  }
  return found;
}
