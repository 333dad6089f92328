import type { RuleId, RuleMeta } from '../rule.js';
import { nearest } from './nearest.js';

/** Which rules run: patterns are a rule (`arp/unanswered`) or a group (`arp` or `arp/*`). */
export interface Selection {
  /** Only these; all if empty or absent. */
  readonly select?: readonly string[] | undefined;
  /** Not these, even if selected. */
  readonly ignore?: readonly string[] | undefined;
}

type WithMeta = { readonly meta: RuleMeta };

/** A pattern that names neither a rule nor a group. */
export class UnknownRuleError extends Error {
  constructor(
    readonly pattern: string,
    /** The name that was probably meant, or several, null if nothing comes near. */
    readonly suggestion: string | null,
  ) {
    super(`no rule "${pattern}"`);
  }
}

/** The group of a rule: what stands in front of the slash. */
function groupOf(id: RuleId): string {
  return id.slice(0, id.indexOf('/'));
}

/** The name of a rule within its group: what stands behind the slash. */
function nameOf(id: RuleId): string {
  return id.slice(id.indexOf('/') + 1);
}

/**
 * The rules that a selection leaves, in their order.
 * @throws UnknownRuleError
 */
export function selectRules<R extends WithMeta>(rules: readonly R[], { select = [], ignore = [] }: Selection): R[] {
  const selected = matching(rules, select);
  const ignored = matching(rules, ignore);
  return rules.filter((rule) => (select.length === 0 || selected.has(rule)) && !ignored.has(rule));
}

/**
 * The rules that any of the patterns names.
 * @throws UnknownRuleError for the first pattern that names none
 */
export function matching<R extends WithMeta>(rules: readonly R[], patterns: readonly string[]): Set<R> {
  const found = new Set<R>();
  for (const pattern of patterns) {
    const name = pattern.endsWith('/*') ? pattern.slice(0, -2) : pattern;
    const named = rules.filter(({ meta }) => meta.id === pattern || groupOf(meta.id) === name);
    if (named.length === 0) throw new UnknownRuleError(pattern, suggestion(rules, name));
    for (const rule of named) found.add(rule);
  }
  return found;
}

/** What was probably meant by `name`: a rule or group; of a rule's name without its group, all that have it. */
function suggestion(rules: readonly WithMeta[], name: string): string | null {
  const ids = rules.map(({ meta }) => meta.id);
  const named = (half: string | null) => ids.filter((id) => nameOf(id) === half).join(' or ');
  if (named(name) !== '') return named(name);
  const whole = nearest(name, [...ids, ...ids.map(groupOf)]);
  if (whole !== null || name.includes('/')) return whole;
  return named(nearest(name, ids.map(nameOf))) || null;
}
