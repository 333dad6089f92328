import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { ping } from '../../support/ping.js';
import { Capture, inShort, mac, u16, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const TAGGED = { vlan: 100 };

const mismatches = async (capture: Capture, options = {}) =>
  inShort((await capture.findings(options)).filter(({ rule }) => rule === 'vlan/native-mismatch'));

/** A asks for B `times` times, tagged or not, and B answers the other way. */
function crossed(times: number, isAskedTagged: boolean): Capture {
  const capture = new Capture();
  for (let i = 0; i < times; i++)
    capture
      .at(1 + 1.02 * i)
      .ask(A, '10.0.0.1', '10.0.0.2', isAskedTagged ? TAGGED : {})
      .answer(B, '10.0.0.2', A, '10.0.0.1', isAskedTagged ? {} : TAGGED);
  return capture;
}

/** The port of a switch to eth1 of `node`, which sends and takes VLAN 100 without tag. */
const SWITCH = {
  'ip -d -j link': [{ ifindex: 4, ifname: 'p2', flags: ['UP'], link_index: 2, linkinfo: { info_kind: 'veth' } }],
  'bridge -d -j vlan': [{ ifname: 'p2', vlans: [{ vlan: 100, flags: ['PVID', 'Egress Untagged'] }] }],
};

/** A host with eth1.100 on eth1. `addresses` are those of eth1 and of eth1.100. */
const host = (onTrunk: string[], onVlan: string[], others = {}, cable = {}) =>
  parseContext({
    namespaces: {
      ...others,
      node: {
        'ip -d -j link': [
          { ifindex: 2, ifname: 'eth1', flags: ['UP'], address: '02:00:00:00:00:0a', linkinfo: {}, ...cable },
          {
            ifindex: 3,
            ifname: 'eth1.100',
            link: 'eth1',
            flags: ['UP'],
            address: '02:00:00:00:00:0a',
            linkinfo: { info_kind: 'vlan', info_data: { id: 100 } },
          },
        ],
        'ip -j addr': [
          { ifindex: 2, ifname: 'eth1', addr_info: onTrunk.map((local) => ({ local, prefixlen: 24 })) },
          { ifindex: 3, ifname: 'eth1.100', addr_info: onVlan.map((local) => ({ local, prefixlen: 24 })) },
        ],
      },
    },
  });
const vantage = { namespace: 'node', interface: 'eth1' };

describe('vlan/native-mismatch', () => {
  it.each([true, false])('is certain where request and answer differ by a tag (asked tagged: %s)', async (isTagged) => {
    const [finding, ...others] = await crossed(3, isTagged).findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'vlan/native-mismatch', severity: 'warning', confidence: 'certain' });
    expect(finding.subject).toMatchObject({ vlan: 100 });
    expect(finding.explains.map(({ rule }) => rule).sort()).toEqual(['arp/reply-not-accepted', 'arp/unanswered']);
  });

  it('is a hint after two requests', async () => {
    expect(await mismatches(crossed(2, true))).toEqual([['vlan/native-mismatch', 'hint', [1, 2, 3, 4]]]);
  });

  it('keeps still where the host does not ask again: the capture lost the tag of what comes in', async () => {
    expect(await mismatches(crossed(1, true))).toEqual([]);
  });

  it('keeps still over a priority tag, which is no VLAN', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02, 3.04])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.2').answer(B, '10.0.0.2', A, '10.0.0.1', { vlan: 0 });
    expect(await mismatches(capture)).toEqual([]);
  });

  it('is likely where the two look for each other, one tagged and one not', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02, 3.04])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.2').ask(B, '10.0.0.2', '10.0.0.1', TAGGED);
    expect(await mismatches(capture)).toEqual([['vlan/native-mismatch', 'likely', [1, 2, 3, 4, 5, 6]]]);
  });

  it('is certain where the target is known to sit behind the tag', async () => {
    const capture = new Capture().at(1).askAgain(3, A, '10.0.0.1', '10.0.0.2');
    const options = { context: host([], ['10.0.0.2']), vantage };
    expect(await mismatches(capture, options)).toEqual([['vlan/native-mismatch', 'certain', [1, 2, 3]]]);
  });

  it('names the port of the switch where the context has it, and the host asks with the tag', async () => {
    const cable = { link_index: 4, linkinfo: { info_kind: 'veth' } };
    const context = host([], ['10.0.0.1'], { sw: SWITCH }, cable);
    const [{ remedy }] = await crossed(3, true).findings({ context, vantage });
    expect(remedy[0].commands).toEqual(['ip netns exec sw bridge vlan add dev p2 vid 100']);
    const [{ remedy: unknown }] = await crossed(3, true).findings({ context: host([], ['10.0.0.1']), vantage });
    expect(unknown[0].commands).toEqual(['bridge vlan add dev <port of the switch> vid 100']);
  });

  it('keeps still where the target is on the trunk device itself', async () => {
    const capture = new Capture().at(1).askAgain(3, A, '10.0.0.1', '10.0.0.2');
    expect(await mismatches(capture, { context: host(['10.0.0.2'], []), vantage })).toEqual([]);
  });

  it('takes in the pings of who remembers the other’s MAC, in the VLAN of either', async () => {
    const [one, two] = [
      { mac: A, ip: '10.0.0.1' },
      { mac: B, ip: '10.0.0.2' },
    ];
    const capture = crossed(3, true);
    ping(capture, 3, { from: one, to: two, way: TAGGED, at: 4 });
    ping(capture, 3, { from: two, to: one, id: 9, at: 8 });
    // Those of a third host are its own.
    ping(capture, 3, { from: { mac: '02:00:00:00:00:03', ip: '10.0.0.3' }, to: two, id: 10, at: 12 });
    const found = await capture.findings({ ignore: ['arp/reply-not-accepted', 'arp/unanswered'] });
    expect(found.map(({ rule, subject }) => [rule, subject.source ?? subject.requester])).toEqual([
      ['vlan/native-mismatch', one.ip],
      ['icmp/echo-unanswered', '10.0.0.3'],
    ]);
    expect(found[0].explains).toMatchObject([{ rule: 'icmp/echo-unanswered', count: 6 }]);
  });

  it('keeps still over untagged requests for nobody known: a native VLAN of others is flooded here too', async () => {
    const capture = new Capture().at(1).askAgain(3, A, '10.0.0.1', '10.0.0.2');
    expect(await mismatches(capture, { context: host([], ['10.9.0.2']), vantage })).toEqual([]);
  });

  it('keeps still where a mirror shows one VLAN with the tag at some ports and without it at others', async () => {
    const both = (isMirror: boolean) => {
      const third = { mac: '02:00:00:00:00:03', ip: '10.0.0.3' };
      const capture = new Capture();
      // A writes to C without the tag, and C is heard with it alone: the port of A, and a trunk.
      if (isMirror)
        ping(capture.ask(third.mac, third.ip, '10.0.0.9', TAGGED), 2, {
          from: { mac: A, ip: '10.0.0.1' },
          to: third,
          at: 1,
        });
      for (let i = 0; i < 3; i++)
        capture
          .at(5 + 1.02 * i)
          .ask(A, '10.0.0.1', '10.0.0.2')
          .ask(B, '10.0.0.2', '10.0.0.1', TAGGED);
      return capture;
    };
    expect((await mismatches(both(false))).map(([, confidence]) => confidence)).toEqual(['likely']);
    expect(await mismatches(both(true))).toEqual([]);
  });

  describe('what the two ends of a link say', () => {
    const ONE = '00:18:ba:00:00:0f';
    const TWO = '00:19:2f:00:00:0f';
    const cdp = (capture: Capture, from: string, vlan: number, way: Way = {}) => {
      const message = [2, 180, 0, 0, 0, 1, 0, 6, 0x53, 0x31, ...(vlan < 0 ? [] : [0, 10, 0, 6, ...u16(vlan)])];
      const llc = [0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, ...message];
      return capture.raw([...mac('01:00:0c:cc:cc:cc'), ...mac(from), ...u16(llc.length), ...llc], way);
    };
    const lldp = (capture: Capture, from: string, vlan: number, way: Way = {}) => {
      const head = [2, 7, 4, ...mac(from), 4, 3, 5, 0x65, 0x31, 6, 2, 0, 120];
      const portVlan = [0xfe, 6, 0, 0x80, 0xc2, 1, ...u16(vlan)];
      return capture.raw([...mac('01:80:c2:00:00:0e'), ...mac(from), 0x88, 0xcc, ...head, ...portVlan, 0, 0], way);
    };
    const said = async (capture: Capture) => inShort(await capture.findings());

    it.each([
      ['CDP', cdp],
      ['LLDP', lldp],
    ])('is likely where %s goes out with one VLAN and comes in with another', async (_, say) => {
      const capture = say(new Capture(), ONE, 1, { direction: 'out' });
      say(capture.at(30), TWO, 99, { direction: 'in' });
      expect(await said(capture)).toEqual([['vlan/native-mismatch', 'likely', [1, 2]]]);
      const [finding] = await capture.findings();
      expect(finding.subject).toEqual({ mac: ONE, other: TWO, vlan: 1, otherVlan: 99 });
    });

    it('is a hint without directions: a mirror of two ports looks alike', async () => {
      expect(await said(cdp(cdp(new Capture(), ONE, 1), TWO, 99))).toEqual([['vlan/native-mismatch', 'hint', [1, 2]]]);
    });

    it('forgets what was set to another meanwhile', async () => {
      const capture = cdp(cdp(new Capture(), ONE, 1), TWO, 99);
      expect(await said(cdp(capture.at(60), TWO, 1))).toEqual([]);
      expect(await said(cdp(capture.at(90), ONE, 7))).toEqual([['vlan/native-mismatch', 'hint', [3, 4]]]);
    });

    it.each<[string, Capture]>([
      ['the same VLAN', cdp(cdp(new Capture(), ONE, 5), TWO, 5)],
      ['one that does not tell', cdp(cdp(new Capture(), ONE, 5), TWO, -1)],
      ['a port without one (0)', lldp(lldp(new Capture(), ONE, 5), TWO, 0)],
      ['one of CDP and one of LLDP', lldp(cdp(new Capture(), ONE, 5), TWO, 6)],
      [
        'three speakers, which are no ends of one link',
        cdp(cdp(cdp(new Capture(), ONE, 1), TWO, 2), '00:1a:00:00:00:01', 3),
      ],
      ['two in VLANs of their own', cdp(cdp(new Capture(), ONE, 1, { vlan: 7 }), TWO, 2, { vlan: 8 })],
      ['one end alone', cdp(cdp(new Capture(), ONE, 1), ONE, 1)],
    ])('keeps still over %s', async (_, capture) => {
      expect(await said(capture)).toEqual([]);
    });
  });
});
