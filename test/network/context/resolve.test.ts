import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { CHILD1, CHILD2, ENS34, filtered, GATEWAY, learned, link, traffic, vepaHost } from './host.js';

type Commands = Record<string, unknown[]>;

/** A context of links alone, with what else is known of some namespaces. */
function contextOf(links: Record<string, object[]>, more: Record<string, Commands> = {}) {
  const namespaces = Object.entries(links).map(([name, rows]) => [name, { 'ip -d -j link': rows, ...more[name] }]);
  return parseContext({ namespaces: Object.fromEntries(namespaces) });
}

const macvlan = (index: number, name: string, mac: string, far: [number, number], mode = 'vepa') =>
  link(index, name, { mac, kind: 'macvlan', data: { mode }, far });
const eth = (index: number, mac: string) => link(index, 'eth0', { mac });

describe('parents', () => {
  it('finds them by the receive filter among devices with the same number', () => {
    const context = parseContext(vepaHost());
    const parent = context.device('host', 'ens34');
    const child1 = context.device('ns01', 'macvlan1');
    const child2 = context.device('ns02', 'macvlan2');
    if (!parent || !child1 || !child2) throw new Error('missing');
    expect(child1.parent).toBe(parent);
    expect(child1.link?.found).toBe('fdb');
    expect(context.parents(child2)).toEqual([parent]);
    expect(context.childrenOf(parent)).toEqual([child1, child2]);
    expect(context.sharesParent(child1, child2)).toBe('yes');
    expect(context.sharesParent(child1, parent)).toBe('no');
  });

  it('finds a parent in the same namespace by name', () => {
    const context = contextOf({ host: [eth(2, ENS34), link(3, 'eth0.5', { kind: 'vlan', link: 'eth0' })] });
    expect(context.device('host', 'eth0.5')).toMatchObject({ parent: { name: 'eth0' }, link: { found: 'name' } });
  });

  it('finds them by the address where parent and child share it', () => {
    const ipvlan = link(2, 'ipvlan1', { mac: ENS34, kind: 'ipvlan', data: { mode: 'l2' }, far: [2, 0] });
    const passthru = macvlan(2, 'macvlan1', GATEWAY, [2, 0], 'passthru');
    const context = contextOf({ ns01: [ipvlan], ns02: [passthru], host: [eth(2, ENS34)], other: [eth(2, GATEWAY)] });
    expect(context.device('ns01', 'ipvlan1')).toMatchObject({ parent: { namespace: 'host' }, link: { found: 'mac' } });
    expect(context.device('ns02', 'macvlan1')?.parent?.namespace).toBe('other');
  });

  it('keeps every candidate where nothing tells them apart', () => {
    const context = contextOf({
      ns01: [macvlan(2, 'macvlan1', CHILD1, [2, 0])],
      ns02: [macvlan(2, 'macvlan2', CHILD2, [2, 0])],
      ns03: [macvlan(2, 'macvlan3', '26:10:84:17:90:d3', [7, 0])],
      host: [eth(2, ENS34)],
      gw: [eth(2, GATEWAY)],
    });
    const [one, two, three] = context.devices;
    expect(one.parent).toBeNull();
    expect(context.parents(one).map((device) => device.namespace)).toEqual(['host', 'gw']);
    expect(context.sharesParent(one, two)).toBe('maybe');
    expect(context.parents(three)).toEqual([]);
    const host = context.device('host', 'eth0');
    expect(host && context.childrenOf(host)).toEqual([]);
  });

  it('does not take the only device with that number for the parent', () => {
    const context = contextOf({ ns01: [macvlan(2, 'macvlan1', CHILD1, [2, 0])], gw: [eth(2, GATEWAY)] });
    expect(context.devices[0].parent).toBeNull();
    expect(context.parents(context.devices[0])).toHaveLength(1);
  });

  it('leaves out what cannot be a parent: loopback, other children, ports of a bridge', () => {
    const context = contextOf({
      ns01: [macvlan(2, 'macvlan1', CHILD1, [2, 0])],
      ns02: [macvlan(2, 'macvlan2', CHILD2, [9, 0])],
      a: [link(2, 'lo2', { flags: ['LOOPBACK', 'UP'] })],
      b: [link(3, 'br0', { kind: 'bridge' }), link(2, 'port', { master: 'br0', port: {} })],
      c: [link(3, 'red', { kind: 'vrf' }), link(2, 'eth0', { master: 'red' })],
    });
    expect(context.parents(context.devices[0]).map((device) => device.namespace)).toEqual(['c']);
  });

  it('knows siblings of one namespace by their numbers, without the parent', () => {
    const context = contextOf({
      ns01: [
        macvlan(2, 'a', CHILD1, [5, 0]),
        macvlan(3, 'b', CHILD2, [5, 0]),
        macvlan(4, 'c', GATEWAY, [6, 0]),
        macvlan(6, 'd', ENS34, [5, 1]),
      ],
    });
    const [a, b, c, d] = context.devices;
    expect(context.sharesParent(a, b)).toBe('yes');
    expect(context.sharesParent(a, c)).toBe('no');
    expect(context.sharesParent(a, d)).toBe('no');
  });

  it('follows a namespace number that another device proves', () => {
    const context = contextOf(
      {
        ns01: [macvlan(2, 'macvlan1', CHILD1, [2, 0]), link(3, 'eth1', { mac: CHILD2, kind: 'veth', far: [9, 0] })],
        gw: [eth(2, GATEWAY)],
        host: [
          eth(2, ENS34),
          link(4, 'br0', { kind: 'bridge' }),
          link(9, 'veth9', { kind: 'veth', far: [3, 5], master: 'br0', port: {} }),
        ],
      },
      { host: { 'bridge -j fdb': [learned('veth9', CHILD2)] } },
    );
    expect(context.device('ns01', 'eth1')).toMatchObject({ peer: { name: 'veth9' }, link: { found: 'fdb' } });
    const child = context.device('ns01', 'macvlan1');
    expect(child).toMatchObject({ parent: { namespace: 'host' }, link: { found: 'netns' } });
  });

  it('ignores multicast, remote and learned addresses as a receive filter', () => {
    const rows = [
      { ...filtered('eth0', CHILD1), dst: '10.0.0.1' },
      { ...filtered('eth0', CHILD1), state: '' },
      filtered('eth0', '01:00:5e:00:00:01'),
    ];
    const links = { ns01: [macvlan(2, 'macvlan1', CHILD1, [2, 0])], host: [eth(2, ENS34)] };
    expect(contextOf(links, { host: { 'bridge -j fdb': rows } }).devices[0].parent).toBeNull();
    const own = { host: { 'bridge -j fdb': [filtered('eth0', CHILD1)] } };
    expect(contextOf(links, own).devices[0].parent?.namespace).toBe('host');
  });
});

