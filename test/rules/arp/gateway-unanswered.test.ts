import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { dhcp, SERVER } from '../../support/dhcp.js';
import { advertisement, icmpv6, solicitation } from '../../support/nd.js';
import { Capture, u16, type Way } from '../../support/wire.js';

const RULE = 'arp/gateway-unanswered';
const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';

/** Host A routes through `gateway`. */
const routedFile = (gateway: string) => ({
  a: {
    'ip -d -j link': [{ ifindex: 2, ifname: 'eth0', link_type: 'ether', address: A, flags: ['UP'] }],
    'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local: '10.0.0.1', prefixlen: 24 }] }],
    'ip -j route': [{ dst: 'default', gateway, dev: 'eth0' }],
  },
});
const routed = (gateway: string) => parseContext({ kernel: '6.1', namespaces: routedFile(gateway) });

const rules = async (capture: Capture, context?: ReturnType<typeof routed>) =>
  (await capture.findings(context ? { context } : {})).map(({ rule, explains }) => [
    rule,
    ...explains.map((each) => each.rule),
  ]);

describe('arp/gateway-unanswered', () => {
  it('speaks when the routes of the asking host name the target, and explains the symptom', async () => {
    const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.0.254');
    expect(await rules(capture, routed('10.0.0.254'))).toEqual([['arp/gateway-unanswered', 'arp/unanswered']]);
  });

  it('does not call the router down where the host context shows it up', async () => {
    const context = (flags: string[]) => {
      const link = { ifindex: 2, ifname: 'wan0', link_type: 'ether', address: C, flags };
      const gate = {
        'ip -d -j link': [link],
        'ip -j addr': [{ ...link, addr_info: [{ family: 'inet', local: '10.0.0.254', prefixlen: 24 }] }],
      };
      const own = routedFile('10.0.0.254');
      return parseContext({ namespaces: { ...own, gate } });
    };
    const told = async (flags: string[]) => {
      const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.0.254');
      const [{ cause, remedy }] = await capture.findings({ context: context(flags), select: [RULE] });
      return [cause, remedy[0].commands[0]];
    };
    expect(await told(['UP'])).toEqual([
      expect.stringContaining('10.0.0.254 is wan0 in gate, which is up'),
      'ip netns exec gate tcpdump -eni wan0 arp and host 10.0.0.254',
    ]);
    expect(await told([])).toEqual(['wan0 in gate is down.', 'ip netns exec gate ip link set wan0 up']);
  });

  it('names the router that the host context shows beside the host, and the routes to correct', async () => {
    const told = async (forwarding: string, uplink = 1) => {
      const link = { ifindex: 2, ifname: 'lan0', link_type: 'ether', address: C, flags: ['UP'] };
      const up = { ifindex: 3, ifname: 'up0', link_type: 'ether', address: B, flags: ['UP'] };
      const router = {
        'ip -d -j link': [link, up].slice(0, uplink + 1),
        'ip -j addr': [{ ...link, addr_info: [{ family: 'inet', local: '10.0.0.253', prefixlen: 24 }] }],
        sysctl: { 'net.ipv4.ip_forward': forwarding },
      };
      const context = parseContext({ namespaces: { ...routedFile('10.0.0.254'), router } });
      const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.0.254');
      const [{ remedy }] = await capture.findings({ context, select: [RULE] });
      return remedy.map(({ commands }) => commands[0]);
    };
    const [look, ...rest] = await told('1');
    expect(look).toBe('ip netns exec a ip route show default');
    expect(rest.slice(0, 2)).toEqual([
      'ip netns exec a ip route replace default via 10.0.0.253 dev eth0',
      'ip netns exec router ip addr add 10.0.0.254/24 dev lan0',
    ]);
    expect((await told('0')).join()).not.toContain('replace');
    expect((await told('1', 0)).join()).not.toContain('replace');
  });

  it('keeps still on a bystander’s port where the host asks anew each few seconds, content with answers to it alone', async () => {
    const asks = async (pause: number) => {
      const capture = new Capture();
      for (let i = 0; i < 4; i++) capture.at(pause * i).ask(A, '10.0.0.1', '10.0.0.254');
      capture.at(pause * 3 + 9).ask(B, '10.0.0.2', '10.0.0.3');
      const findings = await capture.findings({ context: routed('10.0.0.254'), select: [RULE] });
      return findings.map(({ confidence }) => confidence);
    };
    expect(await asks(1.02)).toEqual(['certain']);
    expect(await asks(4)).toEqual([]);
  });

  it('keeps still when they name another', async () => {
    const capture = new Capture().askAgain(3, A, '10.0.0.1', '10.0.0.253');
    expect(await rules(capture, routed('10.0.0.254'))).toEqual([['arp/unanswered']]);
  });

  /** A and B, whose answers would be seen, ask for a silent address. */
  const asked = () => {
    const capture = new Capture()
      .ask(C, '10.0.0.3', '10.0.0.1')
      .answer(A, '10.0.0.1', C, '10.0.0.3')
      .answer(C, '10.0.0.3', A, '10.0.0.1');
    capture.answer(C, '10.0.0.3', B, '10.0.0.2');
    for (const time of [1, 2.02, 3.04])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.254').ask(B, '10.0.0.2', '10.0.0.254');
    return capture;
  };

  it('says likely when two hosts whose answers would be seen ask in vain', async () => {
    const found = (await asked().findings()).filter(({ rule }) => rule === RULE);
    expect(found.map(({ confidence }) => confidence)).toEqual(['likely', 'likely']);
    expect(found[0].title).toContain('or a server for many');
  });

  it('keeps still about two that ask, where the routes of one are known and lead elsewhere', async () => {
    expect((await rules(asked(), routed('10.0.0.253'))).map(([rule]) => rule)).toEqual([
      'arp/unanswered',
      'arp/unanswered',
    ]);
  });

  it('keeps still on a bystander’s port, where nobody’s answers are seen', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02, 3.04])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.254').ask(B, '10.0.0.2', '10.0.0.254');
    expect(new Set((await rules(capture)).flat())).toEqual(new Set(['arp/unanswered']));
  });

  it('keeps still when the gateway answers another host', async () => {
    const capture = new Capture().ask(B, '10.0.0.2', '10.0.0.254').answer(C, '10.0.0.254', B, '10.0.0.2').at(1);
    capture.askAgain(3, A, '10.0.0.1', '10.0.0.254');
    expect(await rules(capture, routed('10.0.0.254'))).toEqual([['arp/unanswered']]);
  });

  it('speaks when DHCP names the target, in that VLAN', async () => {
    const asked = (vlan: number) =>
      dhcp(new Capture(), 'ack', { server: SERVER, router: '10.0.0.254', way: { vlan: 10 } })
        .at(1)
        .askAgain(3, A, '10.0.0.1', '10.0.0.254', { vlan });
    expect(await rules(asked(10))).toEqual([['arp/gateway-unanswered', 'arp/unanswered']]);
    expect(await rules(asked(20))).toEqual([['arp/unanswered']]);
  });

  it('keeps still about one who asks for dozens of addresses', async () => {
    const capture = new Capture();
    for (let i = 0; i < 30; i++) capture.at(i / 10).ask(A, '10.0.0.1', `10.0.0.${100 + i}`);
    capture.at(3).askAgain(3, A, '10.0.0.1', '10.0.0.254');
    expect(await rules(capture, routed('10.0.0.254'))).toEqual([]);
  });

  it('looks into VXLAN', async () => {
    const way = { vni: 5 };
    const capture = dhcp(new Capture(), 'ack', { server: SERVER, router: '10.0.0.254', way }).at(1);
    const found = await capture.askAgain(3, A, '10.0.0.1', '10.0.0.254', way).findings({ select: [RULE] });
    expect(found).toHaveLength(1);
  });
});

