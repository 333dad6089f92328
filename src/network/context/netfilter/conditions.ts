import { type Row, record } from '../rows.js';
import type { Packet, Value } from './packet.js';
import { lookUp, plain, spanOf } from './sets.js';
import { ABSENT, type Field, fieldOf, flagsOf } from './values.js';

export type Truth = 'yes' | 'no' | 'maybe';

/** Elements of a named set or map: what `@name` stands for in the table of a rule. */
export type Elements = (name: string) => readonly unknown[] | null;

/** Elements of concatenations that are gone through at most. */
const MAX_CONCATENATED = 10_000;

/** Whether a `match` of libnftables-json(5) holds for a packet. */
export function holdsFor(match: Row, packet: Packet, elements: Elements): Truth {
  const { op, right } = match;
  const left = record(match.left);
  const ct = record(left?.ct);
  if (ct?.key === 'status') return statusHolds(op, right, packet);
  if (Array.isArray(left?.concat)) {
    if (left.concat.some((part) => fieldOf(part, packet).value === ABSENT)) return 'no';
    const truth = isAmong(left.concat, right, packet, elements);
    if (op === '==' || op === 'in') return truth;
    return op === '!=' ? not(truth) : 'maybe';
  }
  const field = fieldOf(match.left, packet);
  if (field.value === ABSENT) return 'no';
  if (op === 'in') return anyOf(field, right);
  if (op === '==') return equalsAny(field, right, elements);
  if (op === '!=') return not(equalsAny(field, right, elements));
  return compares(op, field, right);
}

/** Whether a field is the one value, or one of the set, on the right side. */
function equalsAny(field: Field, right: unknown, elements: Elements): Truth {
  const list = listOf(right, elements);
  if (list === undefined) return equals(field, right);
  return list === null ? 'maybe' : found(list, field);
}

/** What a map holds for the packet: an item, undefined for none, null where that is not known. */
export function mapped(map: Row, packet: Packet, elements: Elements): { item: unknown } | undefined | null {
  const list = listOf(map.data, elements);
  if (!list) return null;
  const key = record(map.key);
  if (Array.isArray(key?.concat)) return amongConcatenated(key.concat, list, packet);
  const field = fieldOf(map.key, packet);
  if (field.value === ABSENT) return undefined;
  // What is known of flags is not all of them.
  if (field.value === null || field.known !== undefined) return null;
  return lookUp(list, field, field.value);
}

const OPPOSITES: Readonly<Record<Truth, Truth>> = { yes: 'no', no: 'yes', maybe: 'maybe' };

function not(truth: Truth): Truth {
  return OPPOSITES[truth];
}

/** Whether there is an entry; null stands for one that is not known. */
function isThere(entry: object | undefined | null): Truth {
  if (entry === null) return 'maybe';
  return entry === undefined ? 'no' : 'yes';
}

/** Elements of a set, written out or named; undefined where it is none. */
function listOf(right: unknown, elements: Elements): readonly unknown[] | null | undefined {
  if (typeof right === 'string' && right.startsWith('@')) return elements(right.slice(1));
  const set = record(right)?.set;
  if (set === undefined) return undefined;
  return Array.isArray(set) ? set : null;
}

function found(list: readonly unknown[], field: Field): Truth {
  const { value, known } = field;
  if (value === null || value === ABSENT || known !== undefined) return 'maybe';
  return isThere(lookUp(list, field, value));
}

function equals({ value, known = -1, read }: Field, literal: unknown): Truth {
  if (value === null || value === ABSENT) return 'maybe';
  const span = spanOf(literal, read);
  if (!span) return 'maybe';
  const [low, high] = span;
  if (typeof low === 'string' && low.endsWith('*')) return `${value}`.startsWith(low.slice(0, -1)) ? 'yes' : 'no';
  if (known === -1) return low <= value && value <= high ? 'yes' : 'no';
  if (low !== high || typeof value !== 'number' || typeof low !== 'number') return 'maybe';
  if (((value ^ low) & known) !== 0) return 'no';
  return ~known === 0 ? 'yes' : 'maybe';
}

/** `in`: one of some states, or any of some bits. */
function anyOf({ value, known = -1 }: Field, right: unknown): Truth {
  if (value === null || value === ABSENT) return 'maybe';
  if (typeof value === 'string') {
    const words = [record(right)?.['|'] ?? right].flat();
    if (words.some((word) => typeof word !== 'string')) return 'maybe';
    return words.includes(value) ? 'yes' : 'no';
  }
  const bits = flagsOf(right);
  if (bits === null || typeof value !== 'number') return 'maybe';
  if ((value & bits & known) !== 0) return 'yes';
  return (bits & ~known) === 0 ? 'no' : 'maybe';
}

function compares(op: unknown, { value, known, read }: Field, right: unknown): Truth {
  const limit = read(right);
  if (value === null || value === ABSENT || limit === null || known !== undefined) return 'maybe';
  if (typeof value === 'string' || typeof limit === 'string') return 'maybe';
  const answers: Readonly<Record<string, boolean>> = {
    '<': value < limit,
    '<=': value <= limit,
    '>': value > limit,
    '>=': value >= limit,
  };
  const answer = answers[`${op}`];
  if (answer === undefined) return 'maybe';
  return answer ? 'yes' : 'no';
}

/** Only translation is known of what a connection went through. */
function statusHolds(op: unknown, right: unknown, { isTranslated }: Packet): Truth {
  if (right !== 'dnat' || isTranslated === null || (op !== 'in' && op !== '==')) return 'maybe';
  return isTranslated ? 'yes' : 'no';
}

function isAmong(fields: readonly unknown[], right: unknown, packet: Packet, elements: Elements): Truth {
  const list = listOf(right, elements) ?? (record(right)?.concat ? [right] : null);
  if (!list) return 'maybe';
  return isThere(amongConcatenated(fields, list, packet));
}

function amongConcatenated(
  lefts: readonly unknown[],
  list: readonly unknown[],
  packet: Packet,
): { item: unknown } | undefined | null {
  const fields = lefts.map((left) => fieldOf(left, packet));
  if (fields.some(({ value }) => value === ABSENT)) return undefined;
  let isOpen = list.length > MAX_CONCATENATED;
  for (const element of isOpen ? [] : list) {
    const [key, item] = Array.isArray(element) ? element : [element, true];
    const parts = record(plain(key))?.concat;
    if (!Array.isArray(parts) || parts.length !== fields.length) {
      isOpen = true;
      continue;
    }
    const truths = fields.map((field, at) => equals(field, parts[at]));
    if (truths.every((truth) => truth === 'yes')) return { item };
    if (!truths.includes('no')) isOpen = true;
  }
  return isOpen ? null : undefined;
}

/** A value that a statement writes: an address, a port, a mark. */
export function written(literal: unknown): Value | null {
  return typeof literal === 'number' || typeof literal === 'string' ? literal : null;
}
