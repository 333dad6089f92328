import { isWithin, parseIp } from './address.js';
import { count, type Row, rows, text } from './rows.js';

/** A row of `ip rule`: which routing table decides, and for which packets. */
export interface PolicyRule {
  readonly family: 4 | 6;
  readonly priority: number;
  readonly from: Prefix | null;
  readonly to: Prefix | null;
  /** Name or number; null where the rule does something else than look into one, as to refuse. */
  readonly table: string | null;
  /** Whether it asks for more than addresses, such as a mark or a device, or uses only some of the routes it finds. */
  readonly isOpen: boolean;
}

interface Prefix {
  readonly words: readonly number[];
  readonly length: number;
}

/** What iproute2 writes of rules that are decided by addresses alone. */
const PLAIN: readonly string[] = ['priority', 'src', 'srclen', 'dst', 'dstlen', 'table', 'action', 'protocol'];

export function* readRules(family: 4 | 6, value: unknown): Generator<PolicyRule> {
  for (const row of rows(value)) {
    const priority = count(row.priority);
    if (priority === null) continue;
    const [from, to] = [prefixOf(row, 'src'), prefixOf(row, 'dst')];
    yield {
      family,
      priority,
      from: from === 'unknown' ? null : from,
      to: to === 'unknown' ? null : to,
      table: text(row.table),
      isOpen: from === 'unknown' || to === 'unknown' || Object.keys(row).some((key) => !PLAIN.includes(key)),
    };
  }
}

/** Whether a rule takes packets to an address, from another if that is given. */
export function takes(
  { from, to, isOpen }: PolicyRule,
  words: ArrayLike<number>,
  source: ArrayLike<number> | null,
): 'yes' | 'no' | 'maybe' {
  // `not` turns the whole of it round, and is among what leaves it open.
  if (isOpen) return 'maybe';
  if (to && !isWithin(words, to.words, to.length)) return 'no';
  if (!from) return 'yes';
  if (!source) return 'maybe';
  return isWithin(source, from.words, from.length) ? 'yes' : 'no';
}

/** Null for all addresses. */
function prefixOf(row: Row, key: 'src' | 'dst'): Prefix | null | 'unknown' {
  const value = row[key];
  if (value === undefined || value === 'all') return null;
  const address = typeof value === 'string' ? parseIp(value) : null;
  if (!address) return 'unknown';
  return { words: address.words, length: count(row[`${key}len`]) ?? address.words.length * 32 };
}
