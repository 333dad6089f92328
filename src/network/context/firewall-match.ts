import { parseIp } from './address.js';
import { count, type Row, record, text } from './rows.js';

/** A block of addresses: `length` leading bits of `words`, as in `Ip`. */
export interface Prefix {
  readonly family: 4 | 6;
  readonly words: readonly number[];
  readonly length: number;
  /** As the kernel's tools write it. */
  readonly text: string;
}

/** What a rule asks of an address. */
export interface AddressMatch {
  /** One of these, or none of them where it is negated. */
  readonly prefixes: readonly Prefix[];
  readonly negated: boolean;
  /** Whether `prefixes` are all of it; named sets and ranges are not read. */
  readonly whole: boolean;
}

/** Whether an address lies in a block. */
export function contains({ words: own, length }: Pick<Prefix, 'words' | 'length'>, words: ArrayLike<number>): boolean {
  if (own.length !== words.length) return false;
  for (let word = 0, left = length; left > 0; word++, left -= 32) {
    const mask = left >= 32 ? -1 : -1 << (32 - left);
    if (((own[word] ^ words[word]) & mask) !== 0) return false;
  }
  return true;
}

/** The condition on an address in a `match` of libnftables-json(5). */
export function readMatch(match: Row): AddressMatch {
  const set = record(match.right)?.set;
  const values: unknown[] = Array.isArray(set) ? set : [match.right];
  const prefixes = values.map(readPrefix).filter((prefix) => prefix !== null);
  return { prefixes, negated: match.op === '!=', whole: prefixes.length === values.length };
}

/** Whether a condition names what is, not what is not. */
export function isEqual(match: Row): boolean {
  return match.op === '==' || match.op === 'in';
}

/** The names of devices in a condition; null where they are not all written out. */
export function names(right: unknown): string[] | null {
  const set = record(right)?.set;
  const values: unknown[] = Array.isArray(set) ? set : [right];
  // A name that ends in * stands for all that begin so, one with @ for a set.
  return values.every((value) => typeof value === 'string' && !/[*@]/.test(value)) ? (values as string[]) : null;
}

export function readPrefix(value: unknown): Prefix | null {
  const prefix = record(record(value)?.prefix);
  const ip = parseIp(text(prefix ? prefix.addr : value) ?? '');
  if (!ip) return null;
  const bits = ip.words.length * 32;
  const length = prefix ? count(prefix.len) : bits;
  return length === null || length > bits
    ? null
    : { family: ip.family, words: ip.words, length, text: length === bits ? ip.text : `${ip.text}/${length}` };
}
