import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { advertisement, icmpv6, ip6, solicitation } from '../../support/nd.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';
const ASKER = 'fd00::1';
const T = 'fd00::2';
/** As B makes it of its MAC. */
const EUI = 'fd00::ff:fe00:2';
const RULE = 'nd/multicast-filtered';
const only = { select: [RULE] };
const OUT: Way = { direction: 'out' };
const IN: Way = { direction: 'in' };

/** A solicits the target at its group, a kernel's second apart. */
function asked(target = T, times = 3, way = OUT, capture = new Capture()): Capture {
  for (let i = 0; i < times; i++) capture.at(1 + 1.02 * i).raw(solicitation(A, ASKER, target), way);
  return capture;
}

/** B pings A from this address. */
function speaks(capture: Capture, from = T, at = 10, way = IN): Capture {
  return capture.at(at).raw(icmpv6(B, A, from, ASKER, [128, 0, 0, 0, 0, 1, 0, 1]), way);
}

/** A solicits the target by unicast, and is answered. */
function byUnicast(capture: Capture, at = 15): Capture {
  capture.at(at).raw(icmpv6(A, B, 'fe80::1', T, [135, 0, 0, 0, 0, 0, 0, 0, ...ip6(T)]), OUT);
  return capture.at(at + 0.001).raw(advertisement(B, T, { mac: A, ip: 'fe80::1' }), IN);
}

const end = (capture: Capture) => capture.at(30).ask(C, '10.0.0.3', '10.0.0.99', IN);
const short = async (capture: Capture, options = {}) => inShort(await end(capture).findings({ ...only, ...options }));

/** A, B and the switch between them; the bridge and its port as given. */
function lan(bridge: object, port: object) {
  const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
  const host = (mac: string, local: string, peer: number) => ({
    'ip -d -j link': [
      {
        ...up,
        ifindex: 2,
        ifname: 'eth0',
        address: mac,
        link_index: peer,
        link_netnsid: 0,
        linkinfo: { info_kind: 'veth' },
      },
    ],
    'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet6', local, prefixlen: 64 }] }],
  });
  const veth = (index: number, netnsid: number) => ({
    ...up,
    ifindex: index,
    ifname: `p${index}`,
    address: `02:00:00:00:01:0${index}`,
    link_index: 2,
    link_netnsid: netnsid,
    master: 'br0',
    linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge', info_slave_data: port },
  });
  const br0 = {
    ...up,
    ifindex: 9,
    ifname: 'br0',
    address: '02:00:00:00:01:09',
    linkinfo: { info_kind: 'bridge', info_data: bridge },
  };
  return parseContext({
    kernel: '6.18',
    namespaces: { h2: host(B, T, 4), sw: { 'ip -d -j link': [veth(4, 0), br0] } },
  });
}

