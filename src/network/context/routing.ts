import { parseIp } from './address.js';
import type { Device, Namespace, Route } from './device.js';
import { takes } from './policy.js';

/** What the routing tables say of an address. */
export interface Way {
  /** `none`: no route covers it. `refused`: one of type blackhole, unreachable or prohibit does. `unknown`: the file does not tell. */
  readonly kind: 'routed' | 'none' | 'refused' | 'unknown';
  /** The best routes, more than one where they are equally long and have the same metric and preference. */
  readonly routes: readonly Route[];
}

const REFUSING: readonly string[] = ['blackhole', 'unreachable', 'prohibit', 'throw'];

/** Tables of routing that every namespace has besides those that an administrator makes. */
const LOCAL = 'local';
const MAIN = 'main';

/**
 * The longest matching routes to an address: one signed int32 word for IPv4, four for IPv6; with the source of the packets, where it is known.
 * Rules of policy routing (`ip rule`) are gone through as the kernel does (fib_rules_lookup in net/core/fib_rules.c). It is `unknown` where
 * another table than the main one decides, or a rule that asks for more than addresses, as for a mark, and in a namespace with a VRF. Without
 * rules in the file the main table decides.
 */
export function wayTo(namespace: Namespace, words: ArrayLike<number>, source: ArrayLike<number> | null = null): Way {
  const family = words.length === 1 ? 4 : 6;
  for (const device of namespace.devices.values()) if (device.kind === 'vrf') return UNKNOWN;
  const rules = namespace.rules.filter((rule) => rule.family === family);
  if (rules.length === 0) return wayIn(namespace.routes, words, namespace.routeFamilies.includes(family));
  for (const rule of rules) {
    // What is in the local table is this machine's own, and nobody asks for the way there.
    if (rule.table === LOCAL) continue;
    const isTaken = takes(rule, words, source);
    if (isTaken === 'no') continue;
    if (rule.table !== MAIN) {
      // Cures change the main table.
      if (rule.table === null || mayHaveWay(namespace, rule.table, words, family)) return UNKNOWN;
      continue;
    }
    const way = wayIn(namespace.routes, words, namespace.routeFamilies.includes(family));
    if (way.kind !== 'none') return isTaken === 'yes' ? way : UNKNOWN;
  }
  return { kind: namespace.routeFamilies.includes(family) ? 'none' : 'unknown', routes: [] };
}

/** A route that refuses packets, and the table that it is in. */
export interface Refusing {
  readonly route: Route;
  readonly table: string;
}

/**
 * The route by which a namespace may refuse packets to an address, in any table that a rule leads them to; null if there is none. Rules that
 * ask for more than addresses may take them.
 */
export function refusingRoute(
  namespace: Namespace,
  words: ArrayLike<number>,
  source: ArrayLike<number> | null,
): Refusing | null {
  const family = words.length === 1 ? 4 : 6;
  const rules = namespace.rules.filter((rule) => rule.family === family);
  for (const { table, isTaken } of rules.length === 0
    ? [{ table: MAIN, isTaken: 'yes' }]
    : rules.map((rule) => ({ table: rule.table, isTaken: takes(rule, words, source) }))) {
    if (table === null || table === LOCAL || isTaken === 'no') continue;
    const routes = table === MAIN ? namespace.routes : (namespace.tables.get(table) ?? []);
    const way = wayIn(routes, words, true);
    const [route] = way.routes;
    if (way.kind === 'refused' && route.type !== 'throw') return { route, table };
    if (way.kind === 'routed' && isTaken === 'yes') return null;
  }
  return null;
}

const UNKNOWN: Way = { kind: 'unknown', routes: [] };

/** Whether a table may have a route to an address: where it has none, the next rule decides. */
function mayHaveWay(namespace: Namespace, table: string, words: ArrayLike<number>, family: 4 | 6): boolean {
  // Nothing makes the default table, and where no rule leads to others the file has none.
  const isKnown = namespace.tableFamilies.includes(family) || table === 'default';
  return wayIn(namespace.tables.get(table) ?? [], words, isKnown).kind !== 'none';
}

function wayIn(routes: readonly Route[], words: ArrayLike<number>, isKnown: boolean): Way {
  const family = words.length === 1 ? 4 : 6;
  let best: Route[] = [];
  let longest = -1;
  for (const route of routes) {
    const length = route.family === family ? matches(route.dst, words) : -1;
    if (length < 0 || length < longest) continue;
    const least = length > longest ? Number.POSITIVE_INFINITY : best[0].metric;
    if (route.metric > least) continue;
    if (route.metric < least) best = [];
    // A router that does not answer is passed over for the next: of that the table says nothing.
    else if (best.length > 0 && route.preference < best[0].preference) continue;
    else if (best.length > 0 && route.preference > best[0].preference) best = [];
    longest = length;
    best.push(route);
  }
  if (best.length === 0) return { kind: isKnown ? 'none' : 'unknown', routes: best };
  if (best.some(({ type }) => REFUSING.includes(type))) return { kind: 'refused', routes: best };
  // Next hops by number (`nhid`) are shown without a device.
  return { kind: best.every(({ dev }) => dev !== null) ? 'routed' : 'unknown', routes: best };
}

/** Setting of a device, or of all: the kernel takes the larger of the two (`IN_DEV_MAXCONF` in include/linux/inetdevice.h). */
export function largerSetting({ sysctl }: Namespace, device: Device, name: string): number | null {
  const all = setting(sysctl.get(`net.ipv4.conf.all.${name}`));
  const own = setting(sysctl.get(`net.ipv4.conf.${inSettings(device)}.${name}`));
  return all === null || own === null ? null : Math.max(all, own);
}

/** Name of a device in settings: a dot is a slash there (`man 8 sysctl`). */
export function inSettings({ name }: Device): string {
  return name.replaceAll('.', '/');
}

/** Whether packets that come in at a device are forwarded; null where the file does not tell. */
export function forwards({ sysctl }: Namespace, device: Device, family: 4 | 6): boolean | null {
  const all = sysctl.get(family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding');
  // IPv6 looks at `all` alone (kernel: ip6_forward in net/ipv6/ip6_output.c).
  const own = family === 4 ? sysctl.get(`net.ipv4.conf.${inSettings(device)}.forwarding`) : undefined;
  const value = setting(own ?? all);
  return value === null ? null : value !== 0;
}

function setting(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,3}$/.test(text) ? Number(text) : null;
}

/** Length of the prefix `dst` if it covers the address, else -1. */
function matches(dst: string, words: ArrayLike<number>): number {
  const family = words.length === 1 ? 4 : 6;
  const bits = family === 4 ? 32 : 128;
  if (dst === 'default') return 0;
  const slash = dst.indexOf('/');
  const prefix = parseIp(slash < 0 ? dst : dst.slice(0, slash));
  const length = slash < 0 ? bits : Number(dst.slice(slash + 1));
  if (!prefix || prefix.family !== family || !Number.isInteger(length) || length < 0 || length > bits) return -1;
  for (let word = 0, left = length; left > 0; word++, left -= 32) {
    const mask = left >= 32 ? -1 : -1 << (32 - left);
    if (((prefix.words[word] ^ words[word]) & mask) !== 0) return -1;
  }
  return length;
}
