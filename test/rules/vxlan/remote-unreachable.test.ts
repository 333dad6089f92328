import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { askInside, B, endpoints, ipv4, ONE, refuse, THREE, TWO, underlayMac } from '../../support/tunnel.js';
import { Capture, inShort, mac } from '../../support/wire.js';

const only = { select: ['vxlan/remote-unreachable', 'arp/unanswered', 'vxlan/one-way'] };

describe('vxlan/remote-unreachable', () => {
  it.each([
    [0, 'network unreachable'],
    [1, 'host unreachable'],
    [13, 'forbidden'],
  ])('speaks of code %i from a router: %s', async (code, words) => {
    const [finding] = await refuse(new Capture(), {}, { code, reporter: '10.1.1.254' }).findings(only);
    expect([finding.rule, finding.confidence]).toEqual(['vxlan/remote-unreachable', 'certain']);
    expect(finding.title).toContain(words);
    expect(finding.subject).toEqual({ endpoint: TWO, sender: ONE, reporter: '10.1.1.254', port: 4789 });
  });

  it('tells packets that circle from those that are sent with too few hops', async () => {
    const title = async (ttl: number) => {
      const packet = ipv4(ONE, TWO, 17, [0, 1, 0, 2, 0, 8, 0, 0]);
      packet[8] = ttl;
      const sent = [...mac(underlayMac(THREE)), ...mac(underlayMac(ONE)), 8, 0, ...packet];
      const capture = refuse(new Capture().raw(sent).at(0.01), {}, { type: 11, code: 0, reporter: '10.1.1.254' });
      const [finding] = await capture.findings(only);
      return finding.title;
    };
    expect(await title(64)).toContain('the packets run in a circle');
    expect(await title(1)).toContain('sent with TTL 1, too few for the way');
  });

  it('gives no route to a router that has the endpoint on its link', async () => {
    const texts = async (address: string) => {
      const r = { ifindex: 2, ifname: 'eth0', link_type: 'ether', address: underlayMac(THREE), flags: ['UP'] };
      const [local, length] = address.split('/');
      const context = parseContext({
        namespaces: {
          r: {
            'ip -d -j link': [r],
            'ip -j addr': [{ ...r, addr_info: [{ family: 'inet', local, prefixlen: Number(length) }] }],
            'ip -j route': [{ dst: length === '16' ? '10.1.0.0/16' : '10.7.0.0/16', dev: 'eth0' }],
          },
        },
      });
      const capture = refuse(new Capture(), {}, { code: 1, reporter: local });
      const [{ remedy, cause }] = await capture.findings({ ...only, context });
      return [remedy.some(({ text }) => text.includes('a route to')), cause.includes('on its own link')];
    };
    expect(await texts('10.1.1.254/16')).toEqual([false, true]);
    expect(await texts('10.1.1.254/24')).toEqual([true, false]);
  });

  it('takes a port unreachable from a third machine for a reject', async () => {
    const [finding] = await refuse(new Capture(), {}, { reporter: '10.1.1.254' }).findings(only);
    expect(finding.title).toContain('forbidden');
  });

  it('names the rule that refuses, and lets VXLAN through in front of it', async () => {
    const where = { family: 'ip', table: 'f' };
    const udp = { match: { op: '==', left: { payload: { protocol: 'udp', field: 'dport' } }, right: 4789 } };
    const told = async (code: number, expr: string | null) => {
      const nft = [
        { chain: { ...where, name: 'x', type: 'filter', hook: 'prerouting', prio: -150, policy: 'accept' } },
        {
          rule: {
            ...where,
            chain: 'x',
            handle: 3,
            expr: [udp, { reject: expr === null ? null : { type: 'icmp', expr } }],
          },
        },
      ];
      const context = endpoints([{ name: 'r', address: '10.1.1.254', nft }]);
      const capture = refuse(new Capture(), {}, { code, reporter: '10.1.1.254' });
      const [{ remedy }] = await capture.findings({ ...only, context });
      return remedy.flatMap(({ commands }) => commands).find((command) => command.includes(' insert '));
    };
    const insert = `ip netns exec r nft insert rule ip f x handle 3 ip saddr ${ONE} ip daddr ${TWO} udp dport 4789 accept`;
    expect(await told(13, 'admin-prohibited')).toBe(insert);
    expect(await told(3, null)).toBe(insert);
    expect(await told(3, 'admin-prohibited')).toBeUndefined();
    expect(await told(1, 'host-prohibited')).toBeUndefined();
  });

  it('keeps silent where the endpoint itself refuses the port, and about an MTU', async () => {
    const capture = refuse(new Capture(), {});
    refuse(capture, {}, { code: 4, mtu: 1400, reporter: '10.1.1.254' });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('explains what stays unanswered inside', async () => {
    const capture = refuse(askInside(new Capture()).at(3.1), {}, { code: 1, reporter: '10.1.1.254' });
    const [finding, ...more] = await capture.findings(only);
    expect(more).toEqual([]);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
  });

  describe('and the rules about ICMP errors of any kind', () => {
    const select = ['vxlan/remote-unreachable', 'icmp/unreachable', 'icmp/time-exceeded'];
    const router = '10.1.1.254';
    const said = async (capture: Capture) =>
      (await capture.findings({ select })).map(({ rule, explains }) => [rule, ...explains.map((each) => each.rule)]);
    /** An error of the router about TCP to port 22 of the far endpoint. */
    const aboutTcp = (capture: Capture, code: number) =>
      capture.ipv4({
        from: underlayMac(router),
        to: underlayMac(ONE),
        source: router,
        destination: ONE,
        protocol: 1,
        payload: [3, code, 0, 0, 0, 0, 0, 0, ...ipv4(ONE, TWO, 6, [0xc0, 0, 0, 22, 0, 0, 0, 1])],
      });

    it.each([
      [{ code: 1 }, 'icmp/unreachable'],
      [{ code: 13 }, 'icmp/unreachable'],
      [{ type: 11, code: 0 }, 'icmp/time-exceeded'],
    ])('tells %o once', async (kind, rule) => {
      const capture = new Capture();
      for (let i = 0; i < 3; i++) refuse(capture.at(i), {}, { ...kind, reporter: router });
      expect(await said(capture)).toEqual([['vxlan/remote-unreachable', rule]]);
    });

    it('leaves errors of another router apart, and of a filter those about another port', async () => {
      const two = refuse(refuse(new Capture(), {}, { code: 1, reporter: router }), { to: THREE }, { code: 1 });
      expect(await said(two)).toEqual([
        ['vxlan/remote-unreachable', 'icmp/unreachable'],
        ['vxlan/remote-unreachable', 'icmp/unreachable'],
      ]);
      expect(await said(aboutTcp(refuse(new Capture(), {}, { code: 13, reporter: router }), 13))).toEqual([
        ['vxlan/remote-unreachable'],
        ['icmp/unreachable'],
      ]);
      expect(await said(aboutTcp(refuse(new Capture(), {}, { code: 1, reporter: router }), 1))).toEqual([
        ['vxlan/remote-unreachable', 'icmp/unreachable'],
      ]);
    });
  });

  describe('with a host context', () => {
    const context = endpoints([{ name: 'one', address: ONE, remote: THREE, fdb: [] }]);

    it('knows that the address nobody answers for is a remote endpoint', async () => {
      const capture = new Capture().askAgain(3, underlayMac(ONE), ONE, THREE);
      const findings = await capture.at(9).findings({ ...only, context });
      expect(inShort(findings)).toEqual([['vxlan/remote-unreachable', 'certain', [1, 2, 3]]]);
    });

    it('corrects the entry that sends there, with the endpoint whose device has the MAC', async () => {
      const capture = new Capture().askAgain(3, underlayMac(ONE), ONE, THREE).at(9);
      const wrong = (fdb: [string, string][]) =>
        endpoints([
          { name: 'one', address: ONE, fdb },
          { name: 'two', address: TWO, vxlanMac: B, isBridged: false },
        ]);
      const cure = async (fdb: [string, string][]) =>
        (await capture.findings({ ...only, context: wrong(fdb) }))[0].remedy[0].commands;
      const one = 'ip netns exec one bridge fdb';
      expect(await cure([[B, THREE]])).toEqual([`${one} replace ${B} dev vx0 dst ${TWO}`]);
      expect(await cure([['52:54:00:00:00:77', THREE]])).toEqual([
        `${one} replace 52:54:00:00:00:77 dev vx0 dst <right endpoint>`,
      ]);
      expect(await cure([['00:00:00:00:00:00', THREE]])).toEqual([
        `${one} append 00:00:00:00:00:00 dev vx0 dst ${TWO}`,
        `${one} del 00:00:00:00:00:00 dev vx0 dst ${THREE}`,
      ]);
    });

    it('changes the address that the device was made with', async () => {
      const capture = new Capture().askAgain(3, underlayMac(ONE), ONE, THREE).at(9);
      const cure = async (context: ReturnType<typeof endpoints>) =>
        (await capture.findings({ ...only, context }))[0].remedy[0].commands;
      const set = 'ip netns exec one ip link set vx0 type vxlan remote';
      expect(await cure(context)).toEqual([`${set} <right endpoint>`]);
      const both = endpoints([
        { name: 'one', address: ONE, remote: THREE, fdb: [['00:00:00:00:00:00', THREE]] },
        { name: 'two', address: TWO },
      ]);
      expect(await cure(both)).toEqual([`${set} ${TWO}`]);
    });

    it('leaves an entry that is right, and sends to its other end', async () => {
      const capture = new Capture().askAgain(3, underlayMac(ONE), ONE, TWO).at(9);
      const right = endpoints([
        { name: 'one', address: ONE, fdb: [[B, TWO]] },
        { name: 'two', address: TWO, vxlanMac: B, isBridged: false },
      ]);
      const [{ remedy }] = await capture.findings({ ...only, context: right });
      expect(remedy.flatMap(({ commands }) => commands)).toEqual([
        'ip netns exec two ip -br addr',
        'ip netns exec two ip -br link',
      ]);
    });

    it('is one finding with what the machine tells itself once it asked in vain', async () => {
      const capture = new Capture().askAgain(3, underlayMac(ONE), ONE, THREE).at(3.1);
      refuse(capture, { to: THREE }, { code: 1, reporter: ONE });
      for (const more of [{}, { context }]) {
        const found = await capture.at(9).findings({ ...only, ...more });
        expect(found.map(({ rule }) => rule)).toEqual(['vxlan/remote-unreachable']);
        expect(found[0].explains.map(({ rule }) => rule)).toContain('arp/unanswered');
      }
    });

    it('says nothing about other unanswered addresses', async () => {
      const capture = new Capture().askAgain(3, underlayMac(ONE), ONE, '10.1.1.44');
      expect((await capture.findings({ ...only, context })).map(({ rule }) => rule)).toEqual(['arp/unanswered']);
    });
  });

  it('keeps VLANs apart', async () => {
    const capture = refuse(new Capture(), {}, { code: 1, reporter: '10.1.1.254', way: { vlan: 10 } });
    refuse(capture, {}, { code: 1, reporter: '10.1.1.254', way: { vlan: 20 } });
    expect((await capture.findings(only)).map(({ segment }) => segment.vlans)).toEqual([[10], [20]]);
  });
});