describe(RULE, () => {
  it('hints once of a target that several look for in vain', async () => {
    const capture = speaks(asked(T, 3, OUT, asked()));
    for (let i = 0; i < 3; i++) capture.at(20 + 1.02 * i).raw(solicitation(C, 'fd00::3', T), OUT);
    expect(await short(speaks(capture, T, 26))).toHaveLength(1);
  });

  it('is a hint where the machine sends from the address after the questions', async () => {
    const findings = await end(speaks(asked())).findings(only);
    expect(inShort(findings)).toEqual([[RULE, 'hint', [1, 2, 3]]]);
    expect(findings[0].subject).toEqual({ ip: T, requester: ASKER, mac: B });
    expect(findings[0].caveats).toHaveLength(1);
  });

  it('is likely where the same question by unicast is answered, and explains the one in vain', async () => {
    const findings = await end(byUnicast(speaks(asked()))).findings();
    expect(inShort(findings)).toEqual([[RULE, 'likely', [1, 2, 3, 5, 6]]]);
  });

  it('takes no answer that belongs to another question', async () => {
    const capture = speaks(asked())
      .at(15)
      .raw(advertisement(B, T, { mac: C, ip: 'fd00::3' }), IN);
    expect(await short(capture)).toEqual([[RULE, 'hint', [1, 2, 3]]]);
  });

  it('needs three solicitations', async () => {
    expect(await short(speaks(asked(T, 2)))).toEqual([]);
  });

  it('knows the machine by the MAC in the address, and that it is alive by any frame', async () => {
    const arp = (capture: Capture, at: number) => capture.at(at).ask(B, '10.0.0.2', '10.0.0.1', IN);
    expect(await short(arp(asked(EUI), 10))).toEqual([[RULE, 'hint', [1, 2, 3]]]);
    expect(await short(arp(asked(), 10))).toEqual([]);
    const before = asked(EUI, 3, OUT, new Capture().at(0).ask(B, '10.0.0.2', '10.0.0.1', IN));
    expect(await short(before)).toEqual([]);
  });

  it('keeps still where the machine spoke before the questions only, or where two use the address', async () => {
    expect(await short(asked(T, 3, OUT, speaks(new Capture(), T, 0)))).toEqual([]);
    const two = speaks(asked())
      .at(11)
      .raw(icmpv6(C, A, T, ASKER, [128, 0, 0, 0, 0, 1, 0, 1]), IN);
    expect(await short(two)).toEqual([]);
  });

  it('keeps still once a solicitation is answered', async () => {
    const capture = speaks(asked())
      .at(12)
      .raw(solicitation(A, ASKER, T), OUT);
    capture.at(12.001).raw(advertisement(B, T, { mac: A, ip: ASKER }), IN);
    expect(await short(capture)).toEqual([]);
  });

  it('keeps still where an answer could not have been seen', async () => {
    expect(await short(speaks(asked(T, 3, {}), T, 10, {}).at(11))).toHaveLength(1);
    const deaf = asked(T, 3, {})
      .at(10)
      .raw(icmpv6(B, C, T, 'fd00::3', [128, 0, 0, 0, 0, 1, 0, 1]), {});
    expect(await short(deaf)).toEqual([]);
  });

  it('says whether anybody asks for group members', async () => {
    const query = icmpv6(C, '33:33:00:00:00:01', 'fe80::3', 'ff02::1', [130, 0, 0, 0, 0, 0, 0, 0, ...ip6('::')]);
    const [without] = await end(speaks(asked())).findings(only);
    const [having] = await end(speaks(asked()).at(11).raw(query, IN)).findings(only);
    expect(without.summary).toContain('No query');
    expect(having.summary).toContain('are seen here');
  });

  it.each([
    [
      'a bridge that snoops and asks for members',
      { mcast_snooping: 1, mcast_querier: 1 },
      { mcast_flood: true },
      'mcast_snooping 0',
    ],
    ['a port that gets no multicast', { mcast_snooping: 0 }, { mcast_flood: false }, 'mcast_flood on'],
  ])('is likely with a host context that shows %s', async (_, bridge, port, cure) => {
    const findings = await end(speaks(asked())).findings({ ...only, context: lan(bridge, port) });
    expect(inShort(findings)).toEqual([[RULE, 'likely', [1, 2, 3]]]);
    expect(JSON.stringify(findings[0].remedy)).toContain(cure);
    expect(findings[0].context).toHaveLength(1);
  });

  it('takes a bridge that snoops for no proof as long as nobody asks for members: then it floods', async () => {
    const context = lan({ mcast_snooping: 1, mcast_querier: 0 }, { mcast_flood: true });
    expect(await short(speaks(asked()), { context })).toEqual([[RULE, 'hint', [1, 2, 3]]]);
    const query = icmpv6(C, '33:33:00:00:00:01', 'fe80::3', 'ff02::1', [130, 0, 0, 0, 0, 0, 0, 0, ...ip6('::')]);
    expect(await short(speaks(asked()).at(11).raw(query, IN), { context })).toEqual([[RULE, 'likely', [1, 2, 3]]]);
  });

  it('keeps still where the host context shows a switch that passes all multicast on', async () => {
    const context = lan({ mcast_snooping: 0 }, { mcast_flood: true });
    expect(await short(speaks(asked()), { context })).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    const tagged = (vlan: number): Way => ({ direction: 'in', vlan });
    const inVlan = () => asked(T, 3, { direction: 'out', vlan: 10 });
    expect(await short(speaks(inVlan(), T, 10, tagged(10)))).toHaveLength(1);
    expect(await short(speaks(inVlan(), T, 10, tagged(20)))).toEqual([]);
  });

  it('sees it inside VXLAN', async () => {
    expect(await short(speaks(asked(T, 3, { vni: 7 }), T, 10, { vni: 7 }))).toHaveLength(1);
  });
});
