import { type Ip, ipOf, macOf } from './address.js';
import type { Namespace, Neighbour, Route } from './device.js';
import { readRules } from './policy.js';
import { count, type Row, record, rows, text, texts } from './rows.js';

const FAMILIES = [4, 6] as const;
/** Metric of routes that were given none (kernel: IP6_RT_PRIO_USER in include/uapi/linux/ipv6_route.h). */
const OWN_METRIC = { 4: 0, 6: 1024 } as const;
/** The command that prints the main routing table of a family. */
const ROUTES = { 4: 'ip -j route', 6: 'ip -6 -j route' } as const;
/** Those that print all tables, and the rules that choose one. */
const ALL_ROUTES = { 4: 'ip -j route show table all', 6: 'ip -6 -j route show table all' } as const;
const RULES = { 4: 'ip -j rule', 6: 'ip -6 -j rule' } as const;

/** As `ip -6 -j route` prints them. */
const PREFERENCES: Readonly<Record<string, number>> = { high: 1, medium: 0, low: -1 };
/** Those that print neighbours: all, or without those of state NOARP. */
const NEIGHBOURS = [
  ['ip -j neigh show nud all', 'ip -j neigh'],
  ['ip -6 -j neigh show nud all', 'ip -6 -j neigh'],
] as const;

type Routing = Pick<Namespace, 'routes' | 'tables' | 'tableFamilies' | 'rules' | 'routeFamilies' | 'neighbours'>;

/** Routes, the rules that choose among tables of them, and neighbours, by what the commands of a namespace printed. */
export function readRouting(commands: Row): Routing {
  return {
    routes: [...readRoutes(4, commands[ROUTES[4]]), ...readRoutes(6, commands[ROUTES[6]])],
    tables: readTables(commands),
    tableFamilies: FAMILIES.filter((family) => Array.isArray(commands[ALL_ROUTES[family]])),
    rules: FAMILIES.flatMap((family) => [...readRules(family, commands[RULES[family]])]).sort(
      (a, b) => a.priority - b.priority,
    ),
    routeFamilies: FAMILIES.filter((family) => Array.isArray(commands[ROUTES[family]])),
    neighbours: NEIGHBOURS.flatMap(([all, usual]) => [...readNeighbours(commands[all] ?? commands[usual])]),
  };
}

function* readRoutes(family: 4 | 6, value: unknown): Generator<Route> {
  for (const row of rows(value)) {
    const dst = text(row.dst);
    // What leads over a link that is down is kept, and not used.
    if (!dst || texts(row.flags).includes('dead')) continue;
    const type = text(row.type) ?? 'unicast';
    const metric = count(row.metric) ?? OWN_METRIC[family];
    const preference = PREFERENCES[text(row.pref) ?? 'medium'] ?? 0;
    const prefsrc = ipOf(row.prefsrc);
    for (const hop of hopsOf(row))
      yield {
        family,
        dst,
        gateway: gatewayOf(hop),
        dev: text(hop.dev),
        prefsrc,
        onLink: texts(hop.flags).includes('onlink'),
        type,
        metric,
        preference,
      };
  }
}

/** Where a route leads: itself, or each of several equal ways (ECMP), less those over links that are down. */
function hopsOf(row: Row): Row[] {
  const hops = [...rows(row.nexthops)];
  return hops.length === 0 ? [row] : hops.filter(({ flags }) => !texts(flags).includes('dead'));
}

/** A gateway of the other family stands in `via`. */
function gatewayOf(hop: Row): Ip | null {
  return ipOf(hop.gateway) ?? ipOf(record(hop.via)?.host);
}

/** Rows of the main table name none. */
function readTables(commands: Row): Map<string, Route[]> {
  const tables = new Map<string, Route[]>();
  for (const family of FAMILIES)
    for (const row of rows(commands[ALL_ROUTES[family]])) {
      const name = text(row.table);
      if (name === null || name === 'local') continue;
      const table = tables.get(name) ?? [];
      tables.set(name, table);
      table.push(...readRoutes(family, [row]));
    }
  return tables;
}

function* readNeighbours(value: unknown): Generator<Neighbour> {
  for (const row of rows(value)) {
    const dst = ipOf(row.dst);
    // The kernel itself makes entries for groups.
    if (dst && !isGroup(dst)) yield { dst, dev: text(row.dev), lladdr: macOf(row.lladdr), state: texts(row.state) };
  }
}

function isGroup({ family, words }: Ip): boolean {
  return family === 4 ? words[0] >>> 28 === 0xe : words[0] >>> 24 === 0xff;
}
