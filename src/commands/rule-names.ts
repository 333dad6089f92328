import { matching, UnknownRuleError } from '../rules/engine/selection.js';
import { RULES } from '../rules/index.js';
import type { RuleMeta } from '../rules/rule.js';
import { UserError } from './errors.js';

/** An unknown rule, named by `subject` (an option, a file), as an error to tell. */
function unknownRule(subject: string, { message, suggestion }: UnknownRuleError): UserError {
  const advice = suggestion === null ? 'see netdiag rules' : `did you mean ${suggestion}?`;
  return new UserError(subject, message, advice);
}

/**
 * The rules that a pattern names.
 * @throws UserError if there are none
 */
export function rulesNamed(pattern: string, subject: string): RuleMeta[] {
  try {
    return [...matching(RULES, [pattern])].map(({ meta }) => meta);
  } catch (error) {
    throw error instanceof UnknownRuleError ? unknownRule(subject, error) : error;
  }
}

/**
 * The one rule of this name.
 * @throws UserError if there is none, or if it is the name of a group
 */
export function ruleNamed(name: string, subject: string): RuleMeta {
  const named = rulesNamed(name, subject);
  const rule = named.find(({ id }) => id === name);
  if (rule !== undefined) return rule;
  throw new UserError(subject, `"${name}" is a group of rules`, `name one: ${named.map(({ id }) => id).join(', ')}`);
}
