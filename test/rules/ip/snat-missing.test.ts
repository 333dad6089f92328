import { describe, expect, it } from 'vitest';
import { coversSource, readFirewall } from '../../../src/network/context/firewall.js';
import { type Host, packet } from '../../support/icmp.js';
import { ping } from '../../support/ping.js';
import { field, GATEWAY, INSIDE, output, prefix, ROUTER, routed, ruleset } from '../../support/router.js';
import { ACK, SYN, syns, tcp } from '../../support/tcp.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, inShort, u16, type Way } from '../../support/wire.js';

const post = { type: 'nat', hook: 'postrouting' };
const masquerade = { masquerade: null };
const others = ruleset(post, [field('saddr', prefix('10.0.2.0', 24)), masquerade]);
const only = (nft?: object) => ({ select: ['ip/snat-missing'], ...(nft ? { context: routed(nft) } : {}) });

/** The router forwards: its MAC, the inner address. */
const LEAKED = { mac: ROUTER.mac, ip: INSIDE.ip };
const FAR = { mac: GATEWAY.mac, ip: '198.51.100.7' };
const INNER = { mac: GATEWAY.mac, ip: '10.9.9.9' };

/** The router, known by an ARP request of its own at 192.0.2.2 or elsewhere. */
function uplink(own = ROUTER.ip, way?: Way): Capture {
  return new Capture().ask(ROUTER.mac, own, GATEWAY.ip, way).answer(GATEWAY.mac, GATEWAY.ip, ROUTER.mac, own, way);
}

