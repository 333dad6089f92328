import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { obstacleTo, tryOut } from './run.js';

const folder = join(root, 'docs/tutorials');
const pages = readdirSync(folder).filter((name) => name.endsWith('.md'));

describe('the commands of', () => {
  for (const name of pages) {
    const page = readFileSync(join(folder, name), 'utf8');
    const whyNot = obstacleTo(page);
    if (whyNot !== null) console.log(`tutorial ${name} is not run: ${whyNot}`);
    it.skipIf(whyNot !== null).concurrent(`${name} do what the page says`, { timeout: 400_000 }, () => tryOut(page));
  }
});

it('every tutorial is in the list of tutorials', () => {
  const list = readFileSync(join(root, 'docs/tutorials.md'), 'utf8');
  for (const name of pages) expect(list).toContain(`(tutorials/${name})`);
});
