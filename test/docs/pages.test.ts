import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { obstacleTo, tryOut } from './run.js';

const read = (name: string) => readFileSync(join(root, name), 'utf8');

describe('the commands of', () => {
  for (const name of ['capturing.md', 'reading-a-finding.md', 'host-context.md', 'faq.md']) {
    const page = read(`docs/${name}`);
    const whyNot = obstacleTo(page);
    if (whyNot !== null) console.log(`${name} is not run: ${whyNot}`);
    it.skipIf(whyNot !== null).concurrent(`${name} do what the page says`, { timeout: 400_000 }, () => tryOut(page));
    it(`${name} is named in the README`, () => expect(read('README.md')).toContain(`(docs/${name})`));
  }
});
