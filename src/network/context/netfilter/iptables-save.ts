import type { Row } from '../rows.js';
import { statementsOf, wordsIn } from './iptables-rule.js';

/** Lines of one output at most; of what has more nothing is read. */
const MAX_LINES = 200_000;

/** Where the tables of iptables hook in, and with which priority (kernel: enum nf_ip_hook_priorities). */
const PRIORITIES: Readonly<Record<string, number>> = { raw: -300, mangle: -150, nat: 100, filter: 0, security: 50 };
const DSTNAT = -100;
const HOOKS: readonly string[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];

/** A chain in the output of `iptables-save -c`. */
export interface SavedChain {
  readonly table: string;
  readonly name: string;
  /** Null of a chain that others jump to. */
  readonly policy: string | null;
  /** What the policy took. */
  readonly packets: number | null;
  readonly rules: readonly SavedRule[];
}

export interface SavedRule {
  /** As iptables takes it, without its counters. */
  readonly line: string;
  /** As libnftables-json(5) would tell them. */
  readonly statements: readonly Row[];
  readonly comment: string | null;
}

/** What `iptables-save -c` (or ip6tables-save) printed; null where that is too long, or something else. */
export function readSaved(output: string, family: 'ip' | 'ip6'): SavedChain[] | null {
  const chains = new Map<string, SavedChain>();
  let table = '';
  let count = 0;
  for (const line of output.split('\n')) {
    if (++count > MAX_LINES) return null;
    if (line.startsWith('*')) {
      table = line.slice(1).trim();
      if (!(table in PRIORITIES)) return null;
    } else if (line.startsWith(':')) {
      const [, name, policy, packets] = /^:(\S+) (\S+)(?: \[(\d+):\d+\])?/.exec(line) ?? [];
      if (name === undefined || table === '') return null;
      const isBase = policy !== '-';
      chains.set(`${table} ${name}`, {
        table,
        name,
        policy: isBase ? policy : null,
        packets: isBase && packets !== undefined ? Number(packets) : null,
        rules: [],
      });
    } else {
      const [, packets, rule] = /^(?:\[(\d+):\d+\] )?(-A .*)$/.exec(line) ?? [];
      if (rule === undefined) continue;
      const words = wordsIn(rule);
      const chain = chains.get(`${table} ${words[1]}`);
      if (!chain) return null;
      const isChain = (name: string) => chains.has(`${table} ${name}`);
      const statements = statementsOf(words.slice(2), family, packets === undefined ? null : Number(packets), isChain);
      const at = words.indexOf('--comment');
      const comment = at < 0 ? null : (words[at + 1] ?? null);
      (chain.rules as SavedRule[]).push({ line: rule, statements, comment });
    }
  }
  return [...chains.values()];
}

/** The same as a list of libnftables-json(5); `tableName` says what a table is called there. */
export function asRows(
  chains: readonly SavedChain[],
  family: 'ip' | 'ip6',
  tableName: (table: string) => string,
): Row[] {
  const heads = chains.map(({ table, name, policy, packets }) => ({
    chain: { family, table: tableName(table), name, ...baseOf(table, name, policy), packets },
  }));
  const rules = chains.flatMap(({ table, name, rules }) =>
    rules.map(({ line, statements, comment }, at) => ({
      rule: { family, table: tableName(table), chain: name, handle: at + 1, expr: statements, line, comment },
    })),
  );
  return [...heads, ...rules];
}

function baseOf(table: string, name: string, policy: string | null): Row {
  if (policy === null || !HOOKS.includes(name)) return {};
  const isEarly = table === 'nat' && (name === 'PREROUTING' || name === 'OUTPUT');
  return {
    type: table === 'nat' ? 'nat' : 'filter',
    hook: name.toLowerCase(),
    prio: isEarly ? DSTNAT : PRIORITIES[table],
    policy: policy.toLowerCase(),
  };
}
