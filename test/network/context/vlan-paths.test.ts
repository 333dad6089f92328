import { describe, expect, it } from 'vitest';
import type { Device } from '../../../src/network/context/device.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { isTrunkOnly, tagsBetween } from '../../../src/network/context/vlan-paths.js';

const vlan = (ifindex: number, ifname: string, link: string, id: number, master?: string) => ({
  ifindex,
  ifname,
  link,
  flags: ['UP'],
  linkinfo: { info_kind: 'vlan', info_data: { id } },
  ...(master ? { master } : {}),
});
const bridge = (ifindex: number, ifname: string, vlan_filtering: number) => ({
  ifindex,
  ifname,
  linkinfo: { info_kind: 'bridge', info_data: { vlan_filtering } },
});

const context = parseContext({
  namespaces: {
    host: {
      'ip -d -j link': [
        { ifindex: 2, ifname: 'eth0' },
        vlan(3, 'eth0.100', 'eth0', 100),
        vlan(4, 'eth0.100.7', 'eth0.100', 7),
        vlan(5, 'eth0.200', 'eth0', 200, 'br200'),
        bridge(6, 'br200', 0),
        vlan(7, 'eth0.300', 'eth0', 300, 'brf'),
        bridge(8, 'brf', 1),
        { ifindex: 9, ifname: 'eth1' },
      ],
      'ip -j addr': [
        { ifindex: 2, ifname: 'eth0', addr_info: [{ local: 'fe80::1', prefixlen: 64 }] },
        { ifindex: 9, ifname: 'eth1', addr_info: [{ local: '10.0.0.1', prefixlen: 24 }] },
      ],
      'bridge -d -j vlan': [
        {
          ifname: 'eth0.300',
          vlans: [
            { vlan: 1, flags: ['PVID', 'Egress Untagged'] },
            { vlan: 10, vlanEnd: 12 },
            { vlan: 4000, vlanEnd: 1e9 },
          ],
        },
      ],
    },
  },
});
const device = (name: string) => context.device('host', name) as Device;
const trunk = device('eth0');

describe('tags between a trunk and what sits on it', () => {
  it.each([
    ['eth0', []],
    ['eth0.100', [100]],
    ['eth0.100.7', [100, 7]],
    ['br200', [200]],
    ['brf', null],
    ['eth1', null],
  ])('%s', (name, tags) => {
    expect(tagsBetween(context, trunk, device(name))).toEqual(tags);
  });

  it('tells a device that only VLANs use', () => {
    expect(isTrunkOnly(context, trunk)).toBe(true);
    expect(isTrunkOnly(context, device('eth1'))).toBe(false);
  });
});

it('reads the VLANs of bridge ports, ranges no further than ids go', () => {
  const vlans = device('eth0.300').portVlans;
  expect(vlans?.get(1)).toEqual({ pvid: true, untagged: true });
  expect([...(vlans?.keys() ?? [])].filter((id) => id < 4000)).toEqual([1, 10, 11, 12]);
  expect(Math.max(...(vlans?.keys() ?? []))).toBe(4094);
  expect(device('eth0').portVlans).toBeNull();
});
