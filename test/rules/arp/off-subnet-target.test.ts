import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { dhcp } from '../../support/dhcp.js';
import { advertisement, solicitation } from '../../support/nd.js';
import { error, ping } from '../../support/ping.js';
import { Capture, inShort, ip, mac, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const R = '02:00:00:00:00:fe';
const SERVER = { mac: R, ip: '10.0.0.254' };
const only = { select: ['arp/off-subnet-target'] };

interface Host {
  mac: string;
  addresses: string[];
  routes?: object[];
}

function host({ mac, addresses, routes = [] }: Host) {
  return {
    'ip -d -j link': [{ ifindex: 2, ifname: 'eth0', link_type: 'ether', address: mac, flags: ['UP'] }],
    'ip -j addr': [
      {
        ifindex: 2,
        ifname: 'eth0',
        addr_info: addresses.map((each) => {
          const [local, length] = each.split('/');
          return { family: 'inet', local, prefixlen: Number(length) };
        }),
      },
    ],
    'ip -j route': routes,
  };
}

const hosts = (all: Record<string, Host>) =>
  parseContext({
    kernel: '6.1',
    namespaces: Object.fromEntries(Object.entries(all).map(([name, each]) => [name, host(each)])),
  });

const via = { dst: 'default', gateway: '10.0.0.254', dev: 'eth0' };
const wide = { mac: A, addresses: ['10.0.0.1/16'], routes: [via, { dst: '10.0.0.0/16', dev: 'eth0' }] };
const gateway = { mac: R, addresses: ['10.0.0.254/24'] };

/** A is answered by the router, then asks in vain for `tpa`. */
function asks(tpa: string, { times = 3, way }: { times?: number; way?: Way } = {}, capture = new Capture()): Capture {
  return capture
    .ask(A, '10.0.0.1', '10.0.0.254', way)
    .answer(R, '10.0.0.254', A, '10.0.0.1', way)
    .at(1)
    .askAgain(times, A, '10.0.0.1', tpa, way);
}

const said = async (capture: Capture, context?: ReturnType<typeof hosts>) =>
  inShort(await capture.findings(context ? { ...only, context } : only)).map(([, ...rest]) => rest);

describe('arp/off-subnet-target', () => {
  describe('a mask too wide', () => {
    it('is certain where the gateway has a smaller subnet, and explains the symptoms', async () => {
      const [finding, ...others] = await asks('10.0.1.9').findings({ context: hosts({ a: wide, r: gateway }) });
      expect(others).toEqual([]);
      expect(finding).toMatchObject({ rule: 'arp/off-subnet-target', confidence: 'certain', severity: 'warning' });
      expect(finding.title).toBe(
        '10.0.0.1 asks its own link for 10.0.1.9, which is not there: its /16 is wider than 10.0.0.0/24',
      );
      expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
      expect(finding.remedy[1].commands).toEqual([
        'ip netns exec a ip addr add 10.0.0.1/24 dev eth0',
        'ip netns exec a ip addr del 10.0.0.1/16 dev eth0',
      ]);
    });

    it('is likely by a neighbour that is no gateway, if it is heard here', async () => {
      const b = { mac: B, addresses: ['10.0.0.2/24'] };
      const context = hosts({ a: { ...wide, routes: [{ dst: '10.0.0.0/16', dev: 'eth0' }] }, b });
      expect(await said(asks('10.0.1.9'), context)).toEqual([]);
      const heard = asks('10.0.1.9', {}, new Capture().ask(B, '10.0.0.2', '10.0.0.254'));
      expect(await said(heard, context)).toEqual([['likely', [4, 5, 6]]]);
    });

    it('hears neighbours that speak after the requests', async () => {
      const b = { mac: B, addresses: ['10.0.0.2/24'] };
      const context = hosts({ a: { ...wide, routes: [{ dst: '10.0.0.0/16', dev: 'eth0' }] }, b });
      const capture = asks('10.0.1.9').at(9).ask(B, '10.0.0.2', '10.0.0.254');
      expect(await said(capture, context)).toEqual([['likely', [3, 4, 5]]]);
    });

    it('keeps still where as many neighbours have the mask of the asking host', async () => {
      const context = hosts({ a: wide, r: gateway, b: { mac: B, addresses: ['10.0.0.2/16'] } });
      expect(await said(asks('10.0.1.9', {}, new Capture().ask(B, '10.0.0.2', '10.0.0.254')), context)).toEqual([]);
    });

    it('keeps still where the target takes the asking host for a neighbour too', async () => {
      const target = { mac: B, addresses: ['10.0.1.9/16'], routes: [{ dst: '10.0.0.0/16', dev: 'eth0' }] };
      expect(await said(asks('10.0.1.9'), hosts({ a: wide, r: gateway, target }))).toEqual([]);
    });

    it('takes no address of its own, and no single address, for a subnet', async () => {
      const context = hosts({
        a: { ...wide, addresses: ['10.0.0.1/16', '10.0.0.77/24'] },
        b: { mac: R, addresses: ['10.0.0.9/32'] },
      });
      expect(await said(asks('10.0.1.9'), context)).toEqual([]);
    });

    it('is likely where only the other side is known', async () => {
      expect(await said(asks('10.0.1.9'), hosts({ r: gateway }))).toEqual([['likely', [3, 4, 5]]]);
      expect(await said(asks('10.0.0.9'), hosts({ r: gateway }))).toEqual([]);
    });
  });

  describe('a prefix too wide, of IPv6', () => {
    const holding = (address: string, routes: object[] = []) => {
      const [mac, ...more] = address.split(' ');
      const addr_info = more.map((each) => {
        const [local, length] = each.split('/');
        return { family: 'inet6', local, prefixlen: Number(length) };
      });
      return {
        'ip -d -j link': [{ ifindex: 2, ifname: 'eth0', link_type: 'ether', address: mac, flags: ['UP'] }],
        'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info }],
        'ip -6 -j route': routes,
      };
    };
    const link = { dst: 'fd00::/32', dev: 'eth0' };
    const leading = { dst: 'default', gateway: 'fd00:0:0:1::fe', dev: 'eth0' };
    const a = holding(`${A} fd00:0:0:1::1/32 fe80::1/64`, [link, leading]);
    const r = holding(`${R} fd00:0:0:1::fe/64 fe80::fe/64`);
    const context = (more = {}) => parseContext({ namespaces: { a, r, ...more } });
    const asking = (source: string, target = 'fd00:0:0:2::9') => {
      const capture = new Capture()
        .raw(solicitation(A, 'fd00:0:0:1::1', 'fd00:0:0:1::fe'))
        .at(0.01)
        .raw(advertisement(R, 'fd00:0:0:1::fe', { mac: A, ip: 'fd00:0:0:1::1' }));
      for (let i = 1; i <= 3; i++) capture.at(i * 1.02).raw(solicitation(A, source, target));
      return capture.at(9).ask(B, '10.0.0.2', '10.0.0.3');
    };

    it('is certain by the gateway, whichever address of the host asks', async () => {
      for (const source of ['fd00:0:0:1::1', 'fe80::1']) {
        const [finding, ...others] = await asking(source).findings({ context: context() });
        expect(others).toEqual([]);
        expect(finding).toMatchObject({ rule: 'arp/off-subnet-target', confidence: 'certain' });
        expect(finding.title).toContain('its /32 is wider than fd00:0:0:1::/64');
        // The kernel takes an IPv6 address once.
        expect(finding.remedy[1].commands).toEqual([
          'ip netns exec a ip addr del fd00:0:0:1::1/32 dev eth0',
          'ip netns exec a ip addr add fd00:0:0:1::1/64 dev eth0',
        ]);
      }
    });

    it('keeps still about the own subnet, without host context, and where the target has it as wide', async () => {
      expect(await said(asking('fd00:0:0:1::1', 'fd00:0:0:1::9'), context())).toEqual([]);
      expect(await said(asking('fd00:0:0:1::1'))).toEqual([]);
      const b = holding(`${B} fd00:0:0:2::9/32`, [link]);
      expect(await said(asking('fd00:0:0:1::1'), context({ b }))).toEqual([]);
    });

    it('keeps still where somebody here has the target', async () => {
      const held = asking('fd00:0:0:1::1')
        .at(10)
        .raw(solicitation(B, 'fd00:0:0:2::9', 'fd00:0:0:1::fe'));
      expect(await said(held, context())).toEqual([]);
    });
  });

  describe('a route without gateway', () => {
    const a = (route: object) => ({ mac: A, addresses: ['10.0.0.1/24'], routes: [route] });

    it('is certain where it is the default route', async () => {
      const context = hosts({ a: a({ dst: 'default', dev: 'eth0' }) });
      const [finding] = await asks('10.9.0.1').findings({ ...only, context });
      expect(finding).toMatchObject({ confidence: 'certain' });
      expect(finding.remedy[1].commands).toEqual(['ip netns exec a ip route replace default via <gateway> dev eth0']);
    });

    it.each([
      ['for a smaller network, made on purpose', { dst: '10.9.0.0/16', dev: 'eth0' }],
      ['with a gateway: something else made the host ask', via],
      [
        'to the gateway itself, on the link by decree',
        { dst: 'default', gateway: '10.9.0.1', dev: 'eth0', flags: ['onlink'] },
      ],
    ])('keeps still about one %s', async (_, route) => {
      expect(await said(asks('10.9.0.1'), hosts({ a: a(route) }))).toEqual([]);
    });

    it('keeps still where the target has the like, as ipvlan children do', async () => {
      const b = { mac: B, addresses: ['10.9.0.1/24'], routes: [{ dst: 'default', dev: 'eth0' }] };
      expect(await said(asks('10.9.0.1'), hosts({ a: a({ dst: 'default', dev: 'eth0' }), b }))).toEqual([]);
    });
  });

  describe('DHCP', () => {
    const lease = (capture: Capture, more: object = {}) =>
      dhcp(capture, 'ack', { server: SERVER, mask: '255.255.255.0', ...more });

    it('tells the subnet of the link', async () => {
      expect(await said(asks('10.0.1.9', {}, lease(new Capture())))).toEqual([['likely', [1, 4, 5, 6]]]);
    });

    it.each([
      ['in it', '10.0.0.9', {}],
      ['with routes of its own', '10.0.1.9', { classless: [24, 10, 0, 1, 0, 0, 0, 0] }],
      ['of /32', '10.0.1.9', { mask: '255.255.255.255' }],
      ['with holes', '10.0.1.9', { mask: '255.255.0.255' }],
      ['of 0', '10.0.1.9', { mask: '0.0.0.0' }],
      ['of another network', '10.0.1.9', { address: '10.3.0.9' }],
    ])('keeps still about a subnet %s', async (_, tpa, more) => {
      expect(await said(asks(tpa, {}, lease(new Capture(), more)))).toEqual([]);
    });

    it('keeps still where another subnet of the link has the target', async () => {
      const capture = lease(lease(new Capture()), { client: B, xid: 2, address: '10.0.1.77' });
      expect(await said(asks('10.0.1.9', {}, capture))).toEqual([]);
    });

    it('does not take a subnet of one VLAN for another’s', async () => {
      const capture = lease(new Capture(), { way: { vlan: 10 } });
      expect(await said(asks('10.0.1.9', { way: { vlan: 20 } }, capture))).toEqual([]);
      expect(await said(asks('10.0.1.9', { way: { vlan: 10 } }, capture))).toHaveLength(1);
    });

    it('looks into VXLAN', async () => {
      const capture = lease(new Capture(), { way: { vni: 5 } });
      expect(await said(asks('10.0.1.9', { way: { vni: 5 } }, capture))).toHaveLength(1);
    });
  });

  describe('traffic', () => {
    const far = { mac: R, ip: '172.20.0.9' };

    /** A packet of 172.20.0.9 that the router passes on to `B`. */
    const passed = (ttl: number) => {
      const header = [0x45, 0, 0, 20, 0, 1, 0, 0, ttl, 253, 0, 0, ...ip(far.ip), ...ip('10.0.0.2')];
      return new Capture().raw([...mac(B), ...mac(R), 8, 0, ...header]);
    };

    it('shows by its TTL that a target is behind a router', async () => {
      expect(await said(asks(far.ip, {}, passed(63)))).toEqual([['likely', [4, 5, 6]]]);
    });

    it('keeps still where the router is of a far network and the target is not: two links are shown as one', async () => {
      const stray = (asker: string) =>
        asks('10.9.9.9', {}, passed(63)).at(6).askAgain(3, '02:00:00:00:00:77', asker, far.ip);
      expect(await said(stray('172.20.1.5'))).toEqual([]);
      expect(await said(stray('10.0.3.5'))).toEqual([['likely', [7, 8, 9]]]);
    });

    it('names address translation as another cause of that', async () => {
      const [{ cause }] = await asks(far.ip, {}, passed(63)).findings({ select: ['arp/off-subnet-target'] });
      expect(cause).toContain(`10.0.0.254 gives packets ${far.ip} as source (NAT, a floating address)`);
    });

    it('says that the host is on the wrong side of the router where both are in one /24', async () => {
      const near = { mac: R, ip: '10.0.0.77' };
      const header = [0x45, 0, 0, 20, 0, 1, 0, 0, 63, 253, 0, 0, ...ip(near.ip), ...ip('10.0.0.2')];
      const capture = asks(near.ip, {}, new Capture().raw([...mac(B), ...mac(R), 8, 0, ...header]));
      const [{ cause, remedy }] = await capture.findings({ select: ['arp/off-subnet-target'] });
      expect(cause).toContain('wrong port, VLAN, bridge or container network');
      expect(remedy[1].commands).toContain('bridge vlan show');
    });

    it('keeps still where the TTL is as sent: a second address of one host', async () => {
      expect(await said(asks(far.ip, {}, passed(64)))).toEqual([]);
    });

    it('keeps still where a redirect sent the host there', async () => {
      const capture = passed(63);
      error(capture, SERVER, { mac: A, ip: '10.0.0.1' }, far, { type: 5, code: 1, word: ip(far.ip) });
      expect(await said(asks(far.ip, {}, capture))).toEqual([]);
    });

    it('keeps still where somebody on the link has the address', async () => {
      const capture = asks(far.ip, {}, passed(63)).at(20).answer(B, far.ip, R, '10.0.0.254');
      expect(await said(capture)).toEqual([]);
    });
  });

  describe('public addresses', () => {
    it('are a hint, and likely from two networks on', async () => {
      expect(await said(asks('192.0.32.9'))).toEqual([['hint', [3, 4, 5]]]);
      const both = asks('192.0.32.9').at(9).askAgain(3, A, '10.0.0.1', '192.0.32.77');
      expect(await said(both)).toEqual([['hint', [3, 4, 5, 6, 7, 8]]]);
      both.at(19).askAgain(3, A, '10.0.0.1', '8.8.8.8');
      expect(await said(both)).toEqual([['likely', [3, 4, 5, 6, 7, 8, 9, 10, 11]]]);
    });

    it('are nothing where a public address asks, or a private one is asked for', async () => {
      expect(await said(new Capture().askAgain(3, A, '198.18.0.1', '192.0.32.9'))).toEqual([]);
      expect(await said(asks('172.20.0.9'))).toEqual([]);
    });
  });

  it('only hints after two requests, and says nothing after one', async () => {
    const context = hosts({ a: wide, r: gateway });
    expect(await said(asks('10.0.1.9', { times: 2 }), context)).toEqual([['hint', [3, 4]]]);
    expect(await said(asks('10.0.1.9', { times: 1 }), context)).toEqual([]);
  });

  it('is not certain where no answer to the host would be seen', async () => {
    const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.1.9');
    expect(await said(capture, hosts({ a: wide, r: gateway }))).toEqual([['likely', [1, 2, 3]]]);
  });

  it('keeps still where the target answers after all, as a proxy does', async () => {
    const capture = asks('10.0.1.9').at(5).ask(A, '10.0.0.1', '10.0.1.9').at(5.7).answer(R, '10.0.1.9', A, '10.0.0.1');
    expect(await said(capture, hosts({ a: wide, r: gateway }))).toEqual([]);
  });

  it('keeps still about link-local addresses and sweeps', async () => {
    const context = hosts({ a: { mac: A, addresses: ['10.0.0.1/24'], routes: [{ dst: 'default', dev: 'eth0' }] } });
    expect(await said(asks('169.254.1.1'), context)).toEqual([]);
    const sweep = new Capture();
    for (let round = 0; round < 3; round++)
      for (let net = 10; net < 50; net++) sweep.at(round * 1.02 + net / 1000).ask(A, '10.0.0.1', `192.0.${net}.9`);
    expect(await said(sweep)).toEqual([]);
  });

  it('explains pings that were sent while the MAC was still known', async () => {
    const capture = new Capture();
    ping(capture, 3, { from: { mac: A, ip: '10.0.0.1' }, to: { mac: R, ip: '8.8.8.8' } });
    capture.at(9).askAgain(3, A, '10.0.0.1', '8.8.8.8').at(19).askAgain(3, A, '10.0.0.1', '9.9.9.9');
    expect((await capture.findings()).map(({ rule }) => rule)).toEqual(['arp/off-subnet-target']);
  });
});
