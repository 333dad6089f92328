import { describe, expect, it } from 'vitest';
import type { Device } from '../../../src/network/context/device.js';
import { ContextError } from '../../../src/network/context/error.js';
import { MAX_DEVICES, parseContext } from '../../../src/network/context/parse.js';
import { CHILD1, ENS34, link, vepaHost } from './host.js';

/** The only device of a context that holds this row of `ip -d -j link`. */
function only(row: object, more: object = {}): Device {
  return parseContext({ namespaces: { host: { 'ip -d -j link': [row], ...more } } }).devices[0];
}

describe('devices', () => {
  it('tells what a device is', () => {
    const device = parseContext(vepaHost()).device('ns01', 'macvlan1');
    expect(device).toMatchObject({
      namespace: 'ns01',
      name: 'macvlan1',
      index: 2,
      mac: { hi: 0x2610, lo: 0x841790d1 | 0, text: CHILD1 },
      kind: 'macvlan',
      mode: 'vepa',
      flag: null,
      up: true,
      operstate: 'UP',
      noCarrier: false,
      mtu: 1500,
    });
    const words = [((172 << 24) | (16 << 16) | (91 << 8) | 101) >> 0];
    expect(device?.addresses).toEqual([{ family: 4, words, text: '172.16.91.101', prefixLength: 24 }]);
  });

  it('reads IPv6 addresses as four words', () => {
    const [address] = parseContext(vepaHost()).device('ns02', 'macvlan2')?.addresses ?? [];
    expect(address.words.map((word) => word >>> 0)).toEqual([0xfe800000, 0, 0x241084ff, 0xfe1790d2]);
  });

  it.each([
    [{ mode: 'l2', vepa: true }, 'l2', 'vepa'],
    [{ mode: 'l3', private: true }, 'l3', 'private'],
    [{ mode: 'l3s', bridge: true }, 'l3s', 'bridge'],
    [{ mode: 'l2' }, 'l2', null],
  ])('reads ipvlan %j', (data, mode, flag) => {
    expect(only(link(2, 'ipvlan1', { kind: 'ipvlan', data }))).toMatchObject({ kind: 'ipvlan', mode, flag });
  });

  it('reads vxlan devices', () => {
    const data = { id: 10, remote: '10.1.1.2', link: 'eth0', port: 8472, learning: true };
    const { vxlan } = only(link(3, 'vxlan10', { kind: 'vxlan', data }));
    expect(vxlan).toMatchObject({ id: 10, port: 8472, local: null, group: null, learning: true, link: 'eth0' });
    expect(vxlan?.remote?.words).toEqual([0x0a010102]);
    const group = only(link(3, 'vxlan10', { kind: 'vxlan', data: { id: 1, group6: 'ff05::100' } })).vxlan?.group;
    expect(group?.words.map((word) => word >>> 0)).toEqual([0xff050000, 0, 0, 0x100]);
  });

  it('reads VLAN devices', () => {
    const device = only(link(3, 'svlan', { kind: 'vlan', data: { id: 1000, protocol: '802.1ad' } }));
    expect(device.vlan).toEqual({ id: 1000, protocol: '802.1ad' });
  });

  it('reads bridge ports from ip link and from bridge link', () => {
    const port = { state: 'forwarding', hairpin: true, isolated: false };
    expect(only(link(3, 'p', { master: 'br0', port }))).toMatchObject(port);
    const alone = only(link(3, 'p'), { 'bridge -d -j link': [{ ifname: 'p', ...port }] });
    expect(alone).toMatchObject(port);
  });

  it('takes devices from ip addr where ip link failed', () => {
    const row = { ...link(2, 'eth0', { mac: ENS34 }), addr_info: [{ local: '10.0.0.1', prefixlen: 8 }] };
    const context = parseContext({ namespaces: { host: { 'ip -d -j link': null, 'ip -j addr': [row] } } });
    expect(context.device('host', 'eth0')).toMatchObject({ mac: { text: ENS34 }, kind: null });
    expect(context.devicesByIp([0x0a000001])).toHaveLength(1);
  });

  it('knows a device without a carrier', () => {
    expect(only(link(2, 'eth0', { flags: ['NO-CARRIER', 'UP'] }))).toMatchObject({ up: true, noCarrier: true });
  });
});

