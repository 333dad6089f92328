import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuleId } from '../../src/rules/rule.js';
import { root } from './fixtures.js';

/** A rule's page taken apart: its title, the paragraph below it, and its sections. */
export function readPage(rule: RuleId): { title: string; lead: string; sections: { heading: string; body: string }[] } {
  const [head, ...rest] = readFileSync(join(root, 'docs/rules', `${rule}.md`), 'utf8').split(/^## /m);
  const [title, ...lead] = head.split('\n');
  const sections = rest.map((section) => {
    const end = section.indexOf('\n');
    return { heading: section.slice(0, end).trim(), body: section.slice(end).trim() };
  });
  return { title, lead: lead.join('\n').trim(), sections };
}
