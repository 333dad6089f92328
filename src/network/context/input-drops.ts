import { type AddressMatch, contains, isEqual, names, readMatch } from './firewall-match.js';
import { count, type Row, record, rows, text } from './rows.js';

/** A rule that drops UDP to some ports before any socket gets it; only what asks nothing but ports, addresses and devices. */
export interface InputDrop {
  /** 'ip', 'ip6' or 'inet'. */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly handle: number | null;
  /** From and to, both included. */
  readonly ports: readonly (readonly [number, number])[];
  readonly source: AddressMatch | null;
  /** Names of the only devices it applies to, null for all. */
  readonly inputs: readonly string[] | null;
  /** What it dropped so far; null where it does not count. */
  readonly packets: number | null;
  /** Whether a rule before it in its chain may take packets away from it. */
  readonly isAfterOthers: boolean;
}

/** Where packets for this machine pass (nft(8), hooks). */
const HOOKS: readonly unknown[] = ['prerouting', 'input'];
const FAMILIES: readonly unknown[] = ['ip', 'ip6', 'inet'];

/** The rules of a list of libnftables-json(5) that stand in base chains on the way in. */
export function readInputDrops(list: readonly unknown[]): InputDrop[] {
  const found: InputDrop[] = [];
  /** Base chains, and whether one of the rules so far decides anything else. */
  const chains = new Map<string, boolean>();
  for (const item of rows(list)) {
    const chain = record(item.chain);
    const rule = record(item.rule);
    if (chain && HOOKS.includes(chain.hook) && FAMILIES.includes(chain.family))
      chains.set(keyOf(chain.family, chain.table, chain.name), false);
    if (!rule) continue;
    const key = keyOf(rule.family, rule.table, rule.chain);
    const isAfterOthers = chains.get(key);
    if (isAfterOthers === undefined) continue;
    const drop = readDrop(rule, isAfterOthers);
    if (drop) found.push(drop);
    else if (!isHarmless(rule)) chains.set(key, true);
  }
  return found;
}

/** Whether a rule concerns UDP to a port at one of the devices, from an address (words as in `Ip`). */
export function dropsAt(
  { ports, source, inputs, family }: InputDrop,
  port: number,
  words: ArrayLike<number>,
  devices: readonly string[],
): boolean {
  if (family === (words.length === 1 ? 'ip6' : 'ip')) return false;
  if (!ports.some(([from, to]) => from <= port && port <= to)) return false;
  if (inputs && !inputs.some((name) => devices.includes(name))) return false;
  if (!source) return true;
  // A condition on addresses of one family holds for packets of that family alone, negated or not.
  if (!source.whole || source.prefixes.some((prefix) => prefix.words.length !== words.length)) return false;
  return source.prefixes.some((prefix) => contains(prefix, words)) !== source.negated;
}

function keyOf(...parts: readonly unknown[]): string {
  return parts.map((part) => text(part) ?? '').join(' ');
}

function readDrop(rule: Row, isAfterOthers: boolean): InputDrop | null {
  let ports: [number, number][] | null = null;
  let source: AddressMatch | null = null;
  let inputs: string[] | null = null;
  let packets: number | null = null;
  for (const statement of rows(rule.expr)) {
    const match = record(statement.match);
    if (match) {
      const left = record(match.left);
      const payload = record(left?.payload);
      const field = `${payload?.protocol} ${payload?.field}`;
      const key = text(record(left?.meta)?.key);
      if ((field === 'udp dport' || field === 'th dport') && isEqual(match) && !ports) {
        ports = readPorts(match.right);
        if (!ports) return null;
      } else if ((field === 'ip saddr' || field === 'ip6 saddr') && !source) source = readMatch(match);
      else if ((key === 'iifname' || key === 'iif') && isEqual(match) && !inputs) {
        inputs = names(match.right);
        if (!inputs) return null;
      } else if (!(key === 'l4proto' && isEqual(match) && (match.right === 'udp' || match.right === 17))) return null;
    } else if ('counter' in statement) packets = count(record(statement.counter)?.packets);
    else if ('drop' in statement) {
      if (!ports) return null;
      const [family, table, chain] = [rule.family, rule.table, rule.chain].map((part) => text(part) ?? '');
      return { family, table, chain, handle: count(rule.handle), ports, source, inputs, packets, isAfterOthers };
    } else if (!('log' in statement)) return null;
  }
  return null;
}

/** Whether a rule leaves all packets to the rules behind it: it counts or logs, at most. */
function isHarmless(rule: Row): boolean {
  return [...rows(rule.expr)].every(
    (statement) => 'match' in statement || 'counter' in statement || 'log' in statement,
  );
}

/** A port, a range, or a set of these; null where it is anything else, as a named set. */
function readPorts(right: unknown): [number, number][] | null {
  const set = record(right)?.set;
  const values: unknown[] = Array.isArray(set) ? set : [right];
  const ports: [number, number][] = [];
  for (const value of values) {
    const range = record(value)?.range;
    const [from, to] = (Array.isArray(range) ? range : [value, value]).map(count);
    if (from === null || to === null || from === undefined || to === undefined) return null;
    ports.push([from, to]);
  }
  return ports;
}
