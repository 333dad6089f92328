import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { arpRequest, BROADCAST, CookedCapture } from '../../support/cooked.js';
import { RST, SYN, synAck, tcp } from '../../support/tcp.js';
import { Capture, findingsOf, inShort, ip } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';
const IP = '10.0.0.9';

const only = { select: ['arp/duplicate-address'] };
const twoAnswers = (first: string, second: string, apart = 0.0003) =>
  new Capture()
    .ask(A, '10.0.0.1', IP)
    .at(0.0001)
    .answer(first, IP, A, '10.0.0.1')
    .at(0.0001 + apart)
    .answer(second, IP, A, '10.0.0.1');

describe('arp/duplicate-address', () => {
  it('only hints of claims by turns in a capture of all devices, which keeps no VLAN tags', async () => {
    // A router asks in one VLAN of a trunk, and answers in another from another device.
    const turns = (device: number, type: number) => {
      const capture = new CookedCapture();
      for (const [time, from] of [
        [0, B],
        [2, C],
        [4, B],
      ] as const)
        capture.frame(time, device, type, arpRequest(from, 'ff:ff:ff:ff:ff:ff', ip(IP), ip('10.0.0.1')));
      return findingsOf(capture.file(), only);
    };
    const [finding] = await turns(2, BROADCAST);
    expect(finding.confidence).toBe('hint');
    expect(finding.caveats.join()).toContain('VLAN tags');
    const capture = new Capture();
    for (const [time, from] of [
      [0, B],
      [2, C],
      [4, B],
    ] as const)
      capture.at(time).ask(from, IP, '10.0.0.1');
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['likely']);
  });

  it('only hints where packets come from the one that answered last alone: one host that answers on two devices, perhaps', async () => {
    const told = async (...senders: string[]) => {
      const capture = twoAnswers(B, C);
      for (const [i, from] of senders.entries())
        capture.at(0.1 + i).ipv4({ from, to: A, source: IP, destination: '10.0.0.1', id: i + 1 });
      return (await capture.at(9).findings(only)).map(({ confidence }) => confidence);
    };
    expect(await told(C, C)).toEqual(['hint']);
    expect(await told(B, B)).toEqual(['likely']);
    expect(await told(B, C)).toEqual(['certain']);
    expect(await told()).toEqual(['likely']);
  });

  it('finds two answers to one question likely: one host with two devices would answer so too', async () => {
    const [finding, ...others] = await twoAnswers(B, C).findings(only);
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['arp/duplicate-address', 'likely', [2, 3]]]);
    expect(finding.caveats.join()).toContain('arp/flux');
  });

  it('lasts from the first claim that it shows to the last', async () => {
    const lasts = async (capture: Capture) => {
      const [{ first, last }] = await capture.findings(only);
      return Date.parse(last ?? '') - Date.parse(first ?? '');
    };
    expect(await lasts(twoAnswers(B, C, 0.02))).toBe(20);
    const again = twoAnswers(B, C, 0.02).at(3).ask(A, '10.0.0.1', IP).at(3.01).answer(B, IP, A, '10.0.0.1');
    expect(await lasts(again.at(4).answer(C, IP, A, '10.0.0.1'))).toBeGreaterThan(3900);
    const byTurns = new Capture().at(0).ask(B, IP, '10.0.0.1').at(5).ask(C, IP, '10.0.0.1');
    expect(await lasts(byTurns.at(9).ask(B, IP, '10.0.0.1').at(12).ask(C, IP, '10.0.0.1'))).toBe(3000);
  });

  it('says of an address what was seen, and nothing of the one that has its row since', async () => {
    const capture = twoAnswers(B, C);
    // As many addresses as the network remembers.
    for (let i = 0; i <= 1 << 16; i++) capture.at(3).ask(A, '10.0.0.1', `10.9.${(i >>> 8) & 255}.${i & 255}`);
    const findings = await capture.findings(only);
    expect(inShort(findings)).toEqual([['arp/duplicate-address', 'likely', [2, 3]]]);
    expect(findings[0].subject.ip).toBe(IP);
  });

  it('is certain once packets from the address come from both', async () => {
    const capture = twoAnswers(B, C);
    const packet = { to: A, source: IP, destination: '10.0.0.1' };
    capture.at(1).ipv4({ ...packet, from: B });
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['likely']);
    capture.at(2).ipv4({ ...packet, from: C, id: 2 });
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['certain']);
  });

  it('is certain where the context has both MACs, on two hosts', async () => {
    const host = (address: string) => ({
      'ip -d -j link': [{ ifindex: 2, ifname: 'eth0', link_type: 'ether', address, flags: ['UP'] }],
    });
    const said = async (namespaces: object) =>
      (await twoAnswers(B, C).findings({ ...only, context: parseContext({ kernel: '6.1', namespaces }) })).map(
        ({ confidence }) => confidence,
      );
    expect(await said({ ns1: host(B), ns2: host(C) })).toEqual(['certain']);
    expect(await said({ ns1: host(B) })).toEqual(['likely']);
  });

  it('gives each host that the context shows another address, and keeps the new one and its routes', async () => {
    const host = (address: string) => {
      const link = { ifindex: 2, ifname: 'eth0.7', link_type: 'ether', address, flags: ['UP'] };
      return { 'ip -d -j link': [link], 'ip -j addr': [{ ...link, addr_info: [{ local: IP, prefixlen: 25 }] }] };
    };
    const remedies = async (namespaces: object) => {
      const context = parseContext({ kernel: '6.1', namespaces });
      const [{ remedy }] = await twoAnswers(B, C).findings({ ...only, context });
      return remedy.map(({ commands }) => commands);
    };
    const moved = (from: string, to: string) => [
      `ip netns exec ${from} sysctl -w net.ipv4.conf.eth0/7.promote_secondaries=1`,
      `ip netns exec ${from} ip addr add <free address>/25 dev eth0.7`,
      `ip netns exec ${from} ip addr del ${IP}/25 dev eth0.7`,
      `ip netns exec ${to} arping -c 2 -U -I eth0.7 ${IP}`,
    ];
    const both = await remedies({ ns1: host(B), ns2: host(C) });
    expect(both.slice(0, 2).sort()).toEqual([moved('ns1', 'ns2'), moved('ns2', 'ns1')]);
    const one = await remedies({ ns1: host(B) });
    expect(one[0]).toEqual([`arping -c 3 -I <device> ${IP}`]);
    expect(one[1].slice(0, 3)).toEqual(moved('ns1', '').slice(0, 3));
    expect((await remedies({}))[1][2]).toBe(`ip addr del ${IP}/<length> dev <device>`);
  });

  it('is certain of an announced address that the context shows on two macvlan children of one parent', async () => {
    const child = (ifindex: number, address: string, parent: number, flags = ['UP']) => ({
      'ip -d -j link': [
        {
          ifindex,
          ifname: `mv${ifindex}`,
          link_type: 'ether',
          address,
          flags,
          link_index: parent,
          link_netnsid: 0,
          linkinfo: { info_kind: 'macvlan', info_data: { mode: 'bridge' } },
        },
      ],
      'ip -j addr': [
        { ifindex, ifname: `mv${ifindex}`, addr_info: [{ family: 'inet', local: IP, prefixlen: 24, scope: 'global' }] },
      ],
    });
    const parent = (ifindex: number) => ({ ifindex, ifname: `eth${ifindex}`, link_type: 'ether', flags: ['UP'] });
    const said = async (second: object) => {
      const namespaces = {
        host: {
          'ip -d -j link': [
            { ...parent(2), address: '02:00:00:00:00:22' },
            { ...parent(3), address: '02:00:00:00:00:33' },
          ],
          'bridge -j fdb': [
            { mac: B, ifname: 'eth2', flags: ['self'], state: 'permanent' },
            { mac: C, ifname: 'eth2', flags: ['self'], state: 'permanent' },
          ],
        },
        ns1: child(4, B, 2),
        ns2: second,
      };
      const context = parseContext({ kernel: '6.1', namespaces });
      return inShort(
        await new Capture()
          .ask(B, IP, IP)
          .at(9)
          .ask(A, '10.0.0.1', IP)
          .findings({ ...only, context }),
      );
    };
    expect(await said(child(5, C, 2))).toEqual([['arp/duplicate-address', 'certain', [1]]]);
    expect(await said(child(5, C, 3))).toEqual([]);
    expect(await said(child(5, C, 2, []))).toEqual([]);
    expect(await said({})).toEqual([]);
  });

  it('keeps still about two answers of one station, and about an answer after more than two seconds', async () => {
    expect(await twoAnswers(B, B).findings(only)).toEqual([]);
    expect(await twoAnswers(B, C, 2.5).findings(only)).toEqual([]);
  });

  it('takes an answer to another station for one to another question, which is not in the capture', async () => {
    const capture = new Capture().ask(A, '10.0.0.1', IP).at(0.001).answer(B, IP, A, '10.0.0.1');
    capture.at(0.002).answer(C, IP, B, '10.0.0.2');
    expect(await capture.findings(only)).toEqual([]);
    expect(await capture.at(0.003).answer(C, IP, A, '10.0.0.1').findings(only)).toHaveLength(1);
  });

  it('takes the answers to two questions for a move', async () => {
    const capture = new Capture().ask(A, '10.0.0.1', IP).at(0.001).answer(B, IP, A, '10.0.0.1');
    capture.at(1).ask(A, '10.0.0.1', IP).at(1.001).answer(C, IP, A, '10.0.0.1');
    expect(await capture.findings(only)).toEqual([]);
  });

  it('finds claims that alternate within a minute likely', async () => {
    const capture = new Capture();
    for (const [time, from] of [
      [0, B],
      [10, C],
      [20, B],
    ] as const)
      capture.at(time).ask(from, IP, '10.0.0.77');
    expect(inShort(await capture.findings(only)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it.each([
    [
      'a failover that stays',
      [
        [0, B],
        [10, C],
        [20, C],
      ],
    ],
    [
      'a return after more than a minute',
      [
        [0, B],
        [50, C],
        [70, B],
      ],
    ],
  ] as const)('keeps still about %s', async (_, claims) => {
    const capture = new Capture();
    for (const [time, from] of claims) capture.at(time).ask(from, IP, '10.0.0.77');
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about routers that share an address by VRRP', async () => {
    expect(await twoAnswers('00:00:5e:00:01:33', B).findings(only)).toEqual([]);
  });

  it('keeps still about a proxy, which asks for the address that it answers for', async () => {
    const capture = twoAnswers(B, C).at(0.5).ask(C, '10.0.0.254', IP);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about a proxy that knows the holder already, and asks it alone', async () => {
    /** A host that asks itself, a proxy that answers in its name, and one frame more before the host answers again. */
    const claims = () =>
      new Capture().ask(B, IP, '10.0.0.1').at(0.8).ask(A, '10.0.0.1', IP).at(1.5).answer(C, IP, A, '10.0.0.1');
    const refresh = { op: 1 as const, from: C, to: B, spa: '10.0.0.254', tpa: IP };
    const capture = claims().at(6).arp(refresh).at(6.001).answer(B, IP, C, '10.0.0.254');
    expect(await capture.findings(only)).toEqual([]);
    const other = claims()
      .at(6)
      .arp({ ...refresh, from: A, spa: '10.0.0.1' })
      .at(6.001)
      .answer(B, IP, A, '10.0.0.1');
    expect(await other.findings(only)).toHaveLength(1);
  });

  it('keeps still about ARP flux: what goes to one MAC is answered from the other', async () => {
    const capture = twoAnswers(B, C);
    for (let i = 1; i <= 3; i++)
      capture
        .at(i)
        .ipv4({ from: A, to: B, source: '10.0.0.1', destination: IP, id: i })
        .ipv4({ from: C, to: A, source: IP, destination: '10.0.0.1', id: i });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    const capture = new Capture().ask(A, '10.0.0.1', IP, { vlan: 1 }).ask(A, '10.0.0.1', IP, { vlan: 2 });
    capture.at(0.001).answer(B, IP, A, '10.0.0.1', { vlan: 1 }).answer(C, IP, A, '10.0.0.1', { vlan: 2 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('leaves out senders whose frame bears another address than their ARP', async () => {
    const capture = new Capture().ask(A, '10.0.0.1', IP).at(0.001).answer(B, IP, A, '10.0.0.1');
    capture.at(0.002).arp({ op: 2, from: B, sha: C, to: A, spa: IP, tha: A, tpa: '10.0.0.1' });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('takes in connections that one holder asks for and the other resets', async () => {
    const capture = twoAnswers(B, C);
    const server = { mac: A, ip: '10.0.0.1' };
    for (let i = 0; i < 3; i++) {
      tcp(capture.at(1 + i), { mac: B, ip: IP }, server, SYN, { id: 1 + i });
      synAck(capture.at(1.01 + i), { id: 50 + i }, server, { mac: C, ip: IP });
      tcp(capture.at(1.02 + i), { mac: C, ip: IP }, server, RST, { id: 90 + i, seq: 1001 });
    }
    const findings = await capture.findings({ select: ['arp/duplicate-address', 'tcp', 'bridge'] });
    expect(findings.map(({ rule, explains }) => [rule, explains.map((each) => each.rule)])).toEqual([
      ['arp/duplicate-address', ['tcp/synack-repeated']],
    ]);
  });
});
