import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.js';
import { vantageOf } from '../../src/commands/arguments.js';
import type { Finding } from '../../src/findings/finding.js';
import { captureOf, contextOf, type ExpectedFinding, expectationOf, fixtureCases } from '../support/fixtures.js';

/** A finding reduced to what an expectation states. */
function stated({ rule, confidence, evidence, subject }: Finding): ExpectedFinding {
  const frames = [...new Set(evidence.map(({ frame }) => frame))].sort((a, b) => a - b);
  return { rule, confidence, frames, subject };
}

/** Findings are compared as a set: their ranking has tests of its own. */
function sorted(findings: ExpectedFinding[]): ExpectedFinding[] {
  const identity = ({ rule, frames, subject }: ExpectedFinding) =>
    JSON.stringify([rule, frames, Object.entries(subject).sort()]);
  return findings.toSorted((a, b) => (identity(a) < identity(b) ? -1 : 1));
}

/** Characters of a title that two lines of a terminal hold; addresses of IPv6 take more. */
const MOST_TITLE = 105;

/** Texts that no rule can mean to print. */
function badlyWorded(finding: Finding): string[] {
  const { title, summary, cause, remedy, caveats, wouldRaise, evidence } = finding;
  const texts = [title, summary, cause, ...remedy.map(({ text }) => text), ...caveats, ...wouldRaise];
  return [
    ...texts.filter((text) =>
      / {2}|^ | $|undefined|NaN|\[object|(?<![.:\w])1 (times|frames|packets|segments|addresses)\b/.test(text),
    ),
    ...(title.length > MOST_TITLE || title.endsWith('.') ? [title] : []),
    ...evidence.flatMap(({ note }) => (/undefined| {2}/.test(note) ? [note] : [])),
    ...remedy.flatMap(({ commands }) => commands.filter((command) => /undefined|\bnull\b/.test(command))),
  ];
}

const cases = fixtureCases();

describe.each(cases.map((each) => [`${each.rule}/${each.name}`, each] as const))('%s', (_, fixture) => {
  test('gives exactly the expected findings', async () => {
    const { vantage, findings } = expectationOf(fixture);
    const options = {
      context: contextOf(fixture),
      vantage: vantage === undefined ? null : vantageOf('vantage', vantage),
    };
    const analysis = await analyze([captureOf(fixture)], options);
    expect(sorted(analysis.findings.map(stated))).toEqual(sorted(findings));
    expect(analysis.findings.flatMap(badlyWorded)).toEqual([]);
  });

  test('shows a fault of its rule, or does not', () => {
    const { kind, findings } = expectationOf(fixture);
    expect(findings.some(({ rule }) => rule === fixture.rule)).toBe(kind === 'fault');
  });
});

test('fixtures are found as the rules are', () => {
  expect(cases.every(({ rule }) => rule.split('/').length === 2)).toBe(true);
});
