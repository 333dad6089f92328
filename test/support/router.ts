import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';

/** A router between 10.0.1.0/24 and its uplink 192.0.2.0/24, where the gateway 192.0.2.1 is. */
export const INSIDE = { mac: '02:00:00:00:01:05', ip: '10.0.1.5' };
export const ROUTER = { mac: '02:00:00:00:02:02', ip: '192.0.2.2' };
export const GATEWAY = { mac: '02:00:00:00:02:01', ip: '192.0.2.1' };

/** A ruleset of one table and chain, as `nft -j list ruleset` prints it. */
export function ruleset(chain: object, ...rules: object[][]): object {
  const where = { family: 'ip', table: 'nat', chain: 'c' };
  return {
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'ip', name: 'nat' } },
      { chain: { family: 'ip', table: 'nat', name: 'c', ...chain } },
      ...rules.map((expr) => ({ rule: { ...where, expr } })),
    ],
  };
}

/** A condition on a header field, `ip saddr 10.0.1.0/24`. */
export function field(name: string, right: unknown, op = '=='): object {
  return { match: { op, left: { payload: { protocol: 'ip', field: name } }, right } };
}

/** A condition on the device that a packet leaves by. */
export function output(name: string): object {
  return { match: { op: '==', left: { meta: { key: 'oifname' } }, right: name } };
}

export function prefix(addr: string, len: number): object {
  return { prefix: { addr, len } };
}

/** A host context with the router in namespace `r` and its devices `lan` and `up`. */
export function routed(nft: object | null, more: Record<string, object> = {}): HostContext {
  const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
  const addresses = (ifname: string, ifindex: number, local: string) => ({
    ifindex,
    ifname,
    addr_info: [{ family: 'inet', local, prefixlen: 24 }],
  });
  return parseContext({
    kernel: '6.1',
    namespaces: {
      r: {
        'ip -d -j link': [
          { ...up, ifindex: 2, ifname: 'lan', address: '02:00:00:00:01:01' },
          { ...up, ifindex: 3, ifname: 'up', address: ROUTER.mac },
        ],
        'ip -j addr': [addresses('lan', 2, '10.0.1.1'), addresses('up', 3, ROUTER.ip)],
        'nft -j list ruleset': nft,
      },
      ...more,
    },
  });
}
