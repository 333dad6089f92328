import { it } from 'vitest';
import { RULES } from '../../src/rules/index.js';

const NEEDED = ['arp/unanswered', 'arp/self-resolution', 'macvlan/vepa-no-reflection', 'bridge/loop'];

/** For tests of the program as a whole that need findings: they wait until these rules are there. */
export const withRules = it.skipIf(!NEEDED.every((id) => RULES.some(({ meta }) => meta.id === id)));
