import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { parseIp } from '../../src/network/context/address.js';
import type { Namespace } from '../../src/network/context/device.js';
import { parseContext } from '../../src/network/context/parse.js';
import { wayTo } from '../../src/network/context/routing.js';
import { type Below, randomOf } from '../support/random.js';
import { ipv6, set } from './cures/routed.js';
import { Lab, sleep, whyNot } from './lab.js';

const TABLES = 12;
const ROUTES = 14;
const LOOKUPS = 16;
const FAMILIES = {
  4: {
    prefixes: [
      'default',
      '198.18.0.0/15',
      '198.18.0.0/16',
      '198.18.4.0/22',
      '198.18.4.0/24',
      '198.18.4.9',
      '203.0.0.0/8',
    ],
    addresses: ['198.18.4.9', '198.18.4.77', '198.18.6.1', '198.18.200.1', '198.19.0.1', '203.0.113.9', '192.0.2.1'],
    gateway: (device: number) => `10.${device}.0.9`,
  },
  6: {
    prefixes: ['default', '2001:db8::/32', '2001:db8:4::/48', '2001:db8:4:1::/64', '2001:db8:4:1::9', 'fd77::/16'],
    addresses: ['2001:db8:4:1::9', '2001:db8:4:1::8', '2001:db8:4:2::1', '2001:db8:9::1', 'fd77::1', '2600::1'],
    gateway: (device: number) => `fd0${device}::9`,
  },
} as const;

function randomRoute(below: Below, family: 4 | 6): string {
  const one = <T>(list: readonly T[]): T => list[below(list.length)];
  const { prefixes, gateway } = FAMILIES[family];
  const prefix = one(prefixes);
  const device = below(3);
  const metric = one(['', '', ' metric 10', ' metric 50', ' metric 2000']);
  const hop = (at: number) => `nexthop via ${gateway(at)} dev v${at}`;
  const ways = [
    `${prefix} dev v${device}`,
    `${prefix} via ${gateway(device)}`,
    `${prefix} via ${gateway(device)} dev v${device}`,
    `${one(['blackhole', 'unreachable', 'prohibit', 'throw'])} ${prefix}`,
  ];
  return one([...ways, ...ways, `${prefix} ${hop(0)} ${hop(1)}`]) + metric;
}

describe.skipIf(whyNot !== null)(`routes${whyNot === null ? '' : ` (skipped: ${whyNot})`}`, () => {
  const lab = new Lab();
  afterAll(() => lab.remove());

  it('lead where the kernel sends packets', { timeout: 120_000 }, async () => {
    const below = randomOf(20_261_122);
    const counts = { routed: 0, none: 0, refused: 0, unknown: 0 };
    for (let table = 0; table < TABLES; table++) {
      const name = `r${table}`;
      lab.namespaces(name, `${name}e`);
      ipv6(lab, name, `${name}e`);
      for (const device of [0, 1, 2]) {
        lab.cable(name, `v${device}`, `${name}e`, `e${device}`);
        lab.address(name, `v${device}`, `10.${device}.0.1/24`).address(name, `v${device}`, `fd0${device}::1/64`);
      }
      const families = [4, 6] as const;
      for (const family of families)
        for (let i = 0; i < ROUTES; i++) {
          const words = randomRoute(below, family).split(' ');
          spawnSync('ip', ['-n', lab.name(name), `-${family}`, 'route', 'add', ...words]);
        }
      // Routes over a link that is down stay in the list, and are not used.
      if (below(3) === 0) set(lab, `${name}`, 'net.ipv4.conf.all.ignore_routes_with_linkdown=1');
      if (below(3) === 0) {
        lab.ip(`${name}e`, 'link set e1 down');
        while (!lab.exec(name, 'ip', 'link', 'show', 'v1').includes('state DOWN')) await sleep(50);
      }
      const ask = (...words: string[]) => JSON.parse(lab.exec(name, 'ip', ...words) || '[]');
      const namespace = parseContext({
        namespaces: {
          r: {
            'ip -d -j link': ask('-d', '-j', 'link'),
            'ip -j addr': ask('-j', 'addr'),
            'ip -j route': ask('-j', 'route'),
            'ip -6 -j route': ask('-6', '-j', 'route'),
          },
        },
      }).namespaces.get('r') as Namespace;
      for (let i = 0; i < LOOKUPS; i++) {
        const family = families[i % 2];
        const { addresses } = FAMILIES[family];
        const address = addresses[below(addresses.length)];
        const way = wayTo(namespace, parseIp(address)?.words ?? []);
        counts[way.kind]++;
        const { status, stdout } = spawnSync('ip', ['-n', lab.name(name), '-j', 'route', 'get', address], {
          encoding: 'utf8',
        });
        const said = `${address}: ${JSON.stringify(way)}\n${stdout}\n${lab.exec(name, 'ip', `-${family}`, 'route')}`;
        if (way.kind === 'unknown') continue;
        expect(status === 0, said).toBe(way.kind === 'routed');
        if (status !== 0) continue;
        const [{ dev, gateway }] = JSON.parse(stdout);
        const hops = way.routes.map((route) => [route.dev, route.gateway?.text]);
        expect(hops, said).toContainEqual([dev, gateway]);
      }
    }
    expect(counts.routed).toBeGreaterThan(TABLES * 4);
    expect(counts.refused).toBeGreaterThan(TABLES);
    expect(counts.unknown).toBeLessThan(TABLES * 4);
  });
});
