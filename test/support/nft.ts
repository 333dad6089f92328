import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';
import { machineFile } from './routed.js';

type Statement = Readonly<Record<string, unknown>>;

const WHERE = { family: 'inet', table: 'fw' };
export const DROP: Statement = { drop: null };
export const ACCEPT: Statement = { accept: null };
export const RETURN: Statement = { return: null };

/** A condition: `when('ip saddr', '10.0.0.1')`, `when('iifname', 'eth0')`, `when('ct state', 'new')`. */
export function when(left: string, right: unknown, op = '=='): Statement {
  return { match: { op, left: field(left), right } };
}

export function field(words: string): object {
  const [one, two] = words.split(' ');
  if (two === undefined) return { meta: { key: one } };
  if (one === 'meta' || one === 'ct') return { [one]: { key: two } };
  return { payload: { protocol: one, field: two } };
}

export function counter(packets: number): Statement {
  return { counter: { packets, bytes: packets * 84 } };
}

export function jump(target: string): Statement {
  return { jump: { target } };
}

/** What nft cannot show of iptables. */
export function hidden(name: string, type = 'match'): Statement {
  return { xt: { type, name } };
}

export function chain(name: string, more: object = {}): object {
  return { chain: { ...WHERE, name, ...more } };
}

/** A chain on the forward hook. */
export function forward(more: object = {}): object {
  return chain('forward', { type: 'filter', hook: 'forward', prio: 0, policy: 'accept', ...more });
}

let handle = 0;

export function rule(inChain: string, statements: readonly Statement[], more: object = {}): object {
  return { rule: { ...WHERE, chain: inChain, handle: ++handle, expr: statements, ...more } };
}

export function set(name: string, type: unknown, elem: readonly unknown[]): object {
  return { set: { ...WHERE, name, type, elem } };
}

/** The machine of routed.ts, forwarding, with a ruleset; `192.0.2.0/24` and the Internet are behind eth1. */
export function filtering(items: readonly object[], { isEarly = false, sysctl = {}, file = {} } = {}): HostContext {
  const routes = [
    { dst: '10.0.0.0/24', dev: 'eth0' },
    { dst: '198.51.100.0/24', dev: 'eth1' },
    { dst: 'default', gateway: '198.51.100.1', dev: 'eth1' },
  ];
  const box = {
    ...machineFile({ routes, sysctl: { 'net.ipv4.ip_forward': '1', ...sysctl } }),
    'nft -j list ruleset': { nftables: [{ metainfo: {} }, { table: { family: 'inet', name: 'fw' } }, ...items] },
    ...file,
  };
  return parseContext({ namespaces: { box }, ...(isEarly ? { taken: 'before' } : {}) });
}
