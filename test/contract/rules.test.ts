import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RULES } from '../../src/rules/index.js';
import { root } from '../support/fixtures.js';
import { netdiag } from '../support/netdiag.js';

/** The ids that are agreed with others, who know rules by them alone; outside the repository. */
const agreed = join(root, '../shared/rules.tsv');

describe('rules', () => {
  it('lists every rule as text and as json', async () => {
    const [text, json] = await Promise.all([netdiag(['rules']), netdiag(['rules', '--format', 'json'])]);
    expect([text.status, json.status]).toEqual([0, 0]);
    expect(JSON.parse(json.stdout)).toEqual(RULES.map(({ meta }) => meta));
    for (const { meta } of RULES) expect(text.stdout).toContain(`${meta.id} `);
  });

  it.skipIf(!existsSync(agreed))('are those that are agreed, no more and no less', async () => {
    const [, ...lines] = readFileSync(agreed, 'utf8').trimEnd().split('\n');
    const { stdout } = await netdiag(['rules', '--format', 'json']);
    const ids: string[] = JSON.parse(stdout).map(({ id }: { id: string }) => id);
    expect(ids.sort()).toEqual(lines.map((line) => line.split('\t')[0]).sort());
  });
});

describe('explain', () => {
  it('prints the page of a rule, without the marks of Markdown', async () => {
    const { status, stdout, stderr } = await netdiag(['explain', 'arp/unanswered']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('arp/unanswered');
    expect(stdout).not.toMatch(/^#|^```|\*\*|\]\(/m);
    for (const line of stdout.split('\n')) if (!line.startsWith('    ')) expect(line.length).toBeLessThanOrEqual(100);
  });
});
