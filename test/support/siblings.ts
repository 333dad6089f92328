import type { HostContext } from '../../src/network/context/host-context.js';
import { parseContext } from '../../src/network/context/parse.js';

/** The parent and its two children in namespaces of their own, 10.0.0.14, .101 and .102. */
export const PARENT = '00:0c:29:00:00:14';
export const ONE = '26:10:84:00:00:01';
export const TWO = '26:10:84:00:00:02';

interface Kind {
  kind: 'macvlan' | 'macvtap' | 'ipvlan';
  mode: string;
  flag?: string;
  /** Mode of the second child, where it is another. */
  otherMode?: string;
  /** Hairpin of the switch port; left out: the switch is not in the context. */
  hairpin?: boolean;
  /** None at all, or those alone that IPv6 gives every device. */
  withoutAddresses?: boolean | 'link-local';
  /** Guests that run as processes, whose own devices the context shows: with the MACs of the taps. */
  withGuests?: boolean;
  /** The namespace of the parent is not in the context. */
  withoutHost?: boolean;
  /** The children have the MAC of the parent, as in ipvlan and macvlan passthru. */
  shared?: boolean;
  /** Addresses of fd00::/64 as well, that end as those of IPv4 do: fd00::101. */
  isDual?: boolean;
}

/** A host context with two children on one device. */
export function siblings({
  kind,
  mode,
  flag,
  otherMode = mode,
  hairpin,
  withoutAddresses = false,
  withGuests = false,
  withoutHost = false,
  shared = kind === 'ipvlan',
  isDual = false,
}: Kind): HostContext {
  const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
  const child = (name: string, address: string, itsMode: string) => ({
    'ip -d -j link': [
      {
        ...up,
        ifindex: 5,
        ifname: name,
        link_index: 2,
        link_netnsid: 0,
        address: shared ? PARENT : address,
        linkinfo: { info_kind: kind, info_data: { mode: itsMode, ...(flag ? { [flag]: true } : {}) } },
      },
    ],
  });
  const dual = (local: string) =>
    isDual ? [{ family: 'inet6', local: `fd00::${local.split('.')[3]}`, prefixlen: 64 }] : [];
  const addresses = (name: string, index: number, local: string) => ({
    'ip -j addr': [
      { ifindex: index, ifname: name, addr_info: [{ family: 'inet', local, prefixlen: 24 }, ...dual(local)] },
    ],
  });
  const linkLocal = (name: string) => ({
    'ip -j addr': [
      { ifindex: 5, ifname: name, addr_info: [{ family: 'inet6', local: 'fe80::2410:84ff:fe00:1', prefixlen: 64 }] },
    ],
  });
  const addressOf = (name: string, local: string) => {
    if (withoutAddresses === 'link-local') return linkLocal(name);
    return withoutAddresses ? {} : addresses(name, 5, local);
  };
  const guest = (mac: string, local: string) => ({
    'ip -d -j link': [
      { ...up, ifindex: 2, ifname: 'eth0', address: mac, linkinfo: { info_kind: 'tun', info_data: { type: 'tap' } } },
    ],
    ...addresses('eth0', 2, local),
  });
  const veth = { linkinfo: { info_kind: 'veth' } };
  const host = {
    'ip -d -j link': [
      {
        ...up,
        ifindex: 2,
        ifname: 'eth0',
        address: PARENT,
        ...(hairpin === undefined ? {} : { link_index: 3, link_netnsid: 0, ...veth }),
      },
    ],
    ...addresses('eth0', 2, '10.0.0.14'),
    'bridge -j fdb': [ONE, TWO].map((mac) => ({ mac, ifname: 'eth0', flags: ['self'], state: 'permanent' })),
  };
  return parseContext({
    kernel: '6.1',
    namespaces: {
      ...(withoutHost ? {} : { host }),
      ns1: { ...child('child1', ONE, mode), ...addressOf('child1', '10.0.0.101') },
      ns2: { ...child('child2', TWO, otherMode), ...addressOf('child2', '10.0.0.102') },
      ...(withGuests ? { 'qemu/11': guest(ONE, '10.0.0.101'), 'qemu/12': guest(TWO, '10.0.0.102') } : {}),
      ...(hairpin === undefined
        ? {}
        : {
            sw: {
              'ip -d -j link': [
                { ...up, ifindex: 1, ifname: 'br0', address: '02:00:00:00:00:aa', linkinfo: { info_kind: 'bridge' } },
                {
                  ...up,
                  ifindex: 3,
                  ifname: 'p-host',
                  link_index: 2,
                  link_netnsid: 0,
                  master: 'br0',
                  address: '02:00:00:00:00:ab',
                  linkinfo: {
                    info_kind: 'veth',
                    info_slave_kind: 'bridge',
                    info_slave_data: { state: 'forwarding', hairpin },
                  },
                },
              ],
              'bridge -d -j link': [{ ifindex: 3, ifname: 'p-host', master: 'br0', state: 'forwarding', hairpin }],
            },
          }),
    },
  });
}
