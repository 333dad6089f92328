import { describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.js';
import { RULES } from '../../src/rules/index.js';
import type { RuleId } from '../../src/rules/rule.js';
import { captureOf, contextOf, expectationOf, type FixtureCase, fixtureCases } from '../support/fixtures.js';

const all = RULES.flatMap(({ meta }) =>
  Object.entries(meta.thresholds ?? {}).map(([name, { value }]) => ({ id: meta.id, name, value })),
);

/** What the rule says of a fixture. */
async function told(fixture: FixtureCase, id: RuleId, thresholds: Record<string, number>) {
  const { vantage } = expectationOf(fixture);
  const [namespace, device] = (vantage ?? '').split('/');
  const { findings } = await analyze([captureOf(fixture)], {
    select: [id],
    context: contextOf(fixture),
    vantage: vantage ? { namespace, interface: device } : null,
    thresholds: { [id]: thresholds },
  });
  return findings.map((each) => JSON.stringify(each)).sort();
}

describe('thresholds', () => {
  it.each(all)('$name of $id decides, and is its own unless another is given', async ({ id, name, value }) => {
    const changed = [];
    for (const fixture of fixtureCases(id)) {
      const usual = await told(fixture, id, {});
      expect(await told(fixture, id, { [name]: value })).toEqual(usual);
      for (const other of [value / 1e6, value * 1e6]) {
        if (JSON.stringify(await told(fixture, id, { [name]: other })) !== JSON.stringify(usual)) changed.push(fixture);
      }
    }
    expect(changed).not.toEqual([]);
  });
});
