/** Pieces of host contexts in the form that iproute2 writes, for tests that stand alone. */

export interface LinkOptions {
  mac?: string;
  kind?: string;
  data?: object;
  /** In the same namespace, */
  link?: string;
  /** or in another: [index, netnsid]. */
  far?: [number, number];
  master?: string;
  port?: object;
  flags?: string[];
}

/** A row of `ip -d -j link`. */
export function link(ifindex: number, ifname: string, options: LinkOptions = {}): Record<string, unknown> {
  return {
    ifindex,
    ifname,
    flags: options.flags ?? ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
    mtu: 1500,
    operstate: 'UP',
    ...(options.mac ? { address: options.mac } : {}),
    ...(options.link ? { link: options.link } : {}),
    ...(options.far ? { link_index: options.far[0], link_netnsid: options.far[1] } : {}),
    ...(options.master ? { master: options.master } : {}),
    linkinfo: {
      ...(options.kind ? { info_kind: options.kind, info_data: options.data ?? {} } : {}),
      ...(options.port ? { info_slave_kind: 'bridge', info_slave_data: options.port } : {}),
    },
  };
}

/** A row of `ip -s -j link`. */
export function traffic(ifname: string, rx: [number, number], tx: [number, number]): object {
  return {
    ifname,
    stats64: { rx: { packets: rx[0], bytes: rx[1] }, tx: { packets: tx[0], bytes: tx[1] } },
  };
}

/** Rows of `bridge -j fdb`: own receive filter, and learned by the bridge. */
export const filtered = (ifname: string, mac: string) => ({ mac, ifname, flags: ['self'], state: 'permanent' });
export const learned = (ifname: string, mac: string, master = 'br0') => ({ mac, ifname, flags: [], master, state: '' });

const LO = link(1, 'lo', { mac: '00:00:00:00:00:00', flags: ['LOOPBACK', 'UP', 'LOWER_UP'] });
export const ENS34 = '00:0c:29:5a:91:14';
export const CHILD1 = '26:10:84:17:90:d1';
export const CHILD2 = '26:10:84:17:90:d2';
export const GATEWAY = '00:50:56:e1:91:02';

/**
 * Two macvlan children in ns01 and ns02 on ens34 of host, which hangs with a gateway on the bridge of sw. Every
 * device but the ports is number 2 of its namespace, so that numbers alone cannot tell the parent.
 */
export function vepaHost(port: object = { state: 'forwarding', hairpin: false, isolated: false }) {
  const child = (name: string, mac: string) =>
    link(2, name, { mac, kind: 'macvlan', data: { mode: 'vepa' }, far: [2, 0] });
  const address = (ifname: string, family: string, local: string, prefixlen: number) => ({
    ifname,
    addr_info: [{ family, local, prefixlen }],
  });
  return {
    kernel: '6.18.44',
    namespaces: {
      host: {
        'ip -d -j link': [LO, link(2, 'ens34', { mac: ENS34, kind: 'veth', far: [3, 0] })],
        'ip -s -j link': [traffic('ens34', [1, 54], [3, 126])],
        'ip -j addr': [address('ens34', 'inet', '172.16.91.14', 24)],
        'ip -j route': [
          { dst: 'default', gateway: '172.16.91.2', dev: 'ens34', flags: [] },
          { dst: '172.16.91.0/24', dev: 'ens34', protocol: 'kernel', scope: 'link', prefsrc: '172.16.91.14' },
        ],
        'bridge -j fdb': [filtered('ens34', CHILD1), filtered('ens34', CHILD2), filtered('ens34', '33:33:00:00:00:01')],
        'bridge -d -j vlan': null,
        sysctl: { 'net.ipv4.ip_forward': '0' },
      },
      ns01: {
        'ip -d -j link': [LO, child('macvlan1', CHILD1)],
        'ip -j addr': [address('macvlan1', 'inet', '172.16.91.101', 24)],
        'ip -j neigh': [{ dst: '172.16.91.102', dev: 'macvlan1', state: ['FAILED'] }],
      },
      ns02: {
        'ip -d -j link': [LO, child('macvlan2', CHILD2)],
        'ip -j addr': [address('macvlan2', 'inet6', 'fe80::2410:84ff:fe17:90d2', 64)],
      },
      sw: {
        'ip -d -j link': [
          LO,
          link(2, 'br0', { mac: '02:00:00:00:00:10', kind: 'bridge' }),
          link(3, 'p-host', { mac: '02:00:00:00:00:11', kind: 'veth', far: [2, 0], master: 'br0', port }),
          link(4, 'p-gw', { mac: '02:00:00:00:00:10', kind: 'veth', far: [2, 1], master: 'br0', port }),
        ],
        'ip -s -j link': [traffic('p-host', [3, 126], [1, 54]), traffic('p-gw', [0, 0], [4, 180])],
      },
      gw: {
        'ip -d -j link': [LO, link(2, 'eth0', { mac: GATEWAY, kind: 'veth', far: [4, 0] })],
        'ip -s -j link': [traffic('eth0', [4, 180], [0, 0])],
      },
    },
  };
}
