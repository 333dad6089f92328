import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { arpRequest, BROADCAST, CookedCapture, HOST, OTHER, OUTGOING } from '../../support/cooked.js';
import { dhcp, SERVER } from '../../support/dhcp.js';
import { Capture, findingsOf, inShort, ip } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';
const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';

const only = { select: ['arp/unanswered'] };

describe('arp/unanswered', () => {
  it('speaks after three requests a second apart', async () => {
    const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.0.2');
    expect(inShort(await capture.findings(only))).toEqual([['arp/unanswered', 'likely', [1, 2, 3]]]);
  });

  it('is certain where an answer would have been seen', async () => {
    const capture = new Capture()
      .ask(A, '10.0.0.1', '10.0.0.3', { direction: 'out' })
      .answer(B, '10.0.0.3', A, '10.0.0.1', { direction: 'in' })
      .at(1)
      .askAgain(3, A, '10.0.0.1', '10.0.0.2', { direction: 'out' });
    expect(inShort(await capture.findings(only))).toEqual([['arp/unanswered', 'certain', [3, 4, 5]]]);
  });

  it('ends with the requests that it names, whatever is asked later', async () => {
    const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.0.2').at(20).ask(A, '10.0.0.1', '10.0.0.2');
    const [finding, ...others] = await capture.findings(only);
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['arp/unanswered', 'likely', [1, 2, 3]]]);
    const milliseconds = Date.parse(finding.last ?? '') - Date.parse(finding.first ?? '');
    expect(milliseconds).toBe(2040);
  });

  it('only hints after two requests, and says nothing after one', async () => {
    expect(inShort(await new Capture().askAgain(2, A, '10.0.0.1', '10.0.0.2').findings(only))).toEqual([
      ['arp/unanswered', 'hint', [1, 2]],
    ]);
    expect(await new Capture().ask(A, '10.0.0.1', '10.0.0.2').findings(only)).toEqual([]);
  });

  it.each([-0.01, 0.001, 0.8, 1.9])('takes an answer %f s after the last request for one', async (late) => {
    const capture = new Capture().askAgain(2, A, '10.0.0.1', '10.0.0.2');
    if (late < 0) capture.at(2.03).answer(B, '10.0.0.2', A, '10.0.0.1').at(2.04).ask(A, '10.0.0.1', '10.0.0.2');
    else
      capture
        .at(2.04)
        .ask(A, '10.0.0.1', '10.0.0.2')
        .at(2.04 + late)
        .answer(B, '10.0.0.2', A, '10.0.0.1');
    expect(await capture.findings(only)).toEqual([]);
  });

  it.each([
    ['while it asks still', 5],
    ['after it gave up', 3],
  ])('keeps still where each request gets its answer seconds later, out of a long queue, %s', async (_, requests) => {
    const late = (answers: number) => {
      const capture = new Capture();
      const at = [
        ...Array.from({ length: requests }, (_, i) => ({ at: i * 1.02, isAnswer: false })),
        ...Array.from({ length: answers }, (_, i) => ({ at: 4.5 + i * 1.02, isAnswer: true })),
      ].sort((a, b) => a.at - b.at);
      for (const each of at)
        if (each.isAnswer) capture.at(each.at).answer(B, '10.0.0.2', A, '10.0.0.1');
        else capture.at(each.at).ask(A, '10.0.0.1', '10.0.0.2');
      return capture.at(20).ask(A, '10.0.0.1', '10.0.0.1').findings(only);
    };
    expect(await late(requests)).toEqual([]);
    expect(await late(1)).toHaveLength(1);
  });

  it.each([
    ['announces itself', '10.0.0.2'],
    ['asks somebody', '10.0.0.7'],
  ])('keeps still about two requests where the target %s soon after', async (_, target) => {
    const asked = (times: number, at: number) =>
      new Capture().askAgain(times, A, '10.0.0.1', '10.0.0.2').at(at).ask(B, '10.0.0.2', target).at(9);
    const said = async (capture: Capture) => inShort(await capture.ask(A, '10.0.0.1', '10.0.0.1').findings(only));
    expect(await said(asked(2, 1.5))).toEqual([]);
    expect(await said(asked(2, 3.1))).toEqual([['arp/unanswered', 'hint', [1, 2]]]);
    expect(await said(asked(3, 2.5))).toEqual([['arp/unanswered', 'likely', [1, 2, 3]]]);
  });

  it('takes questions for an address that DHCP then gives away for a trial', async () => {
    const tried = (given: string, at: number) => {
      const capture = dhcp(new Capture(), 'discover').at(0.02);
      for (const second of [0, 1.02, 2.04]) capture.at(0.02 + second).ask(C, '10.0.0.3', '10.0.0.9');
      for (const type of ['offer', 'request', 'ack'] as const)
        dhcp(capture.at(at), type, { server: SERVER, address: given });
      return capture.at(9).ask(A, '10.0.0.1', '10.0.0.1').findings(only);
    };
    expect(await tried('10.0.0.9', 3.1)).toEqual([]);
    expect(await tried('10.0.0.9', 6)).toEqual([]);
    expect(await tried('10.0.0.8', 3.1)).toHaveLength(1);
    expect(await tried('10.0.0.9', 8)).toHaveLength(1);
    expect(await tried('10.0.0.9', 1.5)).toHaveLength(1);
  });

  it('takes for trials what a server asks while clients look for a lease, whoever gets it', async () => {
    const tried = (times: number, { from = SERVER, at = 0.5, late = 0, capture = new Capture() } = {}) => {
      for (const each of [0, 0.3]) dhcp(capture.at(each), 'discover', { xid: 5 + each * 10, client: C });
      capture.at(at).askAgain(times, from.mac, from.ip, '10.0.0.9');
      if (late > 0) dhcp(capture.at(late), 'request', { server: SERVER, address: '10.0.0.8', xid: 2, client: B });
      return capture.at(20).ask(A, '10.0.0.1', '10.0.0.1').findings(only);
    };
    const known = () => dhcp(new Capture(), 'offer', { server: SERVER, address: '10.0.0.8', xid: 3, client: B });
    expect(await tried(3, { capture: known() })).toEqual([]);
    expect(await tried(3, { late: 9 })).toEqual([]);
    expect(await tried(3)).toHaveLength(1);
    expect(await tried(4, { capture: known() })).toHaveLength(1);
    expect(await tried(3, { capture: known(), at: 5.4 })).toHaveLength(1);
    expect(await tried(3, { capture: known(), from: { mac: A, ip: '10.0.0.1' } })).toHaveLength(1);
    // Who asks at once when a client looks for a server is one, though its unicast offers do not pass here.
    expect(await tried(3, { at: 0.301 })).toEqual([]);
    expect(await tried(3, { at: 0.32 })).toHaveLength(1);
  });

  it('takes for trials what is asked for while clients look for a lease in messages that the capture cut off', async () => {
    const tried = (times: number, { asked = 0, held = '' } = {}) => {
      const capture = dhcp(new Capture().at(asked), 'discover', held === '' ? {} : { held }).at(0.5);
      return capture.askAgain(times, C, '10.0.0.3', '10.0.0.9').at(20).ask(A, '10.0.0.1', '10.0.0.1').cut(128);
    };
    expect(await tried(3).findings(only)).toEqual([]);
    expect(await tried(3, { asked: 4 }).findings(only)).toEqual([]);
    expect(await tried(4).findings(only)).toHaveLength(1);
    expect(await tried(3, { asked: 12 }).findings(only)).toHaveLength(1);
    expect(await tried(3, { held: '10.0.0.7' }).findings(only)).toHaveLength(1);
  });

  it('takes questions for an address that is offered, and not taken, for a trial', async () => {
    const capture = dhcp(new Capture(), 'discover').at(0.02);
    for (const second of [0, 1.02, 2.04]) capture.at(0.02 + second).ask(C, '10.0.0.3', '10.0.0.9');
    dhcp(capture.at(3.1), 'offer', { server: SERVER, address: '10.0.0.9' });
    expect(await capture.at(12).ask(A, '10.0.0.1', '10.0.0.1').findings(only)).toEqual([]);
  });

  it('does not take the requests of arping -b, which a bystander hears without their answers, for those of a kernel', async () => {
    const asked = (tha: string) => {
      const capture = new Capture();
      for (const second of [0, 1, 2, 3])
        capture.at(second).arp({ op: 1, from: A, spa: '10.0.0.1', tpa: '10.0.0.2', tha }, { direction: 'in' });
      return capture.at(9).ask(C, '10.0.0.3', '10.0.0.3', { direction: 'out' }).findings(only);
    };
    expect(await asked(BROADCAST_MAC)).toEqual([]);
    expect(await asked('00:00:00:00:00:00')).toHaveLength(1);
  });

  it('waits with what a server may be trying out when the capture ends', async () => {
    const capture = dhcp(new Capture(), 'discover').at(0.02);
    for (const second of [0, 1.02, 2.04]) capture.at(0.02 + second).ask(C, '10.0.0.3', '10.0.0.9');
    expect(await capture.at(6).ask(A, '10.0.0.1', '10.0.0.1').findings(only)).toEqual([]);
    expect(await capture.at(9).ask(A, '10.0.0.1', '10.0.0.1').findings(only)).toHaveLength(1);
  });

  it('does not wait once the address was offered: what is asked for then is no trial', async () => {
    const offered = (address: string, client: string) => {
      const capture = dhcp(new Capture(), 'discover');
      dhcp(capture.at(0.01), 'discover', { client: '02:00:00:00:00:05', xid: 2 });
      dhcp(capture.at(0.02), 'offer', { server: SERVER, address });
      if (client !== '') dhcp(capture, 'offer', { server: SERVER, address: '10.0.0.8', client, xid: 2 });
      for (const second of [0.1, 1.12, 2.14]) capture.at(second).ask(A, '10.0.0.1', '10.0.0.9');
      return capture.at(6).ask(A, '10.0.0.1', '10.0.0.1').findings(only);
    };
    expect(await offered('10.0.0.7', '02:00:00:00:00:05')).toHaveLength(1);
    expect(await offered('10.0.0.7', '')).toEqual([]);
  });

  it('does not take for a trial what was asked for more often than one ping makes a kernel ask', async () => {
    const asked = (times: number) => {
      const capture = dhcp(new Capture(), 'discover');
      for (let n = 0; n < times; n++) capture.at(0.1 + n * 1.02).ask(A, '10.0.0.1', '10.0.0.9');
      dhcp(capture.at(times * 1.02), 'discover', { client: '02:00:00:00:00:05', xid: 2 });
      return capture.findings(only);
    };
    expect(await asked(3)).toEqual([]);
    expect(await asked(4)).toHaveLength(1);
  });

  it('remembers that a trial ended well, though the server, busy with other trials, acknowledges seconds later', async () => {
    const capture = dhcp(new Capture(), 'discover').at(0.01);
    for (const second of [0, 1.02, 2.04]) capture.at(0.01 + second).ask(SERVER.mac, SERVER.ip, '10.0.0.9');
    dhcp(capture.at(3.4), 'offer', { server: SERVER, address: '10.0.0.9' });
    for (const second of [3.5, 6.5, 9.5]) dhcp(capture.at(second), 'request', { server: SERVER, address: '10.0.0.9' });
    dhcp(capture.at(9.51), 'ack', { server: SERVER, address: '10.0.0.9' });
    expect(await capture.at(14).ask(A, '10.0.0.1', '10.0.0.1').findings(only)).toEqual([]);
  });

  it('says that it is about who asks where the target speaks meanwhile', async () => {
    const OTHER = '02:00:00:00:00:09';
    const heard = async (at: number, way = {}) => {
      const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.0.2');
      capture.at(at).ask(OTHER, '10.0.0.9', '10.0.0.2', way).answer(B, '10.0.0.2', OTHER, '10.0.0.9', way);
      const [{ title, cause, summary }] = await capture.at(9).ask(A, '10.0.0.1', '10.0.0.1').findings(only);
      expect(summary.includes(B)).toBe(title.includes('it is there'));
      expect(cause.startsWith('10.0.0.2 is up')).toBe(title.includes('it is there'));
      return title.includes('it is there');
    };
    expect(await heard(0.5)).toBe(true);
    expect(await heard(3.9)).toBe(true);
    expect(await heard(4.2)).toBe(false);
    expect(await heard(3, { vlan: 7 })).toBe(false);
  });

  it('does not say so of a target that may just have come up', async () => {
    const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.0.2').at(2.5).ask(B, '10.0.0.2', '10.0.0.2');
    const [{ title }] = await capture
      .at(2.9)
      .ask(B, '10.0.0.2', '10.0.0.9')
      .at(9)
      .ask(A, '10.0.0.1', '10.0.0.1')
      .findings(only);
    expect(title).toBe('10.0.0.1 asks for 10.0.0.2 and gets no answer');
  });

  it('takes the announcement-like reply to another host for none', async () => {
    const capture = new Capture()
      .askAgain(3, A, '10.0.0.1', '10.0.0.2')
      .at(2.1)
      .answer(B, '10.0.0.2', '02:00:00:00:00:09', '10.0.0.9');
    expect(inShort(await capture.findings(only)).map(([rule]) => rule)).toEqual(['arp/unanswered']);
  });

  it('lists copies of a request and does not count them', async () => {
    const capture = new Capture();
    for (const time of [0, 1.02])
      capture
        .at(time)
        .ask(A, '10.0.0.1', '10.0.0.2')
        .at(time + 0.0001)
        .ask(A, '10.0.0.1', '10.0.0.2');
    expect(inShort(await capture.findings(only))).toEqual([['arp/unanswered', 'hint', [1, 2, 3, 4]]]);
  });

  it('keeps still about announcements, probes and unicast requests', async () => {
    const capture = new Capture();
    for (const time of [0, 1.02, 2.04, 3.06])
      capture
        .at(time)
        .ask(A, '10.0.0.1', '10.0.0.1')
        .ask(A, '0.0.0.0', '10.0.0.5')
        .arp({ op: 1, from: A, to: B, spa: '10.0.0.1', tpa: '10.0.0.2' });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about a sweep over the subnet', async () => {
    const capture = new Capture();
    for (let round = 0; round < 3; round++)
      for (let host = 10; host < 40; host++)
        capture.at(round * 1.02 + host / 1000).ask(A, '10.0.0.1', `10.0.0.${host}`);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('takes other pauses than a kernel’s for somebody else’s answered questions', async () => {
    const capture = new Capture();
    for (const time of [0, 3, 6, 9]) capture.at(time).ask(A, '10.0.0.1', '10.0.0.2');
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const capture = new Capture();
    for (const time of [0, 1.02, 2.04])
      for (const way of [{ vlan: 10 }, { vlan: 20 }, { vni: 5 }]) capture.at(time).ask(A, '10.0.0.1', '10.0.0.2', way);
    const findings = await capture.findings(only);
    expect(findings.map(({ segment: { vlans, vnis } }) => ({ vlans, vnis }))).toEqual([
      { vlans: [10], vnis: [] },
      { vlans: [20], vnis: [] },
      { vlans: [], vnis: [5] },
    ]);
  });

  it('keeps still about unicast requests that a bridge passes on, where a cooked header hides whom they go out to', async () => {
    const request = (to: string) => arpRequest(A, to, ip('10.0.0.1'), ip('10.0.0.2'));
    const passed = (type: number, to: string) => {
      const capture = new CookedCapture();
      for (let i = 0; i < 3; i++)
        capture.frame(i * 1.02, 3, type, request(to)).frame(i * 1.02 + 0.0002, 5, OUTGOING, request(to));
      return findingsOf(capture.file(), only);
    };
    expect(await passed(OTHER, B)).toEqual([]);
    expect((await passed(BROADCAST, BROADCAST_MAC)).length).toBeGreaterThan(0);
  });

  it('keeps what was in vain before a later request was answered', async () => {
    const capture = new Capture().askAgain(4, A, '10.0.0.1', '10.0.0.2').at(3.061).answer(B, '10.0.0.2', A, '10.0.0.1');
    const [finding] = await capture.findings(only);
    expect(finding.caveats.join()).toContain('later request was answered');
  });

  describe('of a neighbour that answered before', () => {
    it('says that it was there', async () => {
      const capture = new Capture().ask(A, '10.0.0.1', '10.0.0.2').at(0.001).answer(B, '10.0.0.2', A, '10.0.0.1');
      const [finding] = await capture.at(60).askAgain(3, A, '10.0.0.1', '10.0.0.2').findings(only);
      expect(inShort([finding])).toEqual([['arp/unanswered', 'certain', [3, 4, 5]]]);
      expect(finding.title).toContain('any more');
      expect(finding.summary).toContain('Earlier in this capture 10.0.0.2 answered it.');
      expect(finding.caveats).toEqual([]);
    });

    it('does not say so where another host was answered', async () => {
      const capture = new Capture().ask(C, '10.0.0.3', '10.0.0.2').at(0.001).answer(B, '10.0.0.2', C, '10.0.0.3');
      const [finding] = await capture.at(60).askAgain(3, A, '10.0.0.1', '10.0.0.2').findings(only);
      expect(finding.title).not.toContain('any more');
    });

    it('says in a cooked capture that the first may have gone to its MAC alone', async () => {
      const request = arpRequest(A, BROADCAST_MAC, ip('10.0.0.1'), ip('10.0.0.2'));
      const reply = arpRequest(B, A, ip('10.0.0.2'), ip('10.0.0.1'));
      // Operation 2, and whom it is for.
      reply.splice(21, 1, 2);
      reply.splice(32, 6, ...request.slice(6, 12));
      const capture = new CookedCapture().frame(0, 3, OUTGOING, request).frame(0.001, 3, HOST, reply);
      for (let i = 0; i < 6; i++) capture.frame(60 + i * 1.02, 3, OUTGOING, request);
      const [finding] = await findingsOf(capture.file(), only);
      expect(finding.caveats.join()).toContain('arp/neighbor-lost');
    });
  });

  describe('of an address that is the asking host’s own', () => {
    const device = (index: number, name: string, address: string, more = {}) => ({
      ifindex: index,
      ifname: name,
      link_type: 'ether',
      address,
      flags: ['UP', 'LOWER_UP'],
      ...more,
    });
    const holds = (index: number, name: string, ...local: string[]) => ({
      ifname: name,
      ifindex: index,
      addr_info: local.map((each) => ({ family: 'inet', local: each, prefixlen: 24 })),
    });
    const host = (second = {}, namespace = 'a') =>
      parseContext({
        kernel: '6.1',
        namespaces: {
          a: {
            'ip -d -j link': [
              device(2, 'eth0', A),
              ...(namespace === 'a' ? [device(3, 'eth1', B, second)] : []),
              { ...device(4, 'red', C), linkinfo: { info_kind: 'vrf' } },
            ],
            'ip -j addr': [holds(2, 'eth0', '10.0.0.1', '10.0.0.4'), holds(3, 'eth1', '10.0.0.2')],
          },
          ...(namespace === 'a'
            ? {}
            : {
                [namespace]: { 'ip -d -j link': [device(3, 'eth1', B)], 'ip -j addr': [holds(3, 'eth1', '10.0.0.2')] },
              }),
        },
      });
    const asks = (target = '10.0.0.2') => new Capture().askAgain(3, A, '10.0.0.1', target);
    const said = async (context: ReturnType<typeof host>, capture = asks()) =>
      (await capture.findings({ ...only, context }))[0];

    it('says so by the host context: bound to another device, or no local route', async () => {
      const beside = await said(host());
      expect(beside.title).toBe('10.0.0.1 asks for 10.0.0.2, an address of its own, and gets no answer');
      expect(beside.cause).toContain('bound to eth0 in a (ping -I');
      expect(beside.remedy[0].commands).toContain('ip netns exec a ip route get 10.0.0.2');
      const same = await said(host(), asks('10.0.0.4'));
      expect(same.cause).toContain('gone from the local table');
      expect(same.remedy[0].commands).toContain('ip netns exec a ip route add local 10.0.0.4 dev eth0 table local');
    });

    it('says where the host asks in the name of an address of another device', async () => {
      const named = await said(host(), new Capture().askAgain(3, A, '10.0.0.2', '10.0.0.9'));
      expect(named.summary).toContain('asks by eth0 in a in the name of 10.0.0.2, which is on eth1 in a');
      expect(named.remedy[0].commands).toEqual(['ip netns exec a sysctl -w net.ipv4.conf.eth0.arp_announce=2']);
      const usual = await said(host(), new Capture().askAgain(3, A, '10.0.0.4', '10.0.0.9'));
      expect(usual.summary).not.toContain('in the name of');
      const both = new Capture().askAgain(3, A, '10.0.0.4', '10.0.0.9').at(9).askAgain(3, A, '10.0.0.2', '10.0.0.9');
      const found = await both.findings({ context: host() });
      expect(found.filter(({ summary }) => summary.includes('in the name of'))).toEqual([]);
      const elsewhere = await said(host({}, 'b'), new Capture().askAgain(3, A, '10.0.0.2', '10.0.0.9'));
      expect(elsewhere.summary).not.toContain('in the name of');
    });

    it.each([
      ['in another namespace', host({}, 'b')],
      ['on a device that is down', host({ flags: [] })],
      ['in another VRF', host({ master: 'red', linkinfo: { info_slave_kind: 'vrf' } })],
    ])('does not say so of one %s', async (_, context) => {
      expect((await said(context)).title).not.toContain('of its own');
    });

    it('says without context that the same MAC uses it, unless it only answers for it', async () => {
      const uses = asks().at(9).ask(A, '10.0.0.2', '10.0.0.7');
      expect((await uses.findings(only))[0].title).toContain('its own MAC has that address too');
      const proxy = asks().at(9).answer(A, '10.0.0.2', C, '10.0.0.7');
      expect((await proxy.findings(only))[0].title).not.toContain('its own MAC');
    });
  });
});
