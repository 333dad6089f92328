import { describe, expect, it } from 'vitest';
import { RULES } from '../../src/rules/index.js';
import { netdiag } from '../support/netdiag.js';

describe('rules', () => {
  it('lists every rule as text and as json', async () => {
    const [text, json] = await Promise.all([netdiag(['rules']), netdiag(['rules', '--format', 'json'])]);
    expect([text.status, json.status]).toEqual([0, 0]);
    expect(JSON.parse(json.stdout)).toEqual(RULES.map(({ meta }) => meta));
    for (const { meta } of RULES) expect(text.stdout).toContain(`${meta.id} `);
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