describe('veth peers', () => {
  const veth = (index: number, name: string, mac: string, far: number, extra = {}) =>
    link(index, name, { mac, kind: 'veth', far: [far, 0], ...extra });
  const A = '02:00:00:00:00:0a';
  const B = '02:00:00:00:00:0b';
  const C = '02:00:00:00:00:0c';

  it('pairs two that name each other', () => {
    const context = contextOf({ a: [veth(2, 'veth0', A, 5)], b: [veth(5, 'veth1', B, 2)] });
    const [a, b] = context.devices;
    expect([a.peer, b.peer]).toEqual([b, a]);
    expect(a.link?.found).toBe('pair');
    expect(a.parent).toBeNull();
    expect(context.parents(a)).toEqual([]);
  });

  it('pairs both ends in one namespace by name', () => {
    const rows = [link(2, 'v0', { kind: 'veth', link: 'v1' }), link(3, 'v1', { kind: 'veth', link: 'v0' })];
    const [a, b] = contextOf({ host: rows }).devices;
    expect([a.peer, b.peer]).toEqual([b, a]);
  });

  it('leaves rivals open', () => {
    const context = contextOf({ a: [veth(2, 'x', A, 5)], b: [veth(2, 'x', B, 5)], sw: [veth(5, 'p', C, 2)] });
    expect(context.devices.map((device) => device.peer)).toEqual([null, null, null]);
    expect(context.devices[2].link?.candidates).toHaveLength(2);
  });

  it('tells rivals apart by what the bridge learned', () => {
    const port = { master: 'br0', port: {} };
    const context = contextOf(
      { a: [veth(2, 'x', A, 5)], b: [veth(2, 'x', B, 5)], sw: [link(1, 'br0'), veth(5, 'p', C, 2, port)] },
      { sw: { 'bridge -j fdb': [learned('p', B)] } },
    );
    expect(context.device('sw', 'p')).toMatchObject({ peer: { namespace: 'b' }, link: { found: 'fdb' } });
    expect(context.device('a', 'x')).toMatchObject({ peer: null, link: { candidates: [] } });
  });

  it('tells rivals apart by what passed them', () => {
    const context = contextOf(
      { a: [veth(2, 'x', A, 5)], b: [veth(2, 'x', B, 5)], sw: [veth(5, 'p', C, 2)] },
      {
        a: { 'ip -s -j link': [traffic('x', [4, 400], [5, 500])] },
        b: { 'ip -s -j link': [traffic('x', [6, 600], [7, 700])] },
        sw: { 'ip -s -j link': [traffic('p', [7, 700], [6, 600])] },
      },
    );
    expect(context.device('sw', 'p')).toMatchObject({ peer: { namespace: 'b' }, link: { found: 'counters' } });
  });

  it('does not pair ends whose counters contradict', () => {
    const context = contextOf(
      { a: [veth(2, 'x', A, 5)], sw: [veth(5, 'p', C, 2)] },
      {
        a: { 'ip -s -j link': [traffic('x', [4, 400], [5, 500])] },
        sw: { 'ip -s -j link': [traffic('p', [7, 700], [6, 600])] },
      },
    );
    expect(context.devices.map((device) => device.peer)).toEqual([null, null]);
  });
});