describe('ip/snat-missing', () => {
  it('is likely where the router has a public address beside', async () => {
    const capture = syns(uplink(), 3, {}, 1, LEAKED);
    expect(inShort(await ping(uplink(), 3, { from: LEAKED, to: FAR }).findings(only()))).toEqual([
      ['ip/snat-missing', 'likely', [3, 4, 5]],
    ]);
    // 10.0.0.2 is no public address: between private networks nobody need translate.
    expect(await capture.findings(only())).toEqual([]);
  });

  it('speaks of TCP as of pings, and explains both', async () => {
    expect(inShort(await syns(uplink(), 3, {}, 1, LEAKED).findings(only(others)))).toEqual([
      ['ip/snat-missing', 'likely', [3, 4, 5]],
    ]);
    const capture = ping(uplink(), 4, { from: LEAKED, to: FAR });
    const findings = await capture.findings();
    expect(findings.map(({ rule }) => rule)).toEqual(['ip/snat-missing']);
  });

  it('is a hint where the router has private addresses only', async () => {
    const capture = ping(uplink('192.168.7.2'), 3, { from: LEAKED, to: FAR });
    expect(inShort(await capture.findings(only()))).toEqual([['ip/snat-missing', 'hint', [3, 4, 5]]]);
  });

  it('is likely where rules of the router name other sources, wherever the packets go', async () => {
    const capture = () => ping(uplink(), 3, { from: LEAKED, to: INNER });
    expect(inShort(await capture().findings(only(others)))).toEqual([['ip/snat-missing', 'likely', [3, 4, 5]]]);
    const elsewhere = ruleset(post, [output('lan'), masquerade], [field('saddr', '10.0.2.9'), masquerade]);
    expect(await capture().findings(only(elsewhere))).toHaveLength(1);
  });

  it('keeps still of an address that a rule of the router gives packets as their source', async () => {
    const inside = field('saddr', prefix('10.0.2.0', 24));
    const capture = () => ping(uplink(), 3, { from: LEAKED, to: INNER });
    expect(await capture().findings(only(ruleset(post, [inside, { snat: { addr: LEAKED.ip } }])))).toEqual([]);
    expect(await capture().findings(only(ruleset(post, [inside, { snat: { addr: '10.9.9.1' } }])))).toHaveLength(1);
  });

  it('is certain where the target is known to have no way back', async () => {
    const far = (routes: object[]) =>
      routed(others, {
        far: {
          'ip -j addr': [
            { ifindex: 5, ifname: 'eth0', addr_info: [{ family: 'inet', local: INNER.ip, prefixlen: 24 }] },
          ],
          'ip -j route': routes,
        },
      });
    const told = (context: ReturnType<typeof routed>) =>
      ping(uplink(), 3, { from: LEAKED, to: INNER }).findings({ select: ['ip/snat-missing'], context });
    const [finding] = await told(far([{ dst: '10.9.9.0/24', dev: 'eth0' }]));
    expect(finding.confidence).toBe('certain');
    // It knows a way: then it is not the source address that keeps the answer away.
    expect(await told(far([{ dst: 'default', gateway: '10.9.9.1', dev: 'eth0' }]))).toEqual([]);
    expect(await told(far([{ dst: '10.0.1.0/24', gateway: '10.9.9.1', dev: 'eth0' }]))).toEqual([]);
  });

  it('follows the way back from a public target to a router without a route', async () => {
    const device = (local: string) => ({
      'ip -j addr': [{ ifindex: 5, ifname: 'eth0', addr_info: [{ family: 'inet', local, prefixlen: 24 }] }],
    });
    const told = (routes: object[], to = FAR) => {
      const far = { ...device(to.ip), 'ip -j route': [{ dst: 'default', gateway: '198.51.100.1', dev: 'eth0' }] };
      const isp = { ...device('198.51.100.1'), 'ip -j route': [{ dst: '198.51.100.0/24', dev: 'eth0' }, ...routes] };
      const context = routed(others, { far, isp });
      return ping(uplink(), 3, { from: LEAKED, to }).findings({ select: ['ip/snat-missing'], context });
    };
    const [finding] = await told([]);
    expect(finding).toMatchObject({ confidence: 'certain' });
    expect(finding.context.join()).toContain('isp has no route');
    expect(await told([{ type: 'blackhole', dst: '10.0.0.0/8' }])).toHaveLength(1);
    // It knows a way, or is not known to lack one; between private networks the router lacks a route.
    expect(await told([{ dst: '10.0.0.0/8', gateway: '198.51.100.9', dev: 'eth0' }])).toEqual([]);
    expect(await told([], INNER)).toEqual([]);
  });

  it('knows the router by the host context where it was not heard to name its address', async () => {
    const leaks = () => ping(new Capture(), 3, { from: LEAKED, to: FAR });
    expect(inShort(await leaks().findings(only(ruleset(post))))).toEqual([['ip/snat-missing', 'likely', [1, 2, 3]]]);
    expect(await leaks().findings(only())).toEqual([]);
  });

  it('is told rather than the way back that a public address never has, where the context shows it to have none', async () => {
    const far = {
      'ip -j addr': [{ ifindex: 5, ifname: 'eth0', addr_info: [{ family: 'inet', local: FAR.ip, prefixlen: 24 }] }],
      'ip -d -j link': [{ flags: ['UP'], ifindex: 5, ifname: 'eth0', link_type: 'ether', address: FAR.mac }],
      'ip -j route': [{ dst: '198.51.100.0/24', dev: 'eth0' }],
    };
    const context = routed(ruleset(post), { far });
    const [finding, ...rest] = await ping(uplink('192.168.7.2'), 4, { from: LEAKED, to: FAR }).findings({ context });
    expect([finding.rule, finding.confidence]).toEqual(['ip/snat-missing', 'likely']);
    expect(finding.explains.map(({ rule }) => rule)).toContain('ip/no-return-route');
    expect(rest).toEqual([]);
  });

  it('keeps silent about what comes in to a bridge whose own packets alone are translated, as with Docker', async () => {
    const out = { match: { left: { meta: { key: 'oifname' } }, op: '!=', right: 'up' } };
    const docker = ruleset(post, [field('saddr', prefix('192.0.2.0', 24)), out, masquerade]);
    const far = {
      'ip -j addr': [{ ifindex: 5, ifname: 'eth0', addr_info: [{ family: 'inet', local: INNER.ip, prefixlen: 24 }] }],
      'ip -j route': [{ dst: '10.9.9.0/24', dev: 'eth0' }],
    };
    const capture = ping(uplink(), 3, { from: LEAKED, to: INNER });
    expect(await capture.findings({ select: ['ip/snat-missing'], context: routed(docker, { far }) })).toEqual([]);
  });

  it('takes a default route without a gateway for no way back, but through a tunnel', async () => {
    const far = (device: object) =>
      routed(others, {
        far: {
          'ip -d -j link': [{ flags: ['UP'], ifindex: 5, ifname: 'out', ...device }],
          'ip -j addr': [
            { ifindex: 5, ifname: 'out', addr_info: [{ family: 'inet', local: INNER.ip, prefixlen: 24 }] },
          ],
          'ip -j route': [{ dst: 'default', dev: 'out' }],
        },
      });
    const told = async (device: object) => {
      const capture = ping(uplink(), 3, { from: LEAKED, to: INNER });
      return inShort(await capture.findings({ select: ['ip/snat-missing'], context: far(device) }));
    };
    expect(await told({ link_type: 'ether', address: GATEWAY.mac })).toEqual([
      ['ip/snat-missing', 'likely', [3, 4, 5]],
    ]);
    expect(await told({ link_type: 'none' })).toEqual([]);
  });

  it('keeps silent where a router farther on translates, as answers then come back another way (VRRP, ECMP)', async () => {
    const told = async (farther: object) => {
      const machine = (name: string, links: Record<string, string>, mac: string, route: object) => ({
        'ip -d -j link': Object.keys(links).map((ifname, i) => ({
          ...{ ifindex: i + 2, ifname, link_type: 'ether', flags: ['UP', 'LOWER_UP'] },
          address: ifname === 'up' ? mac : `02:00:00:0${i}:00:${name}`,
        })),
        'ip -j addr': Object.entries(links).map(([ifname, local], i) => ({
          ifindex: i + 2,
          ifname,
          addr_info: [{ family: 'inet', local, prefixlen: 24 }],
        })),
        'ip -j route': [{ dst: 'default', dev: 'up', ...route }],
      });
      const context = routed(null, {
        r: machine('aa', { lan: '10.0.1.1', up: ROUTER.ip }, ROUTER.mac, { gateway: GATEWAY.ip }),
        edge: {
          ...machine('bb', { in: GATEWAY.ip, up: '203.0.113.2' }, '02:00:00:00:03:03', { gateway: '203.0.113.1' }),
          'nft -j list ruleset': farther,
        },
      });
      const findings = await ping(uplink(), 3, { from: LEAKED, to: FAR }).findings({ ...only(), context });
      return findings.map(({ confidence }) => confidence);
    };
    expect(await told(ruleset(post, [output('up'), masquerade]))).toEqual([]);
    expect(await told(ruleset(post, [output('in'), masquerade]))).toEqual(['likely']);
  });

  it('names the last router that has a way back as the one that should translate', async () => {
    const machine = (links: Record<string, string>, macs: string[], routes: object[]) => ({
      'ip -d -j link': Object.keys(links).map((ifname, i) => ({
        ...{ ifindex: i + 2, ifname, link_type: 'ether', flags: ['UP', 'LOWER_UP'], address: macs[i] },
      })),
      'ip -j addr': Object.entries(links).map(([ifname, local], i) => ({
        ifindex: i + 2,
        ifname,
        addr_info: [{ family: 'inet', local, prefixlen: 24 }],
      })),
      'ip -j route': routes,
    });
    const context = routed(null, {
      r: machine(
        { lan: '10.0.1.1', up: ROUTER.ip },
        ['02:00:00:00:01:01', ROUTER.mac],
        [{ dst: 'default', gateway: GATEWAY.ip, dev: 'up' }],
      ),
      edge: machine(
        { in: GATEWAY.ip, wan: '203.0.113.2' },
        [GATEWAY.mac, '02:00:00:00:03:03'],
        [
          { dst: '10.0.1.0/24', gateway: ROUTER.ip, dev: 'in' },
          { dst: 'default', gateway: '203.0.113.1', dev: 'wan' },
        ],
      ),
      isp: machine({ cust: '203.0.113.1', net: FAR.ip }, ['02:00:00:00:04:01', '02:00:00:00:04:02'], []),
    });
    const [finding] = await ping(uplink(), 3, { from: LEAKED, to: FAR }).findings({ ...only(), context });
    expect(finding.title).toContain('leave wan in edge untranslated');
    expect(finding.subject).toMatchObject({ router: '203.0.113.2' });
    expect(finding.remedy[1].commands[0]).toMatch(/^ip netns exec edge iptables .* -o wan -j MASQUERADE$/);
  });

  it('keeps silent where a rule covers the source, or may', async () => {
    const capture = () => ping(uplink(), 3, { from: LEAKED, to: INNER });
    for (const conditions of [
      [],
      [field('saddr', prefix('10.0.1.0', 24))],
      [field('saddr', '@inside')],
      [field('saddr', '10.0.2.9', '!=')],
      [{ match: { op: '==', left: { meta: { key: 'mark' } }, right: 1 } }],
    ])
      expect(await capture().findings(only(ruleset(post, [...conditions, masquerade])))).toEqual([]);
  });

  it('keeps silent where the host itself sends', async () => {
    const capture = uplink().ask(ROUTER.mac, INSIDE.ip, GATEWAY.ip);
    expect(await ping(capture, 3, { from: LEAKED, to: FAR }).findings(only())).toEqual([]);
    // No ARP at all: whose address it is, is not known.
    expect(await ping(new Capture(), 3, { from: LEAKED, to: FAR }).findings(only())).toEqual([]);
  });

  it('keeps silent of two requests, and where one is answered', async () => {
    expect(await ping(uplink(), 2, { from: LEAKED, to: FAR }).findings(only())).toEqual([]);
    const answered = ping(uplink(), 6, { from: LEAKED, to: FAR, answered: (sequence) => sequence === 6 });
    expect(await answered.findings(only())).toEqual([]);
  });

  it('keeps silent where connections of the source go on, whose answers take another way', async () => {
    const told = async (server: Host) => {
      const capture = ping(uplink(), 4, { from: LEAKED, to: FAR });
      tcp(capture.at(6), LEAKED, server, SYN);
      tcp(capture.at(6.1), LEAKED, server, ACK, { seq: 1001, ack: 5001 });
      return (await capture.findings(only())).length;
    };
    expect(await told(FAR)).toBe(0);
    expect(await told({ ...FAR, ip: '203.0.113.9' })).toBe(0);
    // One within private networks says nothing of what leaves them.
    expect(await told(INNER)).toBe(1);
  });

  it('keeps silent of public sources', async () => {
    const from = { mac: ROUTER.mac, ip: '203.0.113.5' };
    expect(await ping(uplink(), 3, { from, to: FAR }).findings(only())).toEqual([]);
  });

  it('tells VLANs apart, and speaks inside VXLAN', async () => {
    const tagged = ping(uplink(ROUTER.ip, { vlan: 10 }), 3, { from: LEAKED, to: FAR, way: { vlan: 10 } });
    ping(tagged, 3, { from: LEAKED, to: FAR, id: 9, way: { vlan: 20 } });
    const findings = await tagged.findings(only());
    expect(findings.map(({ segment }) => segment?.vlans)).toEqual([[10]]);
    const inside = ping(uplink(ROUTER.ip, { vni: 7 }), 3, { from: LEAKED, to: FAR, way: { vni: 7 } });
    expect(await inside.findings(only())).toHaveLength(1);
  });

  it('goes into one finding for all targets', async () => {
    const capture = ping(uplink(), 3, { from: LEAKED, to: FAR });
    ping(capture, 3, { from: LEAKED, to: { mac: GATEWAY.mac, ip: '198.51.100.8' }, id: 9, at: 5 });
    const findings = await capture.findings(only());
    expect(findings.map(({ count }) => count)).toEqual([6]);
  });
});

