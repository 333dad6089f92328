import { describe, expect, it } from 'vitest';
import { parseIp } from '../../../src/network/context/address.js';
import type { Namespace } from '../../../src/network/context/device.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { wayTo } from '../../../src/network/context/routing.js';

const device = { ifindex: 2, ifname: 'eth0', link_type: 'ether', flags: ['UP'] };

/** Kind of the way to an address, and gateways of the routes. */
function way(to: string, v4: readonly object[], v6: readonly object[] = []) {
  const box = { 'ip -d -j link': [device], 'ip -j route': v4, 'ip -6 -j route': v6 };
  const { namespaces } = parseContext({ namespaces: { box } });
  const { kind, routes } = wayTo(namespaces.get('box') as Namespace, parseIp(to)?.words ?? []);
  return [kind, ...routes.map(({ gateway }) => gateway?.text)];
}

const route = (dst: string, gateway: string, more: object = {}) => ({ dst, gateway, dev: 'eth0', ...more });

describe('routes', () => {
  it('are taken by length, then by metric', () => {
    const three = [
      route('default', '10.0.0.1'),
      route('10.9.0.0/16', '10.0.0.2', { metric: 100 }),
      route('10.9.0.0/16', '10.0.0.3', { metric: 50 }),
      route('10.9.0.0/16', '10.0.0.4', { metric: 50 }),
      route('10.9.0.0/16', '10.0.0.5', { metric: 200 }),
    ];
    expect(way('10.9.0.1', three)).toEqual(['routed', '10.0.0.3', '10.0.0.4']);
    expect(way('10.8.0.1', three)).toEqual(['routed', '10.0.0.1']);
  });

  it('of several equal ways are told apart, less those over links that are down', () => {
    const hop = (gateway: string, flags: string[] = []) => ({ gateway, dev: 'eth0', weight: 1, flags });
    const equal = { dst: '10.9.0.0/16', flags: [], nexthops: [hop('10.0.0.2'), hop('10.0.0.3')] };
    expect(way('10.9.0.1', [equal])).toEqual(['routed', '10.0.0.2', '10.0.0.3']);
    const half = { ...equal, nexthops: [hop('10.0.0.2', ['dead', 'linkdown']), hop('10.0.0.3')] };
    expect(way('10.9.0.1', [half])).toEqual(['routed', '10.0.0.3']);
  });

  it('may have a gateway of the other family', () => {
    const via = { dst: '10.9.0.0/16', via: { family: 'inet6', host: 'fe80::1' }, dev: 'eth0' };
    expect(way('10.9.0.1', [via])).toEqual(['routed', 'fe80::1']);
  });

  it('of IPv6 are taken by the preference of their router where the metric is the same', () => {
    const two = [route('default', 'fe80::1', { pref: 'medium' }), route('default', 'fe80::2', { pref: 'low' })];
    expect(way('2001:db8::1', [], two)).toEqual(['routed', 'fe80::1']);
    expect(way('2001:db8::1', [], [...two, route('default', 'fe80::3', { pref: 'high' })])).toEqual([
      'routed',
      'fe80::3',
    ]);
    const even = [route('default', 'fe80::1', { pref: 'medium' }), route('default', 'fe80::2', { pref: 'medium' })];
    expect(way('2001:db8::1', [], even)).toEqual(['routed', 'fe80::1', 'fe80::2']);
  });

  it('refuse only where none before them leads on: what shuts a VPN in stands behind', () => {
    const shut = { type: 'unreachable', dst: 'default', metric: 4278198272 };
    expect(way('192.0.2.1', [route('default', '10.0.0.1'), shut])).toEqual(['routed', '10.0.0.1']);
    expect(way('192.0.2.1', [shut])).toEqual(['refused', undefined]);
    // IPv6 routes without metric have 1024.
    const own = route('default', 'fd00::1');
    expect(way('2001:db8::1', [], [own, { ...shut, metric: 1025 }])).toEqual(['routed', 'fd00::1']);
    expect(way('2001:db8::1', [], [own, { ...shut, metric: 512 }])).toEqual(['refused', undefined]);
  });

  it('over a link that is down are not used where the kernel says so', () => {
    const dead = route('10.9.0.0/16', '10.0.0.2', { flags: ['dead', 'linkdown'] });
    expect(way('10.9.0.1', [route('default', '10.0.0.1'), dead])).toEqual(['routed', '10.0.0.1']);
    const down = route('10.9.0.0/16', '10.0.0.2', { flags: ['linkdown'] });
    expect(way('10.9.0.1', [route('default', '10.0.0.1'), down])).toEqual(['routed', '10.0.0.2']);
  });
});