describe('numbers of namespaces that the host tells', () => {
  const ids = (...rows: [nsid: number, name?: string | null][]) => ({
    'ip -j netns list-id': rows.map(([nsid, name]) => ({ nsid, ...(name === undefined ? {} : { name }) })),
  });
  const veth = (index: number, name: string, far: [number, number]) => link(index, name, { kind: 'veth', far });
  /** Two cables alike, a to sw and b to sw2, a third from b to sw; counters no longer fit. */
  const links = {
    a: [veth(2, 'x', [5, 0])],
    b: [veth(2, 'x', [5, 0]), veth(3, 'y', [6, 1])],
    sw: [veth(5, 'pa', [2, 0]), veth(6, 'pb', [3, 1])],
    sw2: [veth(5, 'p', [2, 0])],
  };
  const busy = {
    a: { 'ip -s -j link': [traffic('x', [4, 400], [5, 500])] },
    sw: { 'ip -s -j link': [traffic('pa', [6, 600], [5, 500])] },
  };
  const peerOf = (context: ReturnType<typeof contextOf>, namespace: string, name: string) => {
    const device = context.device(namespace, name);
    return device?.peer && context.label(device.peer);
  };

  it('pair ends whose counters contradict, by what one of the two says', () => {
    expect(peerOf(contextOf(links, busy), 'sw', 'pa')).toBeNull();
    for (const more of [{ sw: ids([0, 'a'], [1, 'b']) }, { a: ids([0, 'sw']) }]) {
      const [[name, rows]] = Object.entries(more);
      const context = contextOf(links, { ...busy, [name]: { ...(busy as Record<string, Commands>)[name], ...rows } });
      expect(peerOf(context, 'sw', 'pa')).toBe('x in a');
      expect(context.device('a', 'x')).toMatchObject({ peer: { name: 'pa' }, link: { found: 'netns' } });
    }
  });

  it('lead to no other end that has other numbers', () => {
    const context = contextOf(links, { sw: ids([0, 'b'], [1, 'a']) });
    expect(context.device('sw', 'pb')).toMatchObject({ peer: null, link: { candidates: [] } });
  });

  it('keep what is not in the file from being paired with what is', () => {
    const alone = { a: links.a, sw: [veth(5, 'pa', [2, 0])] };
    expect(peerOf(contextOf(alone), 'sw', 'pa')).toBe('x in a');
    expect(peerOf(contextOf(alone, { sw: ids([0, null]) }), 'sw', 'pa')).toBeNull();
    expect(peerOf(contextOf(alone, { sw: ids([0, 'elsewhere']) }), 'sw', 'pa')).toBeNull();
    expect(peerOf(contextOf(alone, { a: ids([0, null]) }), 'sw', 'pa')).toBeNull();
  });

  it('leave for a number that has no name the namespaces that others do not have', () => {
    const context = contextOf(links, { sw: ids([0], [1, 'b']), a: ids([0]) });
    expect(context.device('sw', 'pa')?.link?.candidates).toEqual([context.device('a', 'x')]);
    const both = contextOf(links, { sw: ids([0], [1, 'b']), sw2: ids([0, 'b']) });
    expect(peerOf(both, 'sw', 'pa')).toBe('x in a');
  });

  it('tell the parent of a child, which nothing else does', () => {
    const children = { ns01: [macvlan(2, 'macvlan1', CHILD1, [2, 3])], host: [eth(2, ENS34)], gw: [eth(2, GATEWAY)] };
    const context = contextOf(children, { ns01: ids([3, 'host']) });
    expect(context.device('ns01', 'macvlan1')?.parent).toBe(context.device('host', 'eth0'));
    const vlan = {
      a: [link(2, 'v5', { kind: 'vlan', far: [3, 0] })],
      b: [link(3, 'port', { master: 'br0', port: {} })],
    };
    expect(contextOf(vlan, { a: ids([0, 'b']) }).devices[0].parent?.name).toBe('port');
  });
});

describe('reflectiveRelay', () => {
  const relay = (port: object) => {
    const context = parseContext(vepaHost(port));
    const parent = context.device('host', 'ens34');
    return parent && context.reflectiveRelay(parent);
  };

  it.each([
    ['on', { state: 'forwarding', hairpin: true, isolated: false }],
    ['on', { hairpin: true }],
    ['off', { state: 'forwarding', hairpin: false, isolated: false }],
    ['off', { state: 'forwarding', hairpin: true, isolated: true }],
    ['off', { state: 'blocking', hairpin: true, isolated: false }],
    ['unknown', { state: 'forwarding' }],
  ])('is %s with %j', (expected, port) => {
    expect(relay(port)).toBe(expected);
  });

  it('is unknown where the switch is not in the file', () => {
    const { sw: _, ...namespaces } = vepaHost().namespaces;
    const context = parseContext({ namespaces });
    const parent = context.device('host', 'ens34');
    expect(parent && context.reflectiveRelay(parent)).toBe('unknown');
    expect(parent && context.switchPort(parent)).toBeNull();
  });
});
