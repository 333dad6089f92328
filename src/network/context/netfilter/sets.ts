import { record } from '../rows.js';
import type { Value } from './packet.js';
import type { Field } from './values.js';

/** Elements of one set at most; of a larger one nothing is said. */
const MAX_ELEMENTS = 200_000;

interface Interval {
  readonly low: Value;
  readonly high: Value;
  readonly item: unknown;
}

/** Elements of a set or map, by value. */
interface Index {
  readonly exact: ReadonlyMap<Value, unknown>;
  /** Ascending, none in another. */
  readonly intervals: readonly Interval[];
  /** Names that begin so. */
  readonly beginnings: readonly Interval[];
  /** Whether it has elements that are not understood. */
  readonly isOpen: boolean;
}

const indices = new WeakMap<readonly unknown[], Index>();

/** The element that a value falls in: what the set holds for it, undefined for none, null if that is not known. */
export function lookUp(
  elements: readonly unknown[],
  { read }: Field,
  value: Value,
): { item: unknown } | undefined | null {
  const index = indices.get(elements) ?? indexOf(elements, read);
  indices.set(elements, index);
  const item = index.exact.get(value);
  if (item !== undefined) return { item };
  const interval =
    typeof value === 'string'
      ? index.beginnings.find(({ low }) => value.startsWith(low as string))
      : around(index.intervals, value);
  if (interval) return { item: interval.item };
  return index.isOpen ? null : undefined;
}

/** What a literal of a rule stands for: from, to; null where it is not understood. */
export function spanOf(literal: unknown, read: Field['read']): readonly [Value, Value] | null {
  const row = record(literal);
  const prefix = record(row?.prefix);
  if (prefix) {
    const low = read(prefix.addr);
    if (typeof prefix.len !== 'number') return null;
    if (typeof low === 'number') {
      const free = 32 - prefix.len;
      return free < 0 || free > 32 ? null : [low, low + 2 ** free - 1];
    }
    if (typeof low !== 'bigint' || prefix.len > 128 || prefix.len < 0) return null;
    return [low, low + (1n << BigInt(128 - prefix.len)) - 1n];
  }
  const range = row?.range;
  if (Array.isArray(range) && range.length === 2) {
    const [low, high] = range.map(read);
    return low === null || high === null || typeof low !== typeof high ? null : [low, high];
  }
  const value = read(literal);
  return value === null ? null : [value, value];
}

/** The value of an element: it may stand in an object with its timeout, or its comment. */
export function plain(element: unknown): unknown {
  return record(record(element)?.elem)?.val ?? element;
}

function indexOf(elements: readonly unknown[], read: Field['read']): Index {
  const exact = new Map<Value, unknown>();
  const intervals: Interval[] = [];
  const beginnings: Interval[] = [];
  let isOpen = elements.length > MAX_ELEMENTS;
  for (const element of isOpen ? [] : elements) {
    const [key, item] = Array.isArray(element) ? element : [element, true];
    const span = spanOf(plain(key), read);
    if (!span) isOpen = true;
    else if (typeof span[0] === 'string' && span[0].endsWith('*'))
      beginnings.push({ low: span[0].slice(0, -1), high: '', item });
    else if (span[0] === span[1]) exact.set(span[0], item);
    else intervals.push({ low: span[0], high: span[1], item });
  }
  intervals.sort((a, b) => Number(a.low > b.low) - Number(a.low < b.low));
  // The kernel has none that overlap; of what has, nothing is said.
  if (intervals.some(({ low }, at) => at > 0 && low <= intervals[at - 1].high)) {
    isOpen = true;
    intervals.length = 0;
  }
  return { exact, intervals, beginnings, isOpen };
}

function around(intervals: readonly Interval[], value: Value): Interval | null {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (intervals[middle].high < value) low = middle + 1;
    else high = middle;
  }
  const found = intervals[low];
  return found && found.low <= value ? found : null;
}
