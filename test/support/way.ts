import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';
import type { Host } from './icmp.js';

/** A host, and another one behind a router and a bridge: `a` - `r` - `sw` - `t`. */
export const ASKER: Host = { mac: '02:00:00:00:0a:01', ip: '10.1.0.1' };
export const NEAR: Host = { mac: '02:00:00:00:0b:01', ip: '10.1.0.254' };
export const BEYOND: Host = { mac: '02:00:00:00:0b:02', ip: '10.2.0.254' };
export const TARGET: Host = { mac: '02:00:00:00:0c:01', ip: '10.2.0.1' };

/** Their host context, with what `nft -j list ruleset` says of some of them. */
export function behindRouter(rulesets: Readonly<Record<string, readonly object[]>>, sysctl: object = {}): HostContext {
  const base = { link_type: 'ether', flags: ['UP', 'LOWER_UP'], linkinfo: { info_kind: 'veth' } };
  const cable = (ifindex: number, ifname: string, link_index: number, link_netnsid: number, host?: Host) => ({
    ...base,
    ifindex,
    ifname,
    link_index,
    link_netnsid,
    address: host?.mac ?? `02:00:00:00:0d:0${ifindex - 10}`,
    addr_info: host ? [{ family: 'inet', local: host.ip, prefixlen: 24 }] : [],
  });
  const port = (device: object) => ({
    ...device,
    master: 'br0',
    linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
  });
  const space = (name: string, ids: readonly string[], devices: readonly object[], routes: readonly object[]) => ({
    [name]: {
      'ip -d -j link': devices,
      'ip -j addr': devices,
      'ip -j route': routes,
      'ip -j netns list-id': ids.map((id, nsid) => ({ nsid, name: id })),
      'nft -j list ruleset': { nftables: [{ metainfo: {} }, ...(rulesets[name] ?? [])] },
      sysctl: { 'net.ipv4.ip_forward': name === 'r' ? '1' : '0', ...sysctl },
    },
  });
  const bridge = {
    ...base,
    ifindex: 20,
    ifname: 'br0',
    address: '02:00:00:00:0d:00',
    linkinfo: { info_kind: 'bridge' },
  };
  const [one, two] = [
    { dst: '10.1.0.0/24', dev: 'r0' },
    { dst: '10.2.0.0/24', dev: 'r1' },
  ];
  return parseContext({
    namespaces: {
      ...space(
        'a',
        ['r'],
        [cable(2, 'eth0', 3, 0, ASKER)],
        [
          { dst: '10.1.0.0/24', dev: 'eth0' },
          { dst: 'default', gateway: NEAR.ip, dev: 'eth0' },
        ],
      ),
      ...space('r', ['a', 'sw'], [cable(3, 'r0', 2, 0, NEAR), cable(4, 'r1', 11, 1, BEYOND)], [one, two]),
      ...space('sw', ['r', 't'], [bridge, port(cable(11, 'p-r', 4, 0)), port(cable(12, 'p-t', 5, 1))], []),
      ...space(
        't',
        ['sw'],
        [cable(5, 'eth0', 12, 0, TARGET)],
        [
          { dst: '10.2.0.0/24', dev: 'eth0' },
          { dst: 'default', gateway: BEYOND.ip, dev: 'eth0' },
        ],
      ),
    },
  });
}