describe('queries', () => {
  const context = parseContext(vepaHost());
  const names = (devices: readonly Device[]) => devices.map((device) => context.label(device));

  it('finds devices by MAC, loopbacks aside', () => {
    expect(names(context.devicesByMac(0x2610, 0x841790d1))).toEqual(['macvlan1 in ns01']);
    expect(names(context.devicesByMac(0x2610, 0x841790d1 | 0))).toEqual(['macvlan1 in ns01']);
    expect(context.devicesByMac(0, 0)).toEqual([]);
  });

  it('finds devices by IP', () => {
    expect(names(context.devicesByIp([0xac105b0e]))).toEqual(['ens34 in host']);
    expect(names(context.devicesByIp(new Int32Array([0xfe800000, 0, 0x241084ff, 0xfe1790d2])))).toEqual([
      'macvlan2 in ns02',
    ]);
    expect(context.devicesByIp([1])).toEqual([]);
  });

  it('gives routes, neighbours and settings', () => {
    const host = context.namespaces.get('host');
    expect(host?.routes).toMatchObject([
      { dst: 'default', gateway: { text: '172.16.91.2' }, dev: 'ens34', prefsrc: null, type: 'unicast' },
      { dst: '172.16.91.0/24', gateway: null, dev: 'ens34', prefsrc: { text: '172.16.91.14' } },
    ]);
    expect(context.namespaces.get('ns01')?.neighbours).toMatchObject([
      { dst: { text: '172.16.91.102' }, dev: 'macvlan1', lladdr: null, state: ['FAILED'] },
    ]);
    expect(context.sysctl('host', 'net.ipv4.ip_forward')).toBe('0');
    expect(context.sysctl('host', 'net.ipv4.nothing')).toBeNull();
    expect(context.sysctl('nowhere', 'net.ipv4.ip_forward')).toBeNull();
  });
});

