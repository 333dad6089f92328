import { parseContext } from '../../src/network/context/parse.js';
import { A, B, ONE, THREE, TWO } from './tunnel.js';

export const NOBODY = '00:00:00:00:00:00';
export const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'], mtu: 1500 };

/** A leaf whose endpoint has its address on `lo`, as BGP EVPN is built, and a station behind its bridge. */
export function leaf(
  name: string,
  local: string,
  station: { mac: string; ip: string },
  fdb: readonly (readonly [string, string])[],
  { vni = 5, port = 4789, routes }: { vni?: number; port?: number; routes?: readonly object[] } = {},
): object {
  const end = local.at(-1);
  const vxlan = { info_kind: 'vxlan', info_data: { id: vni, port, local, learning: false } };
  return {
    [name]: {
      'ip -d -j link': [
        {
          ...up,
          link_type: 'loopback',
          flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
          ifindex: 1,
          ifname: 'lo',
          address: NOBODY,
        },
        { ...up, ifindex: 2, ifname: 'eth1', address: `02:00:00:00:00:f${end}` },
        { ...up, ifindex: 3, ifname: 'vx0', address: `02:00:00:00:01:f${end}`, linkinfo: vxlan, master: 'br0' },
        { ...up, ifindex: 4, ifname: 'br0', address: `02:00:00:00:02:f${end}`, linkinfo: { info_kind: 'bridge' } },
        {
          ...up,
          ifindex: 5,
          ifname: 'p0',
          link_index: 9,
          link_netnsid: 1,
          address: `02:00:00:00:03:f${end}`,
          linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
          master: 'br0',
        },
      ],
      'ip -j addr': [{ ifindex: 1, ifname: 'lo', addr_info: [{ family: 'inet', local, prefixlen: 32 }] }],
      'ip -j netns list-id': [{ nsid: 1, name: `h-${name}` }],
      'bridge -j fdb': fdb.map(([mac, dst]) => ({ mac, ifname: 'vx0', dst, flags: ['self'] })),
      ...(routes ? { 'ip -j route': routes } : {}),
    },
    [`h-${name}`]: {
      'ip -d -j link': [
        {
          ...up,
          ifindex: 9,
          ifname: 'eth0',
          link_index: 5,
          link_netnsid: 0,
          address: station.mac,
          linkinfo: { info_kind: 'veth' },
        },
      ],
      'ip -j addr': [{ ifindex: 9, ifname: 'eth0', addr_info: [{ family: 'inet', local: station.ip, prefixlen: 24 }] }],
      'ip -j netns list-id': [{ nsid: 0, name }],
    },
  };
}
export const HERE = { mac: A, ip: '192.168.5.1' };
export const THERE = { mac: B, ip: '192.168.5.2' };
/** Three leaves; `entry` are rows of the forwarding table of the first. */
export const fabric = (entry: readonly (readonly [string, string])[], far: Parameters<typeof leaf>[4] = {}) =>
  parseContext({
    namespaces: {
      ...leaf('one', ONE, HERE, [[NOBODY, TWO], ...entry]),
      ...leaf('two', TWO, THERE, [[NOBODY, ONE]], far),
      ...leaf('three', THREE, { mac: '52:54:00:00:00:33', ip: '192.168.5.3' }, [[NOBODY, ONE]]),
    },
  });
