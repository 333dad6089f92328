import { type Ip, parseIp } from './address.js';
import { type AddressMatch, contains, isEqual, names, readMatch, readPrefix } from './firewall-match.js';
import { ownerOf, ruleList } from './netfilter/rule-lists.js';
import { type Ruleset, readRuleset } from './netfilter/ruleset.js';
import { type Row, record, rows, text } from './rows.js';

/** A rule that rewrites the source (snat, masquerade) or destination (dnat) of packets. */
export interface NatRule {
  readonly source: AddressMatch | null;
  readonly destination: AddressMatch | null;
  /** Names of the only devices it applies to; null for all, or where that was not understood. */
  readonly outputs: readonly string[] | null;
  /** Names of devices it does not apply to, as in Docker's `oifname != "docker0"`. */
  readonly notOutputs: readonly string[];
  /** Whether every condition of the rule is in the fields above. */
  readonly understood: boolean;
  /** The address that it writes; null for masquerade, maps, and where that was not understood. */
  readonly to: Ip | null;
}

/** A base chain on the forward hook that drops what none of its rules takes. */
export interface DroppingChain {
  /** 'ip', 'ip6', 'inet' or 'bridge'. */
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly rules: number;
}

/** The firewall of one namespace, as far as rules of ours need it. */
export interface Firewall {
  readonly sourceNat: readonly NatRule[];
  readonly destinationNat: readonly NatRule[];
  readonly forwardDrops: readonly DroppingChain[];
  /** All of it; null where there are too many rules to judge. */
  readonly ruleset: Ruleset | null;
  /** Whether it was read after the packets of the capture had passed, so that its counters tell of them. */
  readonly isCounted: boolean;
}

/** From what the commands of a namespace printed; null where that is no ruleset, or not all of it. */
export function readFirewall(commands: Row, isCounted = true): Firewall | null {
  const list = ruleList(commands);
  if (!list) return null;
  const sourceNat: NatRule[] = [];
  const destinationNat: NatRule[] = [];
  const drops = new Map<string, DroppingChain>();
  for (const item of rows(list)) {
    const chain = record(item.chain);
    const rule = record(item.rule);
    if (chain && chain.hook === 'forward' && chain.policy === 'drop') {
      const [family, table, name] = [chain.family, chain.table, chain.name].map((part) => text(part) ?? '');
      drops.set(`${family} ${table} ${name}`, { family, table: ownerOf(table).name, name, rules: 0 });
    } else if (rule) {
      const key = [rule.family, rule.table, rule.chain].map((part) => text(part) ?? '').join(' ');
      const drop = drops.get(key);
      if (drop) drops.set(key, { ...drop, rules: drop.rules + 1 });
      readRule(rule, sourceNat, destinationNat);
    }
  }
  return {
    sourceNat,
    destinationNat,
    forwardDrops: [...drops.values()],
    ruleset: readRuleset(list),
    isCounted,
  };
}

/** Whether a rule may apply to packets that leave by a device. */
export function appliesAt({ outputs, notOutputs }: NatRule, output: string): boolean {
  return (!outputs || outputs.includes(output)) && !notOutputs.includes(output);
}

/** Whether a rule of source NAT applies to packets from an address (words as in `Ip`) that leave by a device. */
export function coversSource(rule: NatRule, words: ArrayLike<number>, output: string): 'yes' | 'no' | 'maybe' {
  if (!appliesAt(rule, output)) return 'no';
  if (rule.source) {
    const isIn = rule.source.prefixes.some((prefix) => contains(prefix, words));
    if (rule.source.negated ? isIn : !isIn && rule.source.whole) return 'no';
    if (!isIn && !rule.source.whole) return 'maybe';
  }
  return rule.understood ? 'yes' : 'maybe';
}

function readRule(rule: Row, sourceNat: NatRule[], destinationNat: NatRule[]): void {
  let source: AddressMatch | null = null;
  let destination: AddressMatch | null = null;
  let outputs: string[] | null = null;
  const notOutputs: string[] = [];
  let understood = true;
  for (const statement of rows(rule.expr)) {
    const match = record(statement.match);
    if (match) {
      const left = record(match.left);
      const payload = record(left?.payload);
      const field = payload && (payload.protocol === 'ip' || payload.protocol === 'ip6') ? text(payload.field) : null;
      const key = text(record(left?.meta)?.key);
      if (field === 'saddr' && !source) source = readMatch(match);
      else if (field === 'daddr' && !destination) destination = readMatch(match);
      else if (key === 'oifname' || key === 'oif') {
        const devices = names(match.right);
        if (!devices) understood = false;
        else if (isEqual(match)) outputs = devices;
        else if (match.op === '!=') notOutputs.push(...devices);
        else understood = false;
      } else understood = false;
      continue;
    }
    const xt = text(record(statement.xt)?.name);
    // A condition that nobody shows.
    if (record(statement.xt)?.type === 'match' && xt !== 'comment') understood = false;
    const own = { source, destination, outputs, notOutputs, understood: understood && !xt };
    if ('masquerade' in statement || xt === 'MASQUERADE') sourceNat.push({ ...own, to: null });
    else if ('snat' in statement || xt === 'SNAT') sourceNat.push({ ...own, to: target(statement.snat) });
    else if ('dnat' in statement || xt === 'DNAT') {
      const keys = mapKeys(statement.dnat);
      destinationNat.push({ ...own, destination: destination ?? keys, to: target(statement.dnat) });
    }
  }
}

/** The addresses that `dnat to ip daddr map { a : b, … }` has an answer for. */
function mapKeys(statement: unknown): AddressMatch | null {
  const map = record(record(record(statement)?.addr)?.map);
  const field = text(record(record(map?.key)?.payload)?.field);
  const pairs = record(map?.data)?.set;
  if (field !== 'daddr' || !Array.isArray(pairs)) return null;
  const prefixes = pairs
    .map((pair: unknown) => (Array.isArray(pair) ? readPrefix(pair[0]) : null))
    .filter((prefix) => prefix !== null);
  return { prefixes, negated: false, whole: prefixes.length === pairs.length };
}

function target(statement: unknown): Ip | null {
  const address = text(record(statement)?.addr);
  return address === null ? null : parseIp(address);
}
