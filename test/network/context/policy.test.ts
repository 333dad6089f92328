import { describe, expect, it } from 'vitest';
import { parseIp } from '../../../src/network/context/address.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { wayTo } from '../../../src/network/context/routing.js';
import { link } from './host.js';

/** As iproute2 writes them, of a machine where nobody changed any. */
const LOCAL = { priority: 0, src: 'all', table: 'local' };
const MAIN = { priority: 32766, src: 'all', table: 'main' };
const DEFAULT = { priority: 32767, src: 'all', table: 'default' };
const ONE_WAY = [{ dst: '10.0.0.0/24', dev: 'eth0' }];

function kind(
  rules: readonly object[] | null,
  to: string,
  {
    from = null as string | null,
    tables = [] as object[] | null,
    main = ONE_WAY as object[],
    links = [] as object[],
  } = {},
) {
  const host = parseContext({
    namespaces: {
      host: {
        'ip -d -j link': links,
        'ip -j route': main,
        'ip -j rule': rules && [LOCAL, ...rules, MAIN, DEFAULT],
        'ip -j route show table all': tables,
      },
    },
  }).namespaces.get('host');
  const [words, source] = [to, from].map((each) => (each === null ? null : (parseIp(each)?.words ?? null)));
  return host && words && wayTo(host, words, source).kind;
}
const OTHER = [{ dst: 'default', gateway: '10.0.1.1', dev: 'eth1', table: '101' }];

describe('policy routing', () => {
  it('is as if it were not there where only the usual rules are', () => {
    for (const rules of [null, []]) {
      expect(kind(rules, '10.0.0.9')).toBe('routed');
      expect(kind(rules, '10.8.0.9')).toBe('none');
      expect(kind(rules, '10.8.0.9', { tables: null })).toBe('none');
    }
  });

  it('by source decides for the packets of that source alone: a machine with two cards, and a default route for each', () => {
    const rules = [{ priority: 100, src: '10.0.1.5', table: '101' }];
    expect(kind(rules, '10.8.0.9', { tables: OTHER, from: '10.0.1.5' })).toBe('unknown');
    expect(kind(rules, '10.8.0.9', { tables: OTHER, from: '10.0.0.5' })).toBe('none');
    expect(kind(rules, '10.8.0.9', { tables: OTHER })).toBe('unknown');
    const network = [{ priority: 100, src: '10.0.1.0', srclen: 24, table: '101' }];
    expect(kind(network, '10.8.0.9', { tables: OTHER, from: '10.0.1.77' })).toBe('unknown');
    expect(kind(network, '10.8.0.9', { tables: OTHER, from: '10.0.2.77' })).toBe('none');
  });

  it('by destination decides for those alone', () => {
    const rules = [{ priority: 100, src: 'all', dst: '10.8.0.0', dstlen: 16, table: '101' }];
    expect(kind(rules, '10.8.0.9', { tables: OTHER })).toBe('unknown');
    expect(kind(rules, '10.0.0.9', { tables: OTHER })).toBe('routed');
  });

  it('by marks and devices may decide (WireGuard, Calico, Cilium), but not by a table without a way there', () => {
    const wireguard = [
      { priority: 32764, src: 'all', table: 'main', suppress_prefixlen: 0 },
      { priority: 32765, not: null, src: 'all', fwmark: '0xca6c', table: '51820' },
    ];
    const table = [{ dst: 'default', dev: 'wg0', table: '51820' }];
    expect(kind(wireguard, '10.8.0.9', { tables: table })).toBe('unknown');
    expect(kind(wireguard, '10.8.0.9', { tables: null })).toBe('unknown');
    const marked = [{ priority: 9, src: 'all', fwmark: '0x200', fwmask: '0xf00', table: '2004' }];
    expect(kind(marked, '10.8.0.9', { tables: [{ dst: '10.3.0.0/16', dev: 'eth1', table: '2004' }] })).toBe('none');
    expect(kind(marked, '10.8.0.9', { tables: null })).toBe('unknown');
    expect(kind([{ priority: 9, src: 'all', iif: 'eth1', table: '101' }], '10.0.0.9', { tables: OTHER })).toBe(
      'unknown',
    );
  });

  it('that refuses, and VRFs, are left alone', () => {
    expect(kind([{ priority: 9, src: 'all', action: 'unreachable' }], '10.0.0.9')).toBe('unknown');
    const links = [link(5, 'red', { kind: 'vrf', data: { table: 10 } })];
    expect(kind([{ priority: 1000, src: 'all', l3mdev: null }], '10.0.0.9', { links })).toBe('unknown');
    expect(kind(null, '10.8.0.9', { links })).toBe('unknown');
  });
});