describe('firewall rules of the host context', () => {
  const rule = (...conditions: object[]) => {
    const read = readFirewall({ 'nft -j list ruleset': ruleset(post, [...conditions, masquerade]) })?.sourceNat[0];
    if (!read) throw new Error('no rule was read');
    return read;
  };
  const source = [(10 << 24) | (1 << 8) | 5];

  it('says which sources a rule takes', () => {
    expect(coversSource(rule(), source, 'up')).toBe('yes');
    expect(coversSource(rule(output('up')), source, 'up')).toBe('yes');
    expect(coversSource(rule(output('lan')), source, 'up')).toBe('no');
    expect(coversSource(rule(field('saddr', prefix('10.0.0.0', 8))), source, 'up')).toBe('yes');
    expect(coversSource(rule(field('saddr', prefix('10.0.1.4', 31))), source, 'up')).toBe('yes');
    expect(coversSource(rule(field('saddr', prefix('10.0.1.6', 31))), source, 'up')).toBe('no');
    expect(coversSource(rule(field('saddr', { set: ['10.0.1.5', '10.0.1.6'] })), source, 'up')).toBe('yes');
    expect(coversSource(rule(field('saddr', { range: ['10.0.1.1', '10.0.1.9'] })), source, 'up')).toBe('maybe');
    expect(coversSource(rule(field('saddr', '10.0.1.5', '!=')), source, 'up')).toBe('no');
    // As Docker writes it: all but what stays on its bridge.
    const leaving = rule({ match: { left: { meta: { key: 'oifname' } }, op: '!=', right: 'lan' } });
    expect(coversSource(leaving, source, 'up')).toBe('yes');
    expect(coversSource(leaving, source, 'lan')).toBe('no');
    const some = rule({ match: { left: { meta: { key: 'oifname' } }, op: '!=', right: 'la*' } });
    expect(coversSource(some, source, 'up')).toBe('maybe');
    expect(coversSource(rule({ xt: { type: 'match', name: 'set' } }), source, 'up')).toBe('maybe');
  });

  it('reads those of iptables-legacy', () => {
    const saved = (options: string) => ({
      'nft -j list ruleset': { nftables: [] },
      'cat /proc/net/ip_tables_names': 'nat\n',
      'iptables-legacy-save -c': `# x\n*nat\n:POSTROUTING ACCEPT [0:0]\n[1:1] -A POSTROUTING ${options} -j MASQUERADE\nCOMMIT\n`,
    });
    const covers = (options: string, output: string) => {
      const [rule] = readFirewall(saved(options))?.sourceNat ?? [];
      return rule && coversSource(rule, source, output);
    };
    expect(covers('-s 10.0.0.0/8 ! -o docker0', 'up')).toBe('yes');
    expect(covers('-s 10.0.0.0/8 ! -o docker0', 'docker0')).toBe('no');
    expect(covers('-s 10.0.0.0/8 -m set --match-set some src', 'up')).toBe('maybe');
  });

  it('reads chains that drop what they do not take', () => {
    const forward = ruleset({ type: 'filter', hook: 'forward', policy: 'drop' }, [{ accept: null }]);
    expect(readFirewall({ 'nft -j list ruleset': forward })?.forwardDrops).toEqual([
      { family: 'ip', table: 'nat', name: 'c', rules: 1 },
    ]);
    expect(
      readFirewall({ 'nft -j list ruleset': ruleset({ hook: 'forward', policy: 'accept' }) })?.forwardDrops,
    ).toEqual([]);
  });

  it('passes over what is of another kind', () => {
    expect(readFirewall({ 'nft -j list ruleset': null })).toBeNull();
    expect(readFirewall({ 'nft -j list ruleset': { nftables: 7 } })).toBeNull();
    const odd = [
      null,
      7,
      { rule: null },
      { rule: { expr: 7 } },
      { rule: { expr: [null, { match: null }, { snat: 7 }] } },
    ];
    expect(readFirewall({ 'nft -j list ruleset': { nftables: odd } })?.sourceNat).toMatchObject([
      { to: null, understood: true },
    ]);
    const xt = { nftables: [{ rule: { expr: [{ xt: { type: 'target', name: 'MASQUERADE' } }] } }] };
    expect(readFirewall({ 'nft -j list ruleset': xt })?.sourceNat).toMatchObject([{ understood: false }]);
  });

  describe('by DNS questions', () => {
    const datagram = (capture: Capture, from: Host, to: Host, sport: number, dport: number) =>
      packet(capture, from, to, ipv4(from.ip, to.ip, 17, [...u16(sport), ...u16(dport), 0, 12, 0, 0, 1, 2, 3, 4]));
    /** Questions at these times, both of which are sent for one name; `answer` is when one is answered. */
    const asks = (times: readonly number[], { to = FAR, port = 53, answer = 0, capture = uplink() } = {}) => {
      for (const at of times) for (const sport of [5000, 5001]) datagram(capture.at(at), LEAKED, to, sport, port);
      if (answer > 0) datagram(capture.at(answer), to, LEAKED, port, 5000);
      return capture;
    };
    const said = async (capture: Capture, nft?: object) => inShort(await capture.findings(only(nft)));

    it('is as sure as by pings, of three tries', async () => {
      expect(await said(asks([1, 6, 11]))).toEqual([['ip/snat-missing', 'likely', [3, 5, 7]]]);
      expect(await said(asks([1, 6]))).toEqual([]);
      expect(await said(asks([1, 1.1, 1.2]))).toEqual([]);
      expect(await said(asks([1, 6, 11], { to: INNER }))).toEqual([]);
      expect(await said(asks([1, 6, 11], { to: INNER }), others)).toHaveLength(1);
    });

    it('keeps still where nothing at all comes to the router: answers would not be seen either', async () => {
      const capture = new Capture().ask(ROUTER.mac, ROUTER.ip, GATEWAY.ip);
      expect(await said(asks([1, 6, 11], { capture }))).toEqual([]);
    });

    it('keeps still where one is answered, of other UDP, of the host itself, and where answers of others find back', async () => {
      expect(await said(asks([1, 6, 11], { answer: 11.2 }))).toEqual([]);
      expect(await said(asks([1, 6, 11], { port: 123 }))).toEqual([]);
      expect(await said(asks([1, 6, 11], { capture: uplink().ask(LEAKED.mac, LEAKED.ip, GATEWAY.ip) }))).toEqual([]);
      const pinged = ping(asks([1, 6, 11]).at(12), 3, { from: LEAKED, to: FAR, answered: () => true });
      expect(await said(pinged)).toEqual([]);
    });
  });
});
