import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';
import { HOST, type Host, PEER } from './icmp.js';
import { chain, forward, rule, when } from './nft.js';
import { machineFile } from './routed.js';

/** A container behind docker0 of the machine box, which publishes it at the address of PEER. */
export const GUEST: Host = { mac: '02:00:00:00:05:02', ip: '172.20.0.2' };
const flags = ['UP', 'LOWER_UP'];
export const CONNECTED = { dst: '172.20.0.0/24', dev: 'docker0' };
const DEFAULT = { dst: 'default', gateway: HOST.ip, dev: 'eth0' };

export const published = [
  chain('pre', { type: 'nat', hook: 'prerouting', prio: -100 }),
  rule('pre', [when('ip daddr', PEER.ip), { dnat: { family: 'ip', addr: GUEST.ip } }]),
];
const filtered = [forward({ policy: 'drop' })];

export interface Docker {
  isUp?: boolean;
  own?: readonly string[];
  routes?: readonly object[];
  rules?: readonly object[];
  /** A further port of the bridge, which leads to a switch. */
  uplink?: boolean;
}

/** The machine box with a guest behind docker0. */
export function docker({
  isUp = true,
  own = [],
  routes = [],
  rules = [...published, ...filtered],
  uplink = false,
}: Docker = {}): HostContext {
  const veth = { info_kind: 'veth' };
  const port = { ...veth, info_slave_kind: 'bridge' };
  const docker0 = {
    flags: isUp ? flags : [],
    ifindex: 5,
    ifname: 'docker0',
    address: '02:00:00:00:05:01',
    linkinfo: { info_kind: 'bridge' },
    addr_info: own.map((local) => ({ family: 'inet', local, prefixlen: 24 })),
  };
  const cable = { link_index: 2, link_netnsid: 0, address: '02:00:00:00:05:06' };
  const veth1 = { flags, ifindex: 6, ifname: 'veth1', ...cable, master: 'docker0', linkinfo: port };
  const eth2 = { flags, ifindex: 7, ifname: 'eth2', address: '02:00:00:00:05:07', master: 'docker0' };
  const devices = [docker0, veth1, ...(uplink ? [eth2] : [])];
  const guest = {
    flags,
    ifindex: 2,
    ifname: 'eth0',
    link_index: 6,
    link_netnsid: 0,
    address: GUEST.mac,
    linkinfo: veth,
    addr_info: [{ family: 'inet', local: GUEST.ip, prefixlen: 24 }],
  };
  return parseContext({
    namespaces: {
      box: {
        ...machineFile({ routes: [...routes, DEFAULT], sysctl: { 'net.ipv4.ip_forward': '1' }, devices }),
        'nft -j list ruleset': { nftables: [{ metainfo: {} }, { table: { family: 'inet', name: 'fw' } }, ...rules] },
      },
      guest: {
        'ip -d -j link': [guest],
        'ip -j addr': [guest],
        'ip -j route': [{ dst: 'default', gateway: '172.20.0.1', dev: 'eth0' }],
      },
    },
  });
}
