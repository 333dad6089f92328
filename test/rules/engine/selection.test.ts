import { describe, expect, it } from 'vitest';
import { matching, selectRules, UnknownRuleError } from '../../../src/rules/engine/selection.js';
import type { RuleId, RuleMeta } from '../../../src/rules/rule.js';

const IDS: RuleId[] = ['arp/unanswered', 'arp/duplicate-address', 'macvlan/vepa-no-reflection', 'bridge/loop'];
const RULES = IDS.map((id) => ({ meta: { id, severity: 'error', summary: '', catalogue: '' } satisfies RuleMeta }));

const idsOf = (rules: Iterable<{ meta: RuleMeta }>) => [...rules].map(({ meta }) => meta.id);

function suggestionFor(pattern: string): string | null {
  try {
    matching(RULES, [pattern]);
  } catch (error) {
    if (error instanceof UnknownRuleError) return error.suggestion;
  }
  throw new Error(`${pattern} is known`);
}

describe('selectRules', () => {
  it('takes all rules where nothing is selected', () => {
    expect(idsOf(selectRules(RULES, {}))).toEqual(IDS);
    expect(idsOf(selectRules(RULES, { select: [], ignore: [] }))).toEqual(IDS);
  });

  it.each([['arp'], ['arp/*']])('understands the group %s', (group) => {
    expect(idsOf(selectRules(RULES, { select: [group] }))).toEqual(['arp/unanswered', 'arp/duplicate-address']);
    expect(idsOf(selectRules(RULES, { ignore: [group] }))).toEqual(['macvlan/vepa-no-reflection', 'bridge/loop']);
  });

  it('ignores what is selected and ignored', () => {
    expect(idsOf(selectRules(RULES, { select: ['arp'], ignore: ['arp/unanswered'] }))).toEqual([
      'arp/duplicate-address',
    ]);
  });

  it('keeps the order of the rules, whatever the order of the patterns', () => {
    expect(idsOf(selectRules(RULES, { select: ['bridge', 'arp/unanswered'] }))).toEqual([
      'arp/unanswered',
      'bridge/loop',
    ]);
  });
});

describe('unknown names', () => {
  it.each([
    ['arp/unanswerd', 'arp/unanswered'],
    ['macvlan/vepa-no-reflecton', 'macvlan/vepa-no-reflection'],
    ['brigde', 'bridge'],
    ['brigde/*', 'bridge'],
    ['vepa-no-reflection', 'macvlan/vepa-no-reflection'],
    ['loop', 'bridge/loop'],
  ])('%s was meant to be %s', (name, meant) => {
    expect(suggestionFor(name)).toBe(meant);
  });

  it.each(['tcp/retransmissions-everywhere', 'x', '', '*'])('%j resembles nothing', (name) => {
    expect(suggestionFor(name)).toBeNull();
  });
});
