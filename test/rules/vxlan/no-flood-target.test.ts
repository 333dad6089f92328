import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { ping } from '../../support/ping.js';
import {
  A,
  arpRequest,
  askInside,
  B,
  endpoints,
  ipv4,
  ONE,
  refuse,
  THREE,
  TWO,
  tunnelled,
  underlayMac,
} from '../../support/tunnel.js';
import { Capture, inShort, ip, mac, type Way } from '../../support/wire.js';

const only = { select: ['vxlan/no-flood-target', 'arp/unanswered'] };
const own = arpRequest(B, '192.168.5.2', '192.168.5.9');
const FLOOD = '00:00:00:00:00:00';

async function rules(capture: Capture, options = {}) {
  return (await capture.findings({ ...only, ...options })).map(({ rule, confidence }) => `${rule} ${confidence}`);
}

describe('vxlan/no-flood-target', () => {
  /** An IGMP report of version 3, or of version 2, of one group. */
  const wants =
    (source: string, wanted: string, version = 3, type = 4) =>
    (capture: Capture) => {
      const report =
        version === 3 ? [0x22, 0, 0, 0, 0, 0, 0, 1, type, 0, 0, 0, ...ip(wanted)] : [0x16, 0, 0, 0, ...ip(wanted)];
      const to = version === 3 ? '224.0.0.22' : wanted;
      const link = [0x01, 0, 0x5e, 0, 0, 0x16, ...mac(underlayMac(source)), 8, 0];
      capture.raw([...link, ...ipv4(source, to, 2, report)]);
    };

  describe('of a multicast group', () => {
    const group = '239.1.1.1';
    /** ONE floods two questions to the group, in vain; `before` adds what comes first. */
    const flooding = (before = (_: Capture) => {}, targets = ['192.168.5.2', '192.168.5.3']) => {
      const capture = new Capture();
      before(capture);
      for (let i = 0; i < 3; i++)
        for (const target of targets)
          tunnelled(capture.at(1 + i * 1.02), arpRequest(A, '192.168.5.1', target), { to: group });
      return capture.at(9).ask(underlayMac(ONE), ONE, ONE);
    };
    it.each([2, 3])(
      'is likely where another host wants the group (IGMP version %i) and is never heard',
      async (version) => {
        const [finding, ...more] = await flooding(wants(TWO, group, version)).findings(only);
        expect(inShort([finding])).toEqual([['vxlan/no-flood-target', 'likely', [2, 3, 4, 5, 6, 7]]]);
        expect(finding.subject).toEqual({ endpoint: ONE, group, vni: 5 });
        expect(finding.explains.map(({ rule, count }) => [rule, count])).toEqual([['arp/unanswered', 6]]);
        expect(more).toEqual([]);
      },
    );

    it('only hints where nobody else is known to want it, and where one address is asked for that nobody may have', async () => {
      const hint = 'vxlan/no-flood-target hint';
      expect(await rules(flooding())).toContain(hint);
      expect(await rules(flooding(wants(ONE, group)))).toContain(hint);
      expect(await rules(flooding(wants(TWO, '239.1.1.2')))).toContain(hint);
      expect(await rules(flooding(wants(TWO, group, 3, 3)))).toContain(hint);
      expect(await rules(flooding(wants(TWO, group), ['192.168.5.2']))).toContain(hint);
    });

    it('is likely where the host context shows another endpoint on the group, silent where it shows another group', async () => {
      const context = (other: string) =>
        endpoints([
          { name: 'one', address: ONE, group },
          { name: 'two', address: TWO, group: other },
        ]);
      expect(await rules(flooding(), { context: context(group) })).toEqual(['vxlan/no-flood-target likely']);
      expect((await rules(flooding(), { context: context('239.9.9.9') })).join()).not.toContain('no-flood-target');
    });

    it('keeps silent where anybody else sends to the group, in any VNI, or to the sender', async () => {
      for (const outer of [
        { from: TWO, to: group },
        { from: TWO, to: group, vni: 9 },
        { from: TWO, to: ONE },
      ]) {
        const capture = flooding((first) => {
          wants(TWO, group)(first);
          tunnelled(first, own, outer);
        });
        expect((await rules(capture)).join()).not.toContain('no-flood-target');
      }
    });
  });

  describe('below the tunnel', () => {
    /** TWO floods to ONE; ONE floods to THREE only. */
    const incomplete = () => askInside(tunnelled(new Capture(), own, { from: TWO, to: ONE }), { to: THREE });

    it('is likely where an endpoint that floods to us gets no broadcast', async () => {
      const [finding, ...more] = await incomplete().findings(only);
      expect(inShort([finding])).toEqual([['vxlan/no-flood-target', 'likely', [1, 2, 3, 4]]]);
      expect(finding.subject).toEqual({ endpoint: ONE, missing: TWO, vni: 5 });
      expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
      expect(more).toEqual([]);
    });

    it('is certain where the context shows the flood list', async () => {
      const context = endpoints([{ name: 'one', address: ONE, fdb: [[FLOOD, THREE]] }]);
      expect(await rules(incomplete(), { context })).toEqual(['vxlan/no-flood-target certain']);
    });

    it('keeps silent where the context shows it in the list', async () => {
      const context = endpoints([
        {
          name: 'one',
          address: ONE,
          fdb: [
            [FLOOD, THREE],
            [FLOOD, TWO],
          ],
        },
      ]);
      expect((await rules(incomplete(), { context })).join()).not.toContain('no-flood-target');
    });

    it('keeps silent where it ever gets a frame', async () => {
      const capture = tunnelled(incomplete().at(9), arpRequest(A, '192.168.5.1', '192.168.5.3'), { to: TWO });
      expect((await rules(capture)).join()).not.toContain('no-flood-target');
    });

    it('keeps silent where nobody is flooded to', async () => {
      expect((await rules(tunnelled(new Capture(), own, { from: TWO, to: ONE }))).join()).toBe('');
    });

    it('keeps silent where an error tells why', async () => {
      const capture = refuse(incomplete().at(4), { to: TWO });
      expect((await rules(capture)).join()).not.toContain('no-flood-target');
    });

    it('keeps silent where the only endpoint that is flooded to refuses: a wrong remote address', async () => {
      const capture = refuse(incomplete().at(4), { to: THREE });
      expect((await rules(capture)).join()).not.toContain('no-flood-target');
    });

    it('keeps VNIs apart', async () => {
      const capture = askInside(tunnelled(new Capture(), own, { from: TWO, to: ONE, vni: 6 }), { to: THREE });
      expect((await rules(capture)).join()).not.toContain('no-flood-target');
    });
  });

  describe('below the tunnel, of a group on one side and addresses on the other', () => {
    const group = '239.1.1.1';
    /** TWO floods to ONE, where B asks as 192.168.5.2; ONE floods the questions for it to the group. */
    const beside = (before = (_: Capture) => {}, station = own) => {
      const capture = new Capture();
      before(capture);
      return askInside(tunnelled(capture, station, { from: TWO, to: ONE }), { to: group });
    };

    it('is likely where who is asked for is behind the one that floods to addresses', async () => {
      const [finding, ...more] = await beside().findings(only);
      expect(inShort([finding])).toEqual([['vxlan/no-flood-target', 'likely', [1, 2, 3, 4]]]);
      expect(finding.subject).toEqual({ endpoint: ONE, missing: TWO, group, vni: 5 });
      expect(finding.explains.map(({ rule, count }) => [rule, count])).toEqual([['arp/unanswered', 3]]);
      expect(finding.remedy[1].commands[0]).toContain(`bridge fdb append ${FLOOD} dev <vxlan device> dst ${TWO}`);
      expect(more).toEqual([]);
    });

    it('is told beside that nothing comes back to the other, in true words', async () => {
      const capture = askInside(new Capture(), { from: TWO, to: ONE }, { at: 0, times: 4, asker: B });
      tunnelled(capture, arpRequest(A, '192.168.5.3', '192.168.5.9'), { to: group });
      const [finding] = await capture.at(9).findings({ select: ['vxlan/one-way'] });
      expect(finding.summary).toContain(`From ${ONE} comes VXLAN to ${group}, none to ${TWO}.`);
    });

    it('keeps silent where it is known to be on a group, or is flooded to as well', async () => {
      const inner = arpRequest(A, '192.168.5.1', '192.168.5.3');
      for (const before of [
        wants(TWO, group),
        (first: Capture) => tunnelled(first, own, { from: TWO, to: group }),
        (first: Capture) => tunnelled(first, own, { from: TWO, to: '239.1.1.2' }),
        (first: Capture) => tunnelled(first, inner, { to: TWO }),
        (first: Capture) => tunnelled(first, inner, { to: THREE }),
      ])
        expect((await rules(beside(before))).join()).not.toContain('no-flood-target');
    });

    it('keeps silent where who is asked for is not known to be there', async () => {
      const another = arpRequest(B, '192.168.5.3', '192.168.5.9');
      expect((await rules(beside(undefined, another))).join()).not.toContain('no-flood-target');
    });

    it('keeps silent where the host context shows both devices', async () => {
      const context = endpoints([
        { name: 'one', address: ONE, group },
        { name: 'two', address: TWO, remote: ONE },
      ]);
      expect((await rules(beside(), { context })).join()).not.toContain('no-flood-target');
    });
  });

  describe('at the VXLAN device', () => {
    const vantage = { namespace: 'one', interface: 'vx0' };
    const capture = () => new Capture().askAgain(3, A, '192.168.5.1', '192.168.5.2').at(9);

    it('keeps silent about a device whose packets bring their endpoints, as that of Open vSwitch', async () => {
      const linkinfo = { info_kind: 'vxlan', info_data: { external: true, id: 0, port: 4789 } };
      const one = { 'ip -d -j link': [{ flags: ['UP'], ifindex: 3, ifname: 'vx0', linkinfo }], 'bridge -j fdb': [] };
      const context = parseContext({ namespaces: { one } });
      expect(await rules(capture(), { context, vantage })).toEqual(['arp/unanswered likely']);
    });

    it('is certain where the device has nowhere to send to', async () => {
      const context = endpoints([{ name: 'one', address: ONE, fdb: [] }]);
      expect(await rules(capture(), { context, vantage })).toEqual(['vxlan/no-flood-target certain']);
    });

    it('names the endpoints that the context shows', async () => {
      const cure = async (...others: Parameters<typeof endpoints>[0][number][]) => {
        const context = endpoints([{ name: 'one', address: ONE, fdb: [] }, ...others]);
        return (await capture().findings({ context, vantage }))[0].remedy[0].commands;
      };
      const append = `ip netns exec one bridge fdb append ${FLOOD} dev vx0 dst`;
      expect(await cure()).toEqual([`${append} <endpoint>`]);
      expect(await cure({ name: 'two', address: TWO }, { name: 'x', address: '10.1.1.9', vni: 6 })).toEqual([
        `${append} ${TWO}`,
      ]);
    });

    it('is told by pings to a MAC without an entry, on their way out', async () => {
      const told = async (fdb: readonly (readonly [string, string])[], way: Way) => {
        const [from, to] = [
          { mac: A, ip: '192.168.5.1' },
          { mac: B, ip: '192.168.5.2' },
        ];
        const capture = ping(new Capture(), 4, { from, to, way }).at(9);
        return rules(capture, { context: endpoints([{ name: 'one', address: ONE, fdb }]), vantage });
      };
      const found = 'vxlan/no-flood-target likely';
      expect(await told([], { direction: 'out' })).toContain(found);
      // Which of the two is here nobody knows.
      expect(await told([], {})).not.toContain(found);
      expect(await told([], { direction: 'in' })).not.toContain(found);
      expect(await told([[B, TWO]], { direction: 'out' })).not.toContain(found);
      expect(await told([[FLOOD, TWO]], { direction: 'out' })).not.toContain(found);
    });

    it.each([
      ['a remote', { remote: TWO, fdb: [] }],
      ['a group', { group: '239.1.1.1', fdb: [] }],
      ['a flood entry', { fdb: [[FLOOD, TWO] as const] }],
      ['a table that is not told', {}],
    ])('keeps silent about a device with %s', async (_, more) => {
      const context = endpoints([{ name: 'one', address: ONE, ...more }]);
      expect((await rules(capture(), { context, vantage })).join()).not.toContain('no-flood-target');
    });
  });
});
