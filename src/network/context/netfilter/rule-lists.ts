import { type Row, record, text } from '../rows.js';
import { asRows, readSaved, type SavedChain, type SavedRule } from './iptables-save.js';

const FAMILIES = ['ip', 'ip6'] as const;
/** The output of an iptables that writes to nftables says so in its first line. */
const NF_TABLES = '(nf_tables)';
/** Between a table of iptables-legacy and the program that changes it; names of nftables have no such character. */
const AT = '@';
/** A file may say anything: what is no program must not become a command. */
const PROGRAMS: readonly unknown[] = ['iptables', 'ip6tables', 'iptables-legacy', 'ip6tables-legacy'];

/**
 * All rules of a namespace as a list of libnftables-json(5): those of nft, with what only iptables knows of its own, and those of
 * iptables-legacy, which nft does not see. Null where there are some that the file does not tell.
 */
export function ruleList(commands: Row): unknown[] | null {
  const own = record(commands['nft -j list ruleset'])?.nftables;
  if (!Array.isArray(own)) return null;
  const list: unknown[] = [...own];
  for (const family of FAMILIES) {
    const program = family === 'ip' ? 'iptables' : 'ip6tables';
    const legacy = savedBy(commands, [`${program}-legacy`, program], false);
    const chains = legacy && readSaved(legacy.output, family);
    // The kernel has tables of iptables-legacy, and nobody told what is in them.
    if (text(commands[`cat /proc/net/${family}_tables_names`]) !== null && !chains) return null;
    if (legacy && chains) list.push(...asRows(chains, family, (table) => `${table}${AT}${legacy.program}`));
    const hidden = savedBy(commands, [`${program}-nft`, program], true);
    reveal(list, (hidden && readSaved(hidden.output, family)) ?? [], family);
  }
  return list;
}

/** The program of iptables-legacy that a table belongs to, null of one that nft knows; and what it is called there. */
export function ownerOf(table: string): { program: string | null; name: string } {
  const [name, program] = table.split(AT);
  return PROGRAMS.includes(program) ? { program, name } : { program: null, name: table };
}

function savedBy(commands: Row, programs: readonly string[], isNft: boolean) {
  for (const program of programs) {
    const output = text(commands[`${program}-save -c`]);
    if (output?.startsWith('#') && output.slice(0, output.indexOf('\n')).includes(NF_TABLES) === isNft)
      return { program, output };
  }
  return null;
}

/** Puts what iptables says of its rules where nft shows only that it cannot show it; only where both have the same rules. */
function reveal(list: unknown[], chains: readonly SavedChain[], family: string): void {
  if (chains.length === 0) return;
  const saved = new Map(chains.map(({ table, name, rules }) => [`${table} ${name}`, rules]));
  const places = new Map<string, number[]>();
  list.forEach((item, at) => {
    const rule = record(record(item)?.rule);
    if (rule?.family !== family) return;
    const key = `${rule.table} ${rule.chain}`;
    const known = places.get(key);
    if (known) known.push(at);
    else places.set(key, [at]);
  });
  for (const [key, all] of places) {
    const rules = saved.get(key);
    if (rules?.length !== all.length) continue;
    const found = all.map((at) => record((list[at] as Row).rule) as Row);
    if (!found.every((rule, i) => isSame(rule, rules[i]))) continue;
    for (const [i, at] of all.entries())
      if (hides(found[i]))
        list[at] = { rule: { ...found[i], expr: rules[i].statements, comment: rules[i].comment, byIptables: true } };
  }
}

function hides({ expr }: Row): boolean {
  return Array.isArray(expr) && expr.some((statement) => record(statement)?.xt !== undefined);
}

/** Whether what nft shows of a rule ends as iptables says. */
function isSame({ expr }: Row, { statements }: SavedRule): boolean {
  const end = (all: unknown) => (Array.isArray(all) ? (record(all[all.length - 1]) ?? {}) : {});
  const [shown, said] = [end(expr), end(statements)];
  // Targets of extensions nft does not show.
  return (
    ['accept', 'drop', 'return'].every((key) => key in shown === key in said) && targetOf(shown) === targetOf(said)
  );
}

/** The chain that a statement leads to; null if to none. */
export function targetOf(statement: Row): string | null {
  return text(record(statement.jump ?? statement.goto)?.target);
}
