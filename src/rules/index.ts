import type { Rule } from './rule.js';

/** All rules, in the order in which `netdiag rules` lists them. One line a rule. */
export const RULES: readonly Rule[] = [];
