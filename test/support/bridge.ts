import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';

/** Two hosts, 10.0.0.1 and 10.0.0.2, on a port each. */
export const H1 = '02:00:00:00:00:01';
export const H2 = '02:00:00:00:00:02';

interface Port {
  state?: string;
  isolated?: boolean;
  /** Flags of the device; up with a carrier where left out. */
  flags?: string[];
  /** What `bridge -d -j link` says besides: `bcast_flood`, `locked` … */
  settings?: Record<string, boolean>;
  /** VLANs of the port, as `bridge -d -j vlan` has them; a bridge with such a port keeps VLANs apart. */
  vlans?: { vlan: number; flags?: string[] }[];
  /** MACs that the bridge has learned there; an entry of `mab` has the flag `locked`. */
  fdb?: { mac: string; flags?: string[] }[];
  /** Name of the bridge. */
  master?: string;
}

/** A host context with two hosts whose cables end in ports of `sw`; flags of its bridges. */
export function bridged(one: Port, two: Port, bridgeFlags: readonly string[] = ['UP', 'LOWER_UP']): HostContext {
  const base = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
  const host = (address: string, index: number, netnsid: number, local: string) => ({
    'ip -d -j link': [
      {
        ...base,
        ifindex: index,
        ifname: 'eth0',
        link_index: index + 10,
        link_netnsid: netnsid,
        address,
        linkinfo: { info_kind: 'veth' },
      },
    ],
    'ip -j addr': [{ ifindex: index, ifname: 'eth0', addr_info: [{ family: 'inet', local, prefixlen: 24 }] }],
  });
  const port = ({ flags = base.flags, master = 'br0' }: Port, index: number, netnsid: number) => ({
    ...base,
    flags,
    ifindex: index + 10,
    ifname: `p-h${index - 1}`,
    link_index: index,
    link_netnsid: netnsid,
    master,
    address: `02:00:00:00:01:0${index}`,
    linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
  });
  const state = ({ state = 'forwarding', isolated = false, master = 'br0', settings = {} }: Port, index: number) => ({
    ...settings,
    ifindex: index + 10,
    ifname: `p-h${index - 1}`,
    master,
    state,
    hairpin: false,
    isolated,
  });
  const entries = ({ fdb = [], master = 'br0' }: Port, index: number) =>
    fdb.map((entry) => ({ flags: [], ...entry, ifname: `p-h${index - 1}`, master, state: '' }));
  const filters = [one, two].some(({ vlans }) => vlans !== undefined);
  const vlansOf = ({ vlans }: Port, index: number) => (vlans ? [{ ifname: `p-h${index - 1}`, vlans }] : []);
  const bridge = (ifname: string, ifindex: number) => ({
    ...base,
    flags: bridgeFlags,
    ifname,
    ifindex,
    address: `02:00:00:00:02:0${ifindex}`,
    linkinfo: { info_kind: 'bridge', ...(filters ? { info_data: { vlan_filtering: 1 } } : {}) },
  });
  return parseContext({
    kernel: '6.1',
    namespaces: {
      h1: host(H1, 2, 0, '10.0.0.1'),
      h2: host(H2, 3, 0, '10.0.0.2'),
      sw: {
        'ip -d -j link': [bridge('br0', 8), bridge('br1', 9), port(one, 2, 1), port(two, 3, 2)],
        'bridge -d -j link': [state(one, 2), state(two, 3)],
        'bridge -j fdb': [...entries(one, 2), ...entries(two, 3)],
        'bridge -d -j vlan': [...vlansOf(one, 2), ...vlansOf(two, 3)],
      },
    },
  });
}

/**
 * A machine with two guests on taps in its bridge: what is inside them the context does not say, only what the bridge learned and
 * the machine's neighbour table. `nftables`: its ruleset, with bridged packets handed to it.
 */
export function guests(settings: { isolated?: boolean; learned?: boolean; nftables?: object[] } = {}): HostContext {
  const { isolated = false, learned = true, nftables } = settings;
  const base = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
  const taps = [H1, H2].map((mac, index) => ({ mac, ifname: `tap${index + 1}`, ifindex: index + 3, master: 'br0' }));
  return parseContext({
    kernel: '6.1',
    namespaces: {
      host: {
        'ip -d -j link': [
          { ...base, ifname: 'br0', ifindex: 2, address: '02:00:00:00:02:01', linkinfo: { info_kind: 'bridge' } },
          ...taps.map(({ ifname, ifindex, master }) => ({
            ...base,
            ifname,
            ifindex,
            master,
            address: `02:00:00:00:03:0${ifindex}`,
            linkinfo: { info_kind: 'tun', info_data: { type: 'tap' }, info_slave_kind: 'bridge' },
          })),
        ],
        'bridge -d -j link': taps.map(({ ifname, ifindex, master }) => ({
          ifname,
          ifindex,
          master,
          state: 'forwarding',
          hairpin: false,
          isolated,
        })),
        'bridge -j fdb': learned
          ? taps.map(({ mac, ifname, master }) => ({ mac, ifname, master, flags: [], state: '' }))
          : [],
        'ip -j neigh show nud all': [{ dst: '10.0.0.2', dev: 'br0', lladdr: H2, state: ['STALE'] }],
        ...(nftables
          ? {
              'nft -j list ruleset': { nftables },
              sysctl: { 'net.bridge.bridge-nf-call-iptables': '1', 'net.ipv4.ip_forward': '1' },
            }
          : {}),
      },
    },
  });
}
