import { type Row, record, text } from '../rows.js';
import type { Rule } from './ruleset.js';

/** Elements of a set that are written out. */
const MAX_SHOWN = 8;
/** Keys of `meta` that nft writes without that word (nftables, src/meta.c). */
const UNQUALIFIED: readonly unknown[] = ['iif', 'oif', 'iifname', 'oifname', 'iifgroup', 'oifgroup'];
const NAMES: readonly unknown[] = ['iif', 'oif', 'iifname', 'oifname', 'ibrname', 'obrname'];
const VERDICTS: readonly string[] = ['accept', 'drop', 'return', 'continue'];

/** A rule as `nft list ruleset` prints it, with … for what is not known here or what nft cannot show. Raw text. */
export function ruleText(rule: Rule): string {
  if (rule.line !== null) return rule.line;
  return rule.statements.map((statement) => statementText(statement) ?? '…').join(' ');
}

function statementText(statement: Row): string | null {
  const [key] = Object.keys(statement);
  const value = record(statement[key]);
  if (VERDICTS.includes(key)) return key;
  switch (key) {
    case 'match':
      return value && matchText(value);
    case 'counter':
      if (value) return `counter packets ${Number(value.packets)} bytes ${Number(value.bytes)}`;
      return typeof statement.counter === 'string' ? `counter name "${statement.counter}"` : 'counter';
    case 'jump':
    case 'goto':
      return value && `${key} ${value.target}`;
    case 'log':
      return ['log', ...['prefix', 'level'].flatMap((each) => logWord(each, value))].join(' ');
    case 'notrack':
      return key;
    case 'limit': {
      if (!value || typeof value.rate !== 'number') return null;
      return `limit rate ${value.inv === true ? 'over ' : ''}${value.rate}/${value.per}`;
    }
    case 'vmap': {
      const left = value && fieldText(value.key);
      const map = record(value?.data)?.set;
      if (!left || (typeof value.data !== 'string' && !Array.isArray(map))) return null;
      if (typeof value.data === 'string') return `${left} vmap ${value.data}`;
      const pairs = (map as unknown[]).map((pair) => pairText(pair, value.key));
      return pairs.includes(null) ? null : `${left} vmap { ${shown(pairs as string[])} }`;
    }
    case 'mangle': {
      const left = value && fieldText(value.key);
      const right = value && valueText(value.value, value.key);
      return left && right ? `${left} set ${right}` : null;
    }
    case 'reject':
      return 'reject';
    default:
      return null;
  }
}

function logWord(key: string, log: Row | null): string[] {
  const value = text(log?.[key]);
  return value === null ? [] : [key, key === 'prefix' ? `"${value}"` : value];
}

function matchText({ op, left, right }: Row): string | null {
  const field = fieldText(left);
  const value = valueText(right, left);
  if (field === null || value === null) return null;
  const operands = record(left)?.['&'];
  const isMasked = Array.isArray(operands);
  if (isMasked && isFlags(operands[0])) {
    const mask = valueText(operands[1], operands[0]);
    const flags = fieldText(operands[0]);
    return mask === null ? null : `${flags} ${op === '!=' ? '!= ' : ''}${value} / ${mask}`;
  }
  if (op === 'in' || (op === '==' && !isMasked && !(isFlags(left) && !record(right)))) return `${field} ${value}`;
  return `${field} ${op} ${value}`;
}

function isFlags(left: unknown): boolean {
  return record(record(left)?.payload)?.field === 'flags';
}

function fieldText(left: unknown): string | null {
  const row = record(left);
  if (!row) return null;
  const payload = record(row.payload);
  if (payload) return text(payload.protocol) && text(payload.field) ? `${payload.protocol} ${payload.field}` : null;
  const meta = record(row.meta);
  if (meta) return UNQUALIFIED.includes(meta.key) ? `${meta.key}` : `meta ${meta.key}`;
  const ct = record(row.ct);
  if (ct) return ct.dir === undefined ? `ct ${ct.key}` : `ct ${ct.dir} ${ct.key}`;
  const fib = record(row.fib);
  if (fib) return `fib ${[fib.flags].flat().join(' . ')} ${fib.result}`;
  if (Array.isArray(row.concat)) return joined(row.concat.map(fieldText), ' . ');
  const operands = row['&'];
  if (!Array.isArray(operands)) return null;
  const [field, mask] = [fieldText(operands[0]), valueText(operands[1], operands[0])];
  return field === null || mask === null ? null : `${field} & ${mask}`;
}

function valueText(value: unknown, left: unknown): string | null {
  if (typeof value === 'string') return isName(left) && !value.startsWith('@') ? `"${value}"` : value;
  if (typeof value === 'boolean') return value ? 'exists' : 'missing';
  if (typeof value === 'number') return isMark(left) ? `0x${value.toString(16).padStart(8, '0')}` : `${value}`;
  if (Array.isArray(value))
    return joined(
      value.map((each) => valueText(each, left)),
      ',',
    );
  const row = record(value);
  if (!row) return null;
  if (Array.isArray(row.set)) {
    const parts = row.set.map((each) => valueText(each, left));
    return parts.includes(null) ? null : `{ ${shown(parts as string[])} }`;
  }
  const prefix = record(row.prefix);
  if (prefix) return `${prefix.addr}/${prefix.len}`;
  if (Array.isArray(row.range))
    return joined(
      row.range.map((each) => valueText(each, left)),
      '-',
    );
  const fields = record(left)?.concat;
  if (Array.isArray(row.concat) && Array.isArray(fields))
    return joined(
      row.concat.map((each, at) => valueText(each, fields[at])),
      ' . ',
    );
  return fieldText(value);
}

function pairText(pair: unknown, left: unknown): string | null {
  if (!Array.isArray(pair)) return null;
  const [key, verdict] = [valueText(pair[0], left), record(pair[1])];
  const word = verdict && statementText(verdict);
  return key === null || !word ? null : `${key} : ${word}`;
}

function isName(left: unknown): boolean {
  return NAMES.includes(record(record(left)?.meta)?.key);
}

function isMark(left: unknown): boolean {
  const row = record(left);
  const operands = row?.['&'];
  return record(row?.meta)?.key === 'mark' || (Array.isArray(operands) && isMark(operands[0]));
}

function joined(parts: readonly (string | null)[], between: string): string | null {
  return parts.includes(null) ? null : parts.join(between);
}

/** Large sets are not written out. */
function shown(parts: readonly string[]): string {
  if (parts.length <= MAX_SHOWN) return parts.join(', ');
  return `${parts.slice(0, MAX_SHOWN).join(', ')}, …`;
}
