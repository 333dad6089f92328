import { describe, expect, it } from 'vitest';
import { type AnalyzeOptions, analyze } from '../../src/analyze.js';
import type { Finding } from '../../src/findings/finding.js';
import { SETTINGS } from '../../src/network/settings.js';
import { RULES } from '../../src/rules/index.js';
import type { RuleId } from '../../src/rules/rule.js';
import { DECIDED } from '../support/decided.js';
import { captureOf, contextOf, expectationOf, type FixtureCase, fixtureCases } from '../support/fixtures.js';

const all = RULES.flatMap(({ meta }) =>
  Object.entries(meta.thresholds ?? {}).map(([name, { value }]) => ({ id: meta.id, name, value })),
);

type Run = (options: AnalyzeOptions) => Promise<readonly Finding[]>;

/** The fixtures of a rule, and the captures made for its thresholds. */
function runsOf(id: RuleId): Run[] {
  const made = (DECIDED[id]?.() ?? []).map(
    ({ capture, options }): Run =>
      (more) =>
        capture.findings({ ...options, ...more }),
  );
  return [...fixtureCases(id).map(runOf), ...made];
}

function runOf(fixture: FixtureCase): Run {
  const { vantage } = expectationOf(fixture);
  const [namespace, device] = (vantage ?? '').split('/');
  const options = { context: contextOf(fixture), vantage: vantage ? { namespace, interface: device } : null };
  return async (more) => (await analyze([captureOf(fixture)], { ...options, ...more })).findings;
}

/** What the rule says. */
async function told(run: Run, id: RuleId, thresholds: Record<string, number>) {
  const findings = await run({ select: [id], thresholds: { [id]: thresholds } });
  return findings.map((each) => JSON.stringify(each)).sort();
}

describe('thresholds', () => {
  it('own every setting of the network, each once', () => {
    const owned = RULES.flatMap(({ meta }) =>
      Object.values(meta.thresholds ?? {}).flatMap(({ setting }) => setting ?? []),
    );
    expect(owned.sort()).toEqual(Object.keys(SETTINGS).sort());
  });

  it.each(all)('$name of $id decides, and is its own unless another is given', async ({ id, name, value }) => {
    let changed = 0;
    for (const run of runsOf(id)) {
      const usual = JSON.stringify(await told(run, id, {}));
      expect(JSON.stringify(await told(run, id, { [name]: value }))).toBe(usual);
      for (const other of [value / 1e6, value * 1e6])
        if (JSON.stringify(await told(run, id, { [name]: other })) !== usual) changed++;
    }
    expect(changed).not.toBe(0);
  });
});