/** A solicits the router three times, a second apart, from 2 s on. */
function solicited(capture: Capture, way: Way = {}, from = A): Capture {
  for (const at of [2, 3.02, 4.04]) capture.at(at).raw(solicitation(from, 'fe80::1', 'fe80::fe'), way);
  return capture.at(9).ask(C, '10.0.0.3', '10.0.0.4', way);
}

/** A router advertisement with this lifetime in seconds. */
function advertised(way: Way = {}, lifetime = 1800): Capture {
  const message = [134, 0, 0, 0, 64, 0, ...u16(lifetime), 0, 0, 0, 0, 0, 0, 0, 0];
  return new Capture().raw(icmpv6(C, '33:33:00:00:00:01', 'fe80::fe', 'ff02::1', message), way);
}

describe('arp/gateway-unanswered of IPv6', () => {
  it('speaks when the target advertises itself as a router, and explains the symptom', async () => {
    const [finding, ...others] = await solicited(advertised()).findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'arp/gateway-unanswered', severity: 'error', confidence: 'certain' });
    expect(finding.evidence.map(({ frame, layer }) => [frame, layer])).toEqual([
      [2, 'icmpv6'],
      [3, 'icmpv6'],
      [4, 'icmpv6'],
    ]);
    expect(finding.remedy[0].commands).toEqual(['ip -6 route show default']);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['nd/unanswered']);
  });

  it.each([
    ['nothing says that it is a router', new Capture()],
    ['it is no default router', advertised({}, 0)],
    ['it advertises itself in another VLAN', advertised({ vlan: 20 })],
    [
      'it is heard to solicit others',
      advertised()
        .at(1)
        .raw(solicitation(C, 'fe80::fe', 'fe80::7')),
    ],
  ])('keeps still when %s', async (_, capture) => {
    expect((await rules(solicited(capture))).map(([rule]) => rule)).toEqual(['nd/unanswered']);
  });

  it('keeps still about a host that the router and another ask for in vain', async () => {
    const capture = advertised().raw(icmpv6(C, A, 'fe80::fe', 'fe80::1', [255, 0, 0, 0]));
    capture
      .raw(icmpv6(A, B, 'fe80::1', 'fe80::2', [255, 0, 0, 0]))
      .raw(icmpv6(A, C, 'fe80::1', 'fe80::fe', [255, 0, 0, 0]));
    for (const at of [2, 3.02, 4.04])
      capture
        .at(at)
        .raw(solicitation(C, 'fe80::fe', 'fd00::9'))
        .raw(solicitation(B, 'fe80::2', 'fd00::9'));
    const found = await rules(capture.at(9).ask(C, '10.0.0.3', '10.0.0.4'));
    expect(found.map(([rule]) => rule)).toEqual(['nd/unanswered', 'nd/unanswered']);
  });

  it('keeps still when the router answers', async () => {
    const capture = solicited(advertised())
      .at(4.1)
      .raw(advertisement(C, 'fe80::fe', { mac: A, ip: 'fe80::1' }));
    expect((await rules(capture)).map(([rule]) => rule)).not.toContain('arp/gateway-unanswered');
  });

  it('looks into VLANs and VXLAN', async () => {
    for (const way of [{ vlan: 10 }, { vni: 5 }])
      expect(await solicited(advertised(way), way).findings({ select: [RULE] })).toHaveLength(1);
  });
});
