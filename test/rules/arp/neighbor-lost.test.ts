import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Analyzer } from '../../../src/analyze.js';
import { openCapture } from '../../../src/capture/open.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { advertisement, icmpv6, ip6, solicitation } from '../../support/nd.js';
import { ping } from '../../support/ping.js';
import { SYN, tcp6 } from '../../support/tcp.js';
import { Capture, inShort, u16, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';
const only = { select: ['arp/neighbor-lost'] };

/** A asks for B by broadcast and is answered: frames 1 and 2. */
const meet = (way?: Way) => new Capture().ask(A, '10.0.0.1', '10.0.0.2', way).answer(B, '10.0.0.2', A, '10.0.0.1', way);

/** A asks B by unicast, `times` times, `pause` seconds apart from 10 s on. */
function refresh(
  capture: Capture,
  {
    times = 3,
    pause = 1.02,
    to = B,
    at = 10,
    way,
  }: { times?: number; pause?: number; to?: string; at?: number; way?: Way } = {},
) {
  for (let i = 0; i < times; i++)
    capture.at(at + i * pause).arp({ op: 1, from: A, to, spa: '10.0.0.1', tpa: '10.0.0.2' }, way);
  return capture;
}

/** Somebody else speaks: the capture goes on. */
const goesOn = (capture: Capture, at = 20) => capture.at(at).ask(C, '10.0.0.3', '10.0.0.77');

const said = async (capture: Capture) => inShort(await capture.findings(only)).map(([, ...rest]) => rest);

describe('arp/neighbor-lost', () => {
  it('speaks after three unicast requests a second apart', async () => {
    const [finding, ...others] = await goesOn(refresh(meet())).findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'arp/neighbor-lost', severity: 'warning', confidence: 'likely', count: 3 });
    expect(finding.evidence.map(({ frame }) => frame)).toEqual([3, 4, 5]);
    expect(finding.summary).toContain('heard earlier');
  });

  it('says nothing after two', async () => {
    expect(await said(goesOn(refresh(meet(), { times: 2 })))).toEqual([]);
  });

  it.each([0.5, 1.5, 30])('takes requests %f s apart for those of a program or another run', async (pause) => {
    expect(await said(goesOn(refresh(meet(), { pause }), 200))).toEqual([]);
  });

  it('takes requests to another MAC for another run', async () => {
    const capture = refresh(refresh(meet(), { times: 2 }), { times: 2, at: 12.04, to: C });
    expect(await said(goesOn(capture))).toEqual([]);
  });

  it('counts a request once that passes two ports', async () => {
    expect(await said(goesOn(refresh(refresh(meet(), { times: 2 }), { times: 2, at: 10.001 })))).toEqual([]);
  });

  it('only hints where the capture ends too soon for an answer', async () => {
    expect(await said(refresh(meet()))).toEqual([['hint', [3, 4, 5]]]);
  });

  it('only hints about a station that was never heard', async () => {
    const capture = new Capture().ask(C, '10.0.0.3', '10.0.0.1').answer(A, '10.0.0.1', C, '10.0.0.3');
    expect(await said(goesOn(refresh(capture.answer(C, '10.0.0.3', A, '10.0.0.1'))))).toEqual([['hint', [4, 5, 6]]]);
  });

  it('keeps still about a station that speaks and never had the address, as a DHCP client that declined it', async () => {
    const capture = new Capture().ask(B, '10.0.0.66', '10.0.0.1').answer(A, '10.0.0.1', B, '10.0.0.66');
    expect(await said(goesOn(refresh(capture.answer(B, '10.0.0.66', A, '10.0.0.1'))))).toEqual([]);
  });

  it('only hints where nothing for the asking host is seen', async () => {
    expect(await said(goesOn(refresh(new Capture())))).toEqual([['hint', [1, 2, 3]]]);
  });

  it('keeps still where an answer comes, to the last request or to a broadcast soon after', async () => {
    expect(await said(goesOn(refresh(meet()).at(12.3).answer(B, '10.0.0.2', A, '10.0.0.1')))).toEqual([]);
    const resolved = refresh(meet())
      .at(13.1)
      .ask(A, '10.0.0.1', '10.0.0.2')
      .at(13.2)
      .answer(B, '10.0.0.2', A, '10.0.0.1');
    expect(await said(goesOn(resolved))).toEqual([]);
  });

  it('keeps what was lost before the neighbour came back', async () => {
    const capture = refresh(meet()).at(40).ask(A, '10.0.0.1', '10.0.0.2').at(40.1).answer(B, '10.0.0.2', A, '10.0.0.1');
    const [finding] = await goesOn(capture, 50).findings(only);
    expect(finding).toMatchObject({ confidence: 'likely' });
    expect(finding.caveats.join()).toContain('later');
  });

  it('only hints where it announced itself before it answered again: it was started anew', async () => {
    const back = (announced: boolean) => {
      const capture = refresh(meet());
      if (announced) capture.at(13).ask(B, '10.0.0.2', '10.0.0.2');
      const asked = capture.at(25).arp({ op: 1, from: A, to: B, spa: '10.0.0.1', tpa: '10.0.0.2' });
      return said(goesOn(asked.answer(B, '10.0.0.2', A, '10.0.0.1'), 40));
    };
    expect((await back(true)).map(([confidence]) => confidence)).toEqual(['hint']);
    expect((await back(false)).map(([confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints where the neighbour goes on speaking', async () => {
    const capture = refresh(meet()).at(12.5).ask(B, '10.0.0.2', '10.0.0.9');
    const [finding] = await goesOn(capture).findings(only);
    expect(finding.confidence).toBe('hint');
    expect(finding.title).toContain('still speaks');
  });

  it('keeps still where another station has the address now', async () => {
    expect(await said(goesOn(refresh(meet()).at(12.5).ask(C, '10.0.0.2', '10.0.0.9')))).toEqual([]);
    expect(await said(goesOn(refresh(meet().at(5).ask(C, '10.0.0.2', '10.0.0.9'))))).toEqual([]);
  });

  it('explains broadcasts in vain, and pings that were sent meanwhile', async () => {
    const capture = meet();
    ping(capture, 5, { from: { mac: A, ip: '10.0.0.1' }, to: { mac: B, ip: '10.0.0.2' }, at: 1 });
    refresh(capture).at(13.2).askAgain(3, A, '10.0.0.1', '10.0.0.2');
    const [finding, ...others] = await capture.at(20).ask(C, '10.0.0.3', '10.0.0.1').findings();
    expect(others).toEqual([]);
    expect(finding.explains.map(({ rule }) => rule).sort()).toEqual(['arp/unanswered', 'icmp/echo-unanswered']);
  });

  it('explains what was sent to the same MAC by IPv6 only if the neighbour is silent altogether', async () => {
    const met = () => {
      const capture = meet();
      for (let i = 1; i <= 5; i++) {
        const [from, to] = ['fd00::1', 'fd00::2'];
        capture.at(i).raw(icmpv6(A, B, from, to, [128, 0, 0, 0, 0, 7, ...u16(i), ...new Array(16).fill(0)]));
        if (i < 4) tcp6(capture.at(i + 0.5), { mac: A, ip: '10.0.0.1' }, { mac: B, ip: '10.0.0.2' }, SYN);
      }
      return refresh(capture);
    };
    const told = async (capture: Capture) => {
      const findings = await goesOn(capture, 60).findings();
      return findings.map(({ rule, explains }) => [rule, ...explains.map(({ rule }) => rule).sort()].join(' '));
    };
    expect(await told(met())).toEqual(['arp/neighbor-lost icmp/echo-unanswered tcp/syn-unanswered']);
    // Its IPv6 has been there all the time, and speaks once the IPv4 is back.
    const back = met().at(40).ask(A, '10.0.0.1', '10.0.0.2').at(40.1).answer(B, '10.0.0.2', A, '10.0.0.1');
    expect((await told(back)).sort()).toEqual(['arp/neighbor-lost', 'icmp/echo-unanswered', 'tcp/syn-unanswered']);
  });

  it('judges each capture by its own end', async () => {
    const analyzer = new Analyzer(only);
    for (const capture of [refresh(meet()), goesOn(meet(), 100)])
      await analyzer.read(await openCapture('-', { stdin: Readable.from([capture.file()]) }));
    expect(inShort(analyzer.analysis().findings)).toEqual([['arp/neighbor-lost', 'hint', [3, 4, 5]]]);
  });

  it('finds the device of the asking host by its address where the context is not given', async () => {
    const [finding] = await goesOn(refresh(meet())).findings(only);
    expect(finding.remedy[0].commands[1]).toBe(
      `arping -b -c 3 -I "$(ip -br addr show to 10.0.0.1 | sed 's/[@ ].*//;q')" 10.0.0.2`,
    );
  });

  it('names the device of the asking host', async () => {
    const context = parseContext({
      kernel: '6.1',
      namespaces: {
        ns1: { 'ip -d -j link': [{ ifindex: 2, ifname: 'veth7', link_type: 'ether', address: A, flags: ['UP'] }] },
      },
    });
    const [finding] = await goesOn(refresh(meet())).findings({ ...only, context });
    expect(finding.remedy[0].commands[1]).toBe('ip netns exec ns1 arping -b -c 3 -I veth7 10.0.0.2');
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const mixed = refresh(refresh(meet({ vlan: 10 }), { times: 2, way: { vlan: 10 } }), {
      times: 1,
      at: 12.04,
      way: { vlan: 20 },
    });
    expect(await said(goesOn(mixed))).toEqual([]);
    for (const way of [{ vlan: 10 }, { vni: 5 }])
      expect(await said(goesOn(refresh(meet(way), { way })))).toHaveLength(1);
  });
});

/** A meets fd00::2 at B by IPv6, and solicits it by unicast from its link-local address from 10 s on; frames 1, 2 and 3, 4, 5. */
function refresh6({ times = 3, way }: { times?: number; way?: Way } = {}): Capture {
  const capture = new Capture()
    .raw(solicitation(A, 'fd00::1', 'fd00::2'), way)
    .raw(advertisement(B, 'fd00::2', { mac: A, ip: 'fd00::1' }), way);
  const message = [135, 0, 0, 0, 0, 0, 0, 0, ...ip6('fd00::2')];
  for (let i = 0; i < times; i++) capture.at(10 + i * 1.02).raw(icmpv6(A, B, 'fe80::1', 'fd00::2', message), way);
  return capture;
}

describe('arp/neighbor-lost of IPv6', () => {
  it('speaks after three unicast solicitations a second apart', async () => {
    const [finding, ...others] = await goesOn(refresh6()).findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'arp/neighbor-lost', severity: 'warning', confidence: 'likely', count: 3 });
    expect(finding.subject).toEqual({ ip: 'fd00::2', requester: 'fe80::1', mac: B });
    expect(finding.evidence.map(({ frame, layer }) => [frame, layer])).toEqual([
      [3, 'icmpv6'],
      [4, 'icmpv6'],
      [5, 'icmpv6'],
    ]);
  });

  it('says nothing after two', async () => {
    expect(await said(goesOn(refresh6({ times: 2 })))).toEqual([]);
  });

  describe('of who only looked for routers', () => {
    const greeting = icmpv6(B, '33:33:00:00:00:02', 'fe80::2', 'ff02::2', [133, 0, 0, 0, 0, 0, 0, 0]);
    const probe = icmpv6(A, B, 'fe80::1', 'fe80::2', [135, 0, 0, 0, 0, 0, 0, 0, ...ip6('fe80::2')]);
    const known = solicitation(C, 'fd00::3', 'fd00::1');
    const answer = advertisement(A, 'fd00::1', { mac: C, ip: 'fd00::3' });
    const back = advertisement(C, 'fd00::3', { mac: A, ip: 'fd00::1' });

    /** A is written to; B looks for routers, does `more`, and is probed in vain. */
    const probed = (more: Capture = new Capture()) => {
      const capture = more.raw(known).at(0.1).raw(answer).at(0.2).raw(back).at(1).raw(greeting);
      for (let i = 0; i < 3; i++) capture.at(6 + i * 1.02).raw(probe);
      return goesOn(capture);
    };

    it('only hints: a bridge port with an address of its own never answers', async () => {
      const [finding, ...others] = await probed().findings(only);
      expect(others).toEqual([]);
      expect(finding.confidence).toBe('hint');
      expect(finding.caveats.join()).toContain('bridge port');
    });

    it('is likely where it did anything else before', async () => {
      const spoke = new Capture().raw(advertisement(B, 'fe80::2', { mac: A, ip: 'fe80::1' })).at(0.01);
      expect((await said(probed(spoke))).map(([confidence]) => confidence)).toEqual(['likely']);
    });

    it('says nothing where the host context shows the bridge port', async () => {
      const context = parseContext({
        kernel: '6.1',
        namespaces: {
          sw: {
            'ip -d -j link': [
              { ifindex: 2, ifname: 'br0', link_type: 'ether', address: C, linkinfo: { info_kind: 'bridge' } },
              {
                ifindex: 3,
                ifname: 'p1',
                link_type: 'ether',
                address: B,
                master: 'br0',
                linkinfo: { info_slave_kind: 'bridge' },
              },
            ],
            'ip -j addr': [
              { ifindex: 3, ifname: 'p1', addr_info: [{ family: 'inet6', local: 'fe80::2', prefixlen: 64 }] },
            ],
          },
        },
      });
      expect(await probed().findings({ ...only, context })).toEqual([]);
    });
  });

  it('keeps still where an advertisement comes, also to another address of the asking host', async () => {
    const answer = (ip: string) => advertisement(B, 'fd00::2', { mac: A, ip });
    expect(await said(goesOn(refresh6().at(12.3).raw(answer('fe80::1'))))).toEqual([]);
    const resolved = refresh6()
      .at(13.1)
      .raw(solicitation(A, 'fd00::1', 'fd00::2'))
      .at(13.2)
      .raw(answer('fd00::1'));
    expect(await said(goesOn(resolved))).toEqual([]);
  });

  it('takes an advertisement to the asking address for an answer, whichever MAC it goes to', async () => {
    const elsewhere = (ip: string) => advertisement(B, 'fd00::2', { mac: C, ip });
    expect(await said(goesOn(refresh6().at(12.3).raw(elsewhere('fe80::1'))))).toEqual([]);
    // To another address it answers another host, and shows that the neighbour is there.
    expect(await said(goesOn(refresh6().at(12.3).raw(elsewhere('fe80::3'))))).toEqual([['hint', [3, 4, 5]]]);
  });

  it('keeps still where another station sends from the address', async () => {
    expect(
      await said(
        goesOn(
          refresh6()
            .at(12.5)
            .raw(solicitation(C, 'fd00::2', 'fd00::9')),
        ),
      ),
    ).toEqual([]);
  });

  it('explains the multicasts in vain that follow, from whichever address', async () => {
    const capture = refresh6();
    for (const at of [13.1, 14.12, 15.14]) capture.at(at).raw(solicitation(A, 'fd00::1', 'fd00::2'));
    const [finding, ...others] = await goesOn(capture).findings();
    expect(others).toEqual([]);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['nd/unanswered']);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const mixed = refresh6({ times: 2, way: { vlan: 10 } });
    mixed
      .at(12.04)
      .raw(icmpv6(A, B, 'fe80::1', 'fd00::2', [135, 0, 0, 0, 0, 0, 0, 0, ...ip6('fd00::2')]), { vlan: 20 });
    expect(await said(goesOn(mixed))).toEqual([]);
    for (const way of [{ vlan: 10 }, { vni: 5 }]) expect(await said(goesOn(refresh6({ way })))).toHaveLength(1);
  });
});
