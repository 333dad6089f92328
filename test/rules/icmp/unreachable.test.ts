import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { dhcp } from '../../support/dhcp.js';
import { FAR, HOST, PEER, packet, ROUTER } from '../../support/icmp.js';
import { icmpv6, ip6 } from '../../support/nd.js';
import { ACCEPT, filtering, forward, hidden, rule, when } from '../../support/nft.js';
import { error } from '../../support/ping.js';
import { syns } from '../../support/tcp.js';
import { ipv4 } from '../../support/tunnel.js';
import { advert } from '../../support/vrrp.js';
import { Capture, inShort, u16 } from '../../support/wire.js';

const only = { select: ['icmp/unreachable'] };
const udp = (port: number) => [...u16(40000), ...u16(port), 0, 8, 0, 0];

describe('icmp/unreachable', () => {
  it.each([
    [0, 'no route'],
    [1, 'cannot reach the host'],
    [13, 'forbids'],
    [9, 'forbids'],
    [10, 'forbids'],
    [2, 'protocol'],
  ])('says what code %i means', async (code, words) => {
    const capture = error(new Capture(), ROUTER, HOST, FAR, { type: 3, code });
    const findings = await capture.findings(only);
    expect(inShort(findings)).toEqual([['icmp/unreachable', 'certain', [1]]]);
    expect(findings[0]).toMatchObject({ severity: 'warning', title: expect.stringContaining(words) });
  });

  it('says of a machine that calls its own address unreachable that what it publishes leads nowhere', async () => {
    const payload = [...u16(40000), ...u16(8080), 0, 0, 0, 0];
    const capture = error(new Capture(), PEER, HOST, PEER, { type: 3, code: 1, protocol: 6, payload });
    const [finding] = await capture.findings(only);
    expect(finding.title).toBe('TCP port 8080 of 10.0.0.2 is passed on to a machine that 10.0.0.2 cannot reach');
    expect(finding.cause).toContain('behind the published address');
    expect(finding.context).toEqual([]);
    // As it asks for the machine that the rule names, that is one and the same.
    capture.at(1).askAgain(3, PEER.mac, PEER.ip, '10.0.0.9').at(9).ask(HOST.mac, HOST.ip, '10.0.0.77');
    const rule = (to: string) => ({
      nftables: [{ rule: { expr: [{ dnat: { addr: to } }] } }],
    });
    const told = async (to: string) => {
      const device = { ifindex: 2, ifname: 'eth0', flags: ['UP'], address: PEER.mac };
      const box = {
        'ip -d -j link': [device],
        'ip -j addr': [{ ...device, addr_info: [{ local: PEER.ip, prefixlen: 24 }] }],
        'nft -j list ruleset': rule(to),
      };
      const context = parseContext({ namespaces: { box } });
      return (await capture.findings({ context })).map(({ rule, explains }) => [
        rule,
        ...explains.map((each) => each.rule),
      ]);
    };
    expect(await told('10.0.0.9')).toEqual([['arp/unanswered', 'icmp/unreachable']]);
    expect((await told('10.0.0.8')).map(([name]) => name).sort()).toEqual(['arp/unanswered', 'icmp/unreachable']);
  });

  it('leaves what a DHCP server beyond a relay learns of an address that it is about to give away', async () => {
    const said = async (asked: number, { client = false, code = 1, protocol = 1 } = {}) => {
      const capture = dhcp(new Capture().at(asked), 'discover', { relay: ROUTER });
      const offered = { server: HOST, address: '10.0.0.8', relay: ROUTER, client: '02:00:00:00:00:33', xid: 3 };
      dhcp(capture.at(8), 'offer', offered);
      const asker = client ? PEER : HOST;
      const payload = protocol === 1 ? [8, 0, 0, 0, 0, 7, 0, 1] : udp(7);
      return error(capture.at(9), ROUTER, asker, FAR, { type: 3, code, protocol, payload }).findings(only);
    };
    expect(await said(2)).toEqual([]);
    expect(await said(0.5)).toHaveLength(1);
    expect(await said(2, { client: true })).toHaveLength(1);
    expect(await said(2, { code: 0 })).toHaveLength(1);
    expect(await said(2, { protocol: 17 })).toHaveLength(1);
  });

  it('puts what a router says under its own question in vain, wherever it says it', async () => {
    const capture = new Capture().askAgain(3, ROUTER.mac, ROUTER.ip, '10.0.0.9', { vlan: 7 }).at(3.1);
    error(
      capture,
      { mac: ROUTER.mac, ip: '10.9.0.1' },
      HOST,
      { mac: ROUTER.mac, ip: '10.0.0.9' },
      { type: 3, code: 1 },
    );
    const found = await capture.at(9).ask(HOST.mac, HOST.ip, '10.0.0.77').findings();
    expect(found.map(({ rule, explains }) => [rule, ...explains.map((each) => each.rule)])).toEqual([
      ['arp/unanswered', 'icmp/unreachable'],
    ]);
  });

  it('says of IPv6 that a source on its own link goes no further', async () => {
    const quoted = [0x60, 0, 0, 0, 0, 8, 58, 64, ...ip6('fe80::1'), ...ip6('2001:db8::9'), 128, 0, 0, 0, 0, 1, 0, 1];
    const message = [1, 2, 0, 0, 0, 0, 0, 0, ...quoted];
    const capture = new Capture().raw(icmpv6(ROUTER.mac, HOST.mac, 'fe80::fe', 'fe80::1', message));
    const [finding] = await capture.findings(only);
    expect(finding.title).toContain('source fe80::1 is not valid beyond its link');
    expect(finding.remedy[0].commands).toEqual(['ip -6 addr show scope global', 'ip -6 route get 2001:db8::9']);
  });

  it('keeps still about IPv6 redirects, which were never meant to leave the link', async () => {
    const redirect = [137, 0, 0, 0, 0, 0, 0, 0, ...ip6('2001:db8::8'), ...ip6('2001:db8::8')];
    const quoted = [0x60, 0, 0, 0, 0, redirect.length, 58, 255, ...ip6('fe80::1'), ...ip6('2001:db8::9'), ...redirect];
    const message = [1, 2, 0, 0, 0, 0, 0, 0, ...quoted];
    const capture = new Capture().raw(icmpv6(ROUTER.mac, HOST.mac, 'fe80::fe', 'fe80::1', message));
    expect(await capture.findings(only)).toEqual([]);
  });

  it('names the port, and takes one refused datagram for a note', async () => {
    const capture = error(new Capture(), PEER, HOST, PEER, { type: 3, code: 3, protocol: 17, payload: udp(514) });
    expect(await capture.findings(only)).toMatchObject([
      { severity: 'info', title: 'UDP port 514 of 10.0.0.2 is closed' },
    ]);
    for (const time of [1, 2, 3])
      error(capture.at(time), PEER, HOST, PEER, { type: 3, code: 3, protocol: 17, payload: udp(514) });
    expect(await capture.findings(only)).toMatchObject([{ severity: 'warning', count: 4 }]);
  });

  it('says nothing of the port of a DHCP client, which reads below the kernel', async () => {
    const refused = (port: number) => {
      const capture = new Capture();
      for (let i = 0; i < 4; i++)
        error(capture.at(i * 20), PEER, HOST, PEER, { type: 3, code: 3, protocol: 17, payload: udp(port) });
      return capture.findings(only);
    };
    expect(await refused(68)).toEqual([]);
    expect(await refused(69)).toHaveLength(1);
  });

  it('takes a scan of many UDP ports for a note', async () => {
    const refused = { type: 3, code: 3, protocol: 17 };
    const capture = new Capture();
    for (let port = 50; port < 60; port++)
      error(capture.at(port), PEER, HOST, PEER, { ...refused, payload: udp(port) });
    expect(await capture.findings(only)).toMatchObject([{ severity: 'info', count: 10 }]);
  });

  it('does not count what traceroute provoked among the datagrams for a closed port', async () => {
    const refused = { type: 3, code: 3, protocol: 17 };
    const capture = error(new Capture(), FAR, HOST, FAR, { ...refused, payload: udp(514) });
    for (let port = 33434; port < 33440; port++)
      error(capture.at(port - 33430), FAR, HOST, FAR, { ...refused, payload: udp(port) });
    error(capture.at(20), FAR, HOST, FAR, { ...refused, payload: udp(514) });
    expect(await capture.findings(only)).toMatchObject([{ severity: 'info', count: 2 }]);
  });

  it('says of Geneve that the tunnel end is missing, and has Open vSwitch make it where the context shows that', async () => {
    const refused = { type: 3, code: 3, protocol: 17, payload: udp(6081) };
    const capture = () => error(new Capture(), PEER, HOST, PEER, refused);
    const [finding] = await capture().findings(only);
    expect(finding.title).toBe('10.0.0.2 refuses Geneve from 10.0.0.1: UDP port 6081 of 10.0.0.2 is closed');
    expect(finding.remedy[0].commands).toEqual(['ip -d link show type geneve', 'ovs-vsctl show']);
    const node = {
      'ip -d -j link': [
        { flags: ['UP'], ifindex: 2, ifname: 'eth0', address: '02:00:00:00:09:02' },
        { flags: [], ifindex: 3, ifname: 'ovs-system', linkinfo: { info_kind: 'openvswitch' } },
      ],
      'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ local: '10.0.0.2', prefixlen: 24 }] }],
    };
    const [known] = await capture().findings({ ...only, context: parseContext({ namespaces: { node } }) });
    expect(known.remedy.map(({ commands }) => commands[0])).toEqual([
      'ip netns exec node ovs-vsctl --columns=name,options,error find interface type=geneve',
      'ip netns exec node ovs-vsctl add-port <bridge> <port> -- set interface <port> type=geneve options:remote_ip=10.0.0.1 options:key=flow',
    ]);
  });

  it('is not sure that Geneve is refused by who sends Geneve itself: its switch may be in user space', async () => {
    const refused = { type: 3, code: 3, protocol: 17, payload: udp(6081) };
    const inner = [0x02, 0, 0, 0, 0, 7, 0x02, 0, 0, 0, 0, 8, 8, 6, ...new Array(28).fill(0)];
    const geneve = [0, 0, 0x65, 0x58, 0, 0, 1, 0, ...inner];
    const datagram = [...u16(50000), ...u16(6081), ...u16(8 + geneve.length), 0, 0, ...geneve];
    const said = async (from: typeof PEER, others: readonly string[] = []) => {
      const capture = error(new Capture(), PEER, HOST, PEER, refused);
      for (const ip of others) capture.ask(PEER.mac, ip, HOST.ip);
      packet(
        capture.at(1),
        from,
        from === PEER ? HOST : PEER,
        ipv4(from.ip, from === PEER ? HOST.ip : PEER.ip, 17, datagram),
      );
      const [{ confidence, caveats }] = await capture.findings(only);
      return [confidence, caveats.some((each) => each.includes('user space'))];
    };
    expect(await said(PEER)).toEqual(['hint', true]);
    expect(await said(HOST)).toEqual(['certain', false]);
    // A router's station sends what machines behind it tunnel.
    expect(await said(PEER, ['10.0.0.33'])).toEqual(['certain', false]);
  });

  it('is not sure of destination NAT where a ping is refused in the name of its target: ACLs of OVN reject so', async () => {
    const capture = error(new Capture(), PEER, HOST, PEER, { type: 3, code: 1 });
    const [finding] = await capture.findings(only);
    expect([finding.confidence, finding.caveats.some((each) => each.includes('OVN'))]).toEqual(['hint', true]);
  });

  it('warns of one refused TCP connection', async () => {
    const capture = error(new Capture(), PEER, HOST, PEER, { type: 3, code: 3, protocol: 6, payload: udp(80) });
    expect(await capture.findings(only)).toMatchObject([
      { severity: 'warning', title: '10.0.0.2 rejects packets from 10.0.0.1 to TCP port 80 of 10.0.0.2' },
    ]);
  });

  it('keeps still about traceroute, packets that are too big, and hosts that tell themselves', async () => {
    const capture = error(new Capture(), FAR, HOST, FAR, { type: 3, code: 3, protocol: 17, payload: udp(33434) });
    error(capture, ROUTER, HOST, FAR, { type: 3, code: 4 });
    error(capture, HOST, HOST, FAR, { type: 3, code: 1 });
    error(capture, ROUTER, HOST, FAR, { type: 11, code: 0 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const capture = new Capture();
    for (const [time, way] of [{ vlan: 10 }, { vlan: 20 }, { vni: 5 }].entries())
      error(capture.at(time), ROUTER, HOST, FAR, { type: 3, code: 1, way });
    const segments = (await capture.findings(only)).map(({ segment: { vlans, vnis } }) => ({ vlans, vnis }));
    expect(segments).toEqual([
      { vlans: [10], vnis: [] },
      { vlans: [20], vnis: [] },
      { vlans: [], vnis: [5] },
    ]);
  });

  it('speaks of the one port that a filter refuses, and leaves other ports that stay silent to tcp/syn-unanswered', async () => {
    const refused = (payload: number[]) =>
      error(syns(new Capture(), 3, {}, 1, HOST, FAR), ROUTER, HOST, FAR, { type: 3, code: 13, protocol: 6, payload });
    const segment = [...u16(40000), ...u16(80), 0, 0, 0, 0];
    const told = async (capture: Capture) => {
      const found = await capture
        .at(20)
        .ask(PEER.mac, PEER.ip, HOST.ip)
        .findings({ select: ['icmp', 'tcp'] });
      return found.map(({ rule, title, explains }) => [rule, title, explains.map((each) => each.rule)]);
    };
    const title = `${ROUTER.ip} forbids packets from ${HOST.ip} to TCP port 80 of ${FAR.ip}`;
    expect(await told(refused(segment))).toEqual([['icmp/unreachable', title, ['tcp/syn-unanswered']]]);
    const both = syns(refused(segment), 4, { sport: 40001, dport: 443 }, 5, HOST, FAR);
    expect(await told(both)).toEqual([
      ['icmp/unreachable', title, []],
      ['tcp/syn-unanswered', expect.stringContaining('port 443:'), []],
    ]);
    // More ports than one are refused: which others are is not known.
    const second = [...u16(40001), ...u16(443), 0, 0, 0, 0];
    const all = error(both, ROUTER, HOST, FAR, { type: 3, code: 13, protocol: 6, payload: second });
    expect((await told(all)).map(([rule]) => rule)).toEqual(['icmp/unreachable']);
  });

  it('names the route that refuses, in whatever table, and how it goes', async () => {
    const told = async (code: number, routes: object[], rules: object[] = [], tables: object[] = []) => {
      const device = { ifindex: 2, ifname: 'eth0', flags: ['UP'], address: ROUTER.mac };
      const box = {
        'ip -d -j link': [device],
        'ip -j addr': [{ ...device, addr_info: [{ family: 'inet', local: ROUTER.ip, prefixlen: 24 }] }],
        'ip -j route': routes,
        'ip -j rule': rules,
        'ip -j route show table all': tables,
      };
      const capture = error(new Capture(), ROUTER, HOST, FAR, { type: 3, code });
      const [finding] = await capture.findings({ ...only, context: parseContext({ namespaces: { box } }) });
      return [finding.title.includes('its route for them is of type'), finding.remedy[0].commands[0]];
    };
    const prohibit = { type: 'prohibit', dst: '192.0.2.0/24' };
    const del = 'ip netns exec box ip route del prohibit 192.0.2.0/24';
    expect(await told(13, [prohibit])).toEqual([true, del]);
    expect((await told(13, [{ ...prohibit, type: 'unreachable' }]))[0]).toBe(false);
    expect((await told(1, [{ ...prohibit, type: 'unreachable' }]))[0]).toBe(true);
    expect((await told(13, [{ dst: '192.0.2.0/24', gateway: '10.0.0.9', dev: 'eth0' }]))[0]).toBe(false);
    const main = { priority: 32766, src: 'all', table: 'main' };
    const own = { priority: 300, src: HOST.ip, table: '300' };
    const away = { dst: 'default', gateway: '10.0.0.9', dev: 'eth0' };
    expect(await told(13, [away], [own, main], [{ ...prohibit, table: '300' }])).toEqual([true, `${del} table 300`]);
    expect((await told(13, [away], [{ ...own, src: PEER.ip }, main], [{ ...prohibit, table: '300' }]))[0]).toBe(false);
  });

  it('names the rule that refuses, where the host context shows only one that may', async () => {
    const beyond = { mac: PEER.mac, ip: '203.0.113.5' };
    const reject = (expr: unknown) => ({ reject: expr === null ? null : { type: 'icmpx', expr } });
    const told = async (items: readonly object[], code = 13) => {
      const payload = [...u16(40000), ...u16(80), 0, 0, 0, 0];
      const capture = error(new Capture(), PEER, HOST, beyond, { type: 3, code, protocol: 6, payload });
      const [finding] = await capture.findings({ ...only, context: filtering(items) });
      expect(finding.confidence).toBe('certain');
      return [finding.context, finding.remedy[1]?.commands ?? []];
    };
    const base = forward({ policy: 'drop' });
    const forbids = (...statements: Parameters<typeof rule>[1]) =>
      rule('forward', [...statements, reject('admin-prohibited')], { handle: 7 });
    const named = [
      ['the rule `tcp dport 80 reject` in chain inet fw forward, handle 7'],
      [
        `ip netns exec box nft insert rule inet fw forward handle 7 ip saddr ${HOST.ip} ip daddr ${beyond.ip} tcp dport 80 accept`,
      ],
    ];
    expect(await told([base, forbids(when('tcp dport', 80))])).toEqual(named);
    // That it may be let in the error itself speaks against.
    const accept = rule('forward', [hidden('conntrack'), ACCEPT]);
    expect(await told([base, accept, forbids(when('tcp dport', 80))])).toEqual(named);
    const nothing = [[], []];
    expect(await told([base, forbids(when('tcp dport', 81))])).toEqual(nothing);
    expect(await told([base, forbids(hidden('set')), forbids()])).toEqual(nothing);
    expect(await told([base, rule('forward', [reject(null)])])).toEqual(nothing);
    expect((await told([base, forbids(when('tcp dport', 80))], 1))[0]).toEqual([]);
  });

  it('tells a filter that says "port unreachable", and the service that kube-proxy has nobody for', async () => {
    const beyond = { mac: PEER.mac, ip: '203.0.113.5' };
    const payload = [...u16(40000), ...u16(80), 0, 0, 0, 0];
    const told = async (protocol: number, items: readonly object[] = [], by = PEER) => {
      const capture = new Capture();
      for (const time of [1, 2, 3]) error(capture.at(time), by, HOST, beyond, { type: 3, code: 3, protocol, payload });
      const [finding] = await capture.findings({ ...only, ...(items.length > 0 ? { context: filtering(items) } : {}) });
      return finding;
    };
    expect((await told(6)).title).toBe(`${PEER.ip} rejects packets from ${HOST.ip} to TCP port 80 of ${beyond.ip}`);
    expect((await told(17)).title).toBe(`${PEER.ip} rejects packets from ${HOST.ip} to UDP port 80 of ${beyond.ip}`);
    expect((await told(17, [], beyond)).title).toBe(`UDP port 80 of ${beyond.ip} is closed`);
    const reject = (chain: string, comment: string) => [
      forward(),
      { chain: { family: 'inet', table: 'fw', name: chain } },
      rule('forward', [{ jump: { target: chain } }]),
      rule(chain, [when('tcp dport', 80), { reject: null }], { handle: 7, comment }),
    ];
    const commands = async (chain: string, comment: string) => {
      const { cause, remedy } = await told(6, reject(chain, comment));
      return [cause, remedy.flatMap((each) => each.commands)] as const;
    };
    const [cause, cures] = await commands('KUBE-SERVICES', 'default/web has no endpoints');
    expect(cause).toBe('Kube-proxy refuses them: no pod of the service default/web is ready.');
    expect(cures[0]).toBe('kubectl -n default get endpointslices -l kubernetes.io/service-name=web -o wide');
    const [local, spread] = await commands('KUBE-SERVICES', 'default/web:http has no local endpoints');
    expect(local).toContain('externalTrafficPolicy: Local');
    expect(spread[2]).toContain('kubectl -n default patch service web ');
    for (const [chain, comment] of [
      ['MINE', 'default/web has no endpoints'],
      ['KUBE-SERVICES', 'default/$(reboot) has no endpoints'],
      ['KUBE-SERVICES', 'default/web'],
    ] as const) {
      const [other, lets] = await commands(chain, comment);
      expect(other).toContain(`the rule \`tcp dport 80 reject\` ("${comment}") in chain inet fw ${chain}, handle 7`);
      expect(lets.join()).not.toContain('kubectl');
      expect(lets.join()).toContain('accept');
    }
  });

  it('names VRRP, and only hints where the router spoke it itself: its daemon is started anew', async () => {
    const stopped = (capture: Capture) =>
      error(capture.at(5), PEER, HOST, PEER, { type: 3, code: 2, protocol: 112, payload: new Array(8).fill(0) });
    const [never] = await stopped(new Capture()).findings(only);
    expect([never.confidence, never.title]).toEqual([
      'certain',
      `${PEER.ip} does not speak VRRP, and ${HOST.ip} tells it its state`,
    ]);
    const spoke = async (router: string) => {
      const capture = new Capture();
      for (const second of [1, 2]) advert(capture.at(second), router);
      return (await stopped(capture).findings(only)).map(({ confidence }) => confidence);
    };
    expect(await spoke(PEER.ip)).toEqual(['hint']);
    expect(await spoke(HOST.ip)).toEqual(['certain']);
  });
});