describe('hostile contexts', () => {
  it.each([null, 1, 'text', [], {}, { namespaces: null }, { namespaces: [] }, { namespaces: 'host' }])(
    'refuses %j',
    (json) => {
      expect(() => parseContext(json)).toThrow(ContextError);
    },
  );

  it('passes over values of a wrong kind, wherever they stand', () => {
    const odd = [null, true, -1, 1e300, 'text', [], {}, [null], [[]], [{}], { a: [1] }];
    for (const value of odd) {
      expect(parseContext({ kernel: value, namespaces: { host: value } }).devices).toEqual([]);
      const wrong = mutate(vepaHost(), value);
      for (const json of wrong) {
        const context = parseContext(json);
        for (const device of context.devices) {
          context.localMac(device, 0x2610, 0x841790d1);
          context.reflectiveRelay(device);
          context.parents(device);
        }
      }
    }
  });

  it('keeps names that are keys of objects apart', () => {
    const json = JSON.parse(
      '{"namespaces":{"__proto__":{"ip -d -j link":[{"ifindex":1,"ifname":"constructor"},{"ifindex":2,"ifname":"__proto__","link":"toString"}],"sysctl":{"__proto__":"1"}}}}',
    );
    const context = parseContext(json);
    expect(context.devices.map((device) => context.label(device))).toEqual([
      'constructor in __proto__',
      '__proto__ in __proto__',
    ]);
    expect(context.device('__proto__', 'toString')).toBeNull();
    expect(context.sysctl('__proto__', '__proto__')).toBe('1');
    expect(context.sysctl('constructor', 'name')).toBeNull();
    expect(({} as Record<string, unknown>).devices).toBeUndefined();
  });

  it('bears devices that lean on and master each other in circles', () => {
    const rows = [
      link(1, 'a', { kind: 'vlan', link: 'b', master: 'b', mac: '02:00:00:00:00:01' }),
      link(2, 'b', { kind: 'vlan', link: 'a', master: 'a', mac: '02:00:00:00:00:02' }),
      link(3, 'c', { kind: 'macvlan', link: 'c', master: 'c' }),
    ];
    const context = parseContext({ namespaces: { host: { 'ip -d -j link': rows } } });
    const [a, b, c] = context.devices;
    expect(a.parent).toBe(b);
    expect(c.parent).toBeNull();
    expect(context.localMac(a, 0x0200, 1)).toBe('local');
    expect(context.reflectiveRelay(a)).toBe('unknown');
    expect(context.sharesParent(a, b)).toBe('no');
  });

  it('bears macvlan devices that lean on each other in circles', () => {
    const rows = [
      link(1, 'a', { kind: 'macvlan', link: 'b', mac: '02:00:00:00:00:01' }),
      link(2, 'b', { kind: 'macvlan', link: 'a', mac: '02:00:00:00:00:02' }),
    ];
    const context = parseContext({ namespaces: { host: { 'ip -d -j link': rows } } });
    expect(context.localMac(context.devices[0], 0x0200, 3)).toBe('unknown');
  });

  it('refuses more devices than a host has, and reads as many as it may have in time', () => {
    const rows = (length: number) => Array.from({ length }, (_, i) => link(i + 1, `d${i}`));
    const few = { namespaces: { host: { 'ip -d -j link': rows(MAX_DEVICES) } } };
    expect(parseContext(few).devices).toHaveLength(MAX_DEVICES);
    const many = { namespaces: { host: { 'ip -d -j link': rows(MAX_DEVICES + 1) } } };
    expect(() => parseContext(many)).toThrow(`more than ${MAX_DEVICES} devices`);
  });

  it('refuses what is nested deeper than any command writes', () => {
    const inside = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    const context = (depth: number) => ({ namespaces: { host: { 'nft -j list ruleset': inside(depth) } } });
    expect(parseContext(context(90)).devices).toEqual([]);
    expect(() => parseContext(context(50_000))).toThrow('nested too deeply');
  });

  it('does not try every device against every other', () => {
    const namespaces: Record<string, object> = {};
    for (let i = 0; i < MAX_DEVICES / 2; i++) {
      const child = link(3, 'c', { kind: 'macvlan', far: [2, 0], mac: CHILD1 });
      namespaces[`n${i}`] = { 'ip -d -j link': [link(2, 'v', { kind: 'veth', far: [2, 1], mac: ENS34 }), child] };
    }
    const started = process.cpuUsage();
    const context = parseContext({ namespaces });
    const { user, system } = process.cpuUsage(started);
    expect(context.devices[1].parent).toBeNull();
    // Microseconds: every device against every other takes minutes.
    expect(user + system).toBeLessThan(5e6);
  });
});

/** The value with every part of it, in turn, replaced by another. */
function* mutate(value: unknown, replacement: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    const copy = (changed: unknown) =>
      Array.isArray(value) ? value.with(Number(key), changed) : { ...value, [key]: changed };
    if (key !== 'namespaces') yield copy(replacement);
    for (const changed of mutate(part, replacement)) yield copy(changed);
  }
}

describe('neighbours', () => {
  const known = (commands: object) =>
    parseContext({ namespaces: { host: commands } })
      .namespaces.get('host')
      ?.neighbours.map(({ dst }) => dst.text);
  const row = (dst: string, state: string) => ({ dst, dev: 'eth0', lladdr: CHILD1, state: [state] });

  it('are read with those of state NOARP, but for groups', () => {
    const all = [row('10.0.0.2', 'NOARP'), row('224.0.0.22', 'NOARP'), row('10.0.0.3', 'STALE')];
    const groups = [row('ff02::16', 'NOARP'), row('fd00::2', 'NOARP')];
    expect(known({ 'ip -j neigh show nud all': all, 'ip -6 -j neigh show nud all': groups })).toEqual([
      '10.0.0.2',
      '10.0.0.3',
      'fd00::2',
    ]);
    expect(known({ 'ip -j neigh': all, 'ip -6 -j neigh': groups })).toHaveLength(3);
  });
});
