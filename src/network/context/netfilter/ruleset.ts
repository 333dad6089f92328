import { count, type Row, record, rows, text } from '../rows.js';

/** Rules of one namespace at most; what has more is not judged. */
const MAX_RULES = 100_000;

/** A rule, as `nft -j` tells it. */
export interface Rule {
  readonly handle: number | null;
  readonly statements: readonly Row[];
  /** As iptables-legacy takes it; its handle is its number in the chain then. */
  readonly line: string | null;
  /** What its author wrote beside it. */
  readonly comment: string | null;
}

export interface Chain {
  /** 'ip', 'ip6', 'inet', 'bridge' or 'netdev'. */
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** A chain that the kernel itself calls. */
export interface BaseChain extends Chain {
  /** 'ingress', 'prerouting', 'input', 'forward', 'output', 'postrouting' or 'egress'. */
  readonly hook: string;
  readonly priority: number;
  readonly isNat: boolean;
  readonly drops: boolean;
  /** What its policy took; null where that is not counted. */
  readonly packets: number | null;
  /** Names of the devices that it belongs to; null where nft does not tell (as 1.0.6), or it belongs to none. */
  readonly devices: readonly string[] | null;
}

/** The tables of one namespace, as far as packets pass them. */
export interface Ruleset {
  /** In the order in which packets pass those of one hook. */
  readonly bases: readonly BaseChain[];
  /** By `chainKey`. */
  readonly chains: ReadonlyMap<string, Chain>;
  /** Elements of named sets and maps, by `chainKey` with their own name. */
  readonly elements: ReadonlyMap<string, readonly unknown[]>;
  /** Tables with conditions or actions in them that nft cannot show: they were written by iptables. */
  readonly byIptables: ReadonlySet<string>;
}

/** Key of what has a name in a table. */
export function chainKey(family: string, table: string, name: string): string {
  return `${family} ${table} ${name}`;
}

/** The ruleset in a list of libnftables-json(5); null where there are too many rules to judge. */
export function readRuleset(list: readonly unknown[]): Ruleset | null {
  const chains = new Map<string, Chain>();
  const bases: BaseChain[] = [];
  const elements = new Map<string, readonly unknown[]>();
  const byIptables = new Set<string>();
  /** Tables that are switched off. */
  const dormant = new Set<string>();
  let rules = 0;
  for (const item of rows(list)) {
    const table = record(item.table);
    const chain = record(item.chain);
    const rule = record(item.rule);
    const set = record(item.set) ?? record(item.map);
    if (table && [table.flags].flat().includes('dormant')) dormant.add(`${table.family} ${table.name}`);
    else if (chain) readChain(chain, chains, bases);
    else if (set) elements.set(keyOf(set, set.name), Array.isArray(set.elem) ? set.elem : []);
    else if (rule) {
      if (++rules > MAX_RULES) return null;
      const found = chains.get(keyOf(rule, rule.chain));
      if (!found) continue;
      const statements = [...rows(rule.expr)];
      const [line, comment] = [text(rule.line), text(rule.comment)];
      (found.rules as Rule[]).push({ handle: count(rule.handle), statements, line, comment });
      if (rule.byIptables === true || statements.some((statement) => 'xt' in statement))
        byIptables.add(`${found.family} ${found.table}`);
    }
  }
  const awake = bases.filter(({ family, table }) => !dormant.has(`${family} ${table}`));
  // Chains of equal priority keep the order of the file: which of them was made first it does not tell.
  awake.sort((a, b) => a.priority - b.priority);
  return { bases: awake, chains, elements, byIptables };
}

function readChain(row: Row, chains: Map<string, Chain>, bases: BaseChain[]): void {
  const [family, table, name] = [row.family, row.table, row.name].map((part) => text(part) ?? '');
  const chain = { family, table, name, rules: [] };
  const hook = text(row.hook);
  if (hook === null) {
    chains.set(keyOf(row, name), chain);
    return;
  }
  const devices = [row.dev ?? row.devices].flat().filter((device) => typeof device === 'string');
  const base = {
    ...chain,
    hook,
    priority: typeof row.prio === 'number' ? row.prio : 0,
    isNat: row.type === 'nat',
    drops: row.policy === 'drop',
    packets: count(row.packets),
    devices: devices.length > 0 ? devices : null,
  };
  chains.set(keyOf(row, name), base);
  bases.push(base);
}

function keyOf({ family, table }: Row, name: unknown): string {
  return chainKey(text(family) ?? '', text(table) ?? '', text(name) ?? '');
}
