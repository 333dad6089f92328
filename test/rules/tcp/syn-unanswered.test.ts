import { describe, expect, it } from 'vitest';
import { FAR, HOST, PEER, ROUTER } from '../../support/icmp.js';
import { error } from '../../support/ping.js';
import { ACK, handshake, RST, SYN, synAck, syns, tcp, tcp6 } from '../../support/tcp.js';
import { Capture, inShort, u16 } from '../../support/wire.js';

const only = { select: ['tcp/syn-unanswered'] };
const said = async (capture: Capture) => inShort(await capture.findings(only));
/** A frame that is there when nothing else happens. */
const later = (capture: Capture, seconds: number) => capture.at(seconds).ask(PEER.mac, PEER.ip, '10.0.0.77');

describe('tcp/syn-unanswered', () => {
  it('speaks at the third SYN, and hints at two that had time', async () => {
    expect(await said(syns(new Capture(), 3))).toEqual([['tcp/syn-unanswered', 'likely', [1, 2, 3]]]);
    expect(await said(later(syns(new Capture(), 2), 3.5))).toEqual([['tcp/syn-unanswered', 'hint', [1, 2]]]);
    expect(await said(syns(new Capture(), 2))).toEqual([]);
    expect(await said(later(syns(new Capture(), 1), 9))).toEqual([]);
  });

  it('is certain on the machine of the client', async () => {
    const capture = new Capture().answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip, { direction: 'in' });
    const way = { direction: 'out' } as const;
    expect(await said(syns(capture, 3, { way }))).toEqual([['tcp/syn-unanswered', 'certain', [2, 3, 4]]]);
  });

  it('only hints where the client gets no frame here, and others do: a switch floods SYNs past a bystander', async () => {
    const [own, other] = ['02:00:00:00:00:51', '02:00:00:00:00:52'];
    const beside = (capture = new Capture()) =>
      capture.ipv4({ from: own, to: other, source: '10.0.0.51', destination: '10.0.0.52' }).ipv4({
        from: other,
        to: own,
        source: '10.0.0.52',
        destination: '10.0.0.51',
      });
    const [finding] = await syns(beside(), 3).findings(only);
    expect(finding).toMatchObject({ confidence: 'hint' });
    expect(finding.caveats.join()).toContain('flooded');
    // The client gets frames as well, or nobody but the server does.
    const seen = beside(new Capture().answer(PEER.mac, PEER.ip, HOST.mac, HOST.ip));
    expect((await said(syns(seen, 3))).map(([, confidence]) => confidence)).toEqual(['likely']);
    const dead = new Capture().ipv4({ from: HOST.mac, to: PEER.mac, source: HOST.ip, destination: PEER.ip });
    expect((await said(syns(dead, 3))).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints at SYNs that were lost while the machine of the server moved', async () => {
    const moved = (guest: string) => later(syns(new Capture(), 3).at(3.5).rarp(guest), 20);
    expect(await said(moved(PEER.mac))).toEqual([['tcp/syn-unanswered', 'hint', [1, 2, 3]]]);
    expect(await said(moved(HOST.mac))).toEqual([['tcp/syn-unanswered', 'likely', [1, 2, 3]]]);
    // It arrived before them.
    expect(await said(later(syns(new Capture().rarp(PEER.mac), 3, {}, 5), 20))).toEqual([
      ['tcp/syn-unanswered', 'likely', [2, 3, 4]],
    ]);
  });

  it('keeps still when anything answers', async () => {
    expect(await said(synAck(syns(new Capture(), 3).at(3.1)))).toEqual([]);
    const refused = tcp(syns(new Capture(), 3).at(3.1), PEER, HOST, RST | ACK, { sport: 80, dport: 40000, ack: 1001 });
    expect(await said(refused)).toEqual([]);
    // Only one direction is in the capture: the client goes on as if it had an answer.
    expect(await said(tcp(syns(new Capture(), 3).at(3.1), HOST, PEER, ACK, { seq: 1001, ack: 5001 }))).toEqual([]);
  });

  it('notes a connection that comes up at the third SYN or later', async () => {
    const up = (times: number) => {
      const capture = synAck(syns(new Capture(), times).at(times + 0.1));
      return tcp(capture, HOST, PEER, ACK, { seq: 1001, ack: 5001 });
    };
    const [finding, ...more] = await up(3).findings(only);
    expect(inShort([finding])).toEqual([['tcp/syn-unanswered', 'likely', [1, 2, 3, 4]]]);
    expect([finding.severity, finding.title, more]).toEqual([
      'info',
      '10.0.0.1 connects to 10.0.0.2, TCP 80, only at SYN 3, after 2.1 s',
      [],
    ]);
    expect(await said(up(2))).toEqual([]);
    // The answer was there all the time: the client lost it.
    const answered = synAck(syns(new Capture(), 2).at(2.1), {});
    synAck(tcp(answered.at(3), HOST, PEER, SYN, { id: 3 }).at(3.1), {});
    expect(await said(tcp(answered, HOST, PEER, ACK, { seq: 1001, ack: 5001 }))).toEqual([]);
  });

  it('takes SYNs within 0.2 s for one seen at several hops', async () => {
    const capture = new Capture();
    for (const second of [1, 2])
      for (const ttl of [64, 63]) tcp(capture.at(second + (64 - ttl) / 1000), HOST, PEER, SYN, { ttl });
    expect(await said(capture)).toEqual([]);
  });

  it('tells another attempt from a repetition', async () => {
    const capture = new Capture();
    for (let i = 0; i < 4; i++) tcp(capture.at(1 + i), HOST, PEER, SYN, { seq: 1000 * (i + 1), sport: 40000 });
    expect(await said(later(capture, 9))).toEqual([]);
  });

  it('puts the ports of one server together', async () => {
    const capture = new Capture();
    syns(capture, 3, { sport: 40001, dport: 443, seq: 7 });
    syns(capture, 3, { sport: 40000, dport: 80 }, 1.2);
    const [finding, ...rest] = await capture.findings(only);
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({ count: 6 });
    expect(finding?.title).toContain('ports 80, 443');
  });

  it('takes two attempts of two SYNs for enough', async () => {
    const capture = syns(syns(new Capture(), 2), 2, { sport: 40001, seq: 7 }, 5);
    expect(await said(later(capture, 9))).toEqual([['tcp/syn-unanswered', 'likely', [1, 2, 3, 4]]]);
    const atOnce = syns(syns(new Capture(), 2), 2, { sport: 40001, seq: 7 }, 1.5);
    expect(await said(later(atOnce, 9))).toEqual([['tcp/syn-unanswered', 'hint', [1, 2, 3, 4]]]);
  });

  it('has enough of a server that is down for everybody', async () => {
    const capture = new Capture();
    for (let i = 0; i < 20; i++) syns(capture, 3, { seq: 77 * i }, 1 + i / 100, { ...HOST, ip: `10.0.1.${i}` });
    expect(await said(capture)).toHaveLength(8);
  });

  it('only hints where later connections to the port come up', async () => {
    const after = handshake(syns(new Capture(), 3).at(4), { sport: 41000 });
    expect((await said(after)).map(([, confidence]) => confidence)).toEqual(['hint']);
    const before = syns(handshake(new Capture().at(0.5), { sport: 41000 }), 3);
    expect((await said(before)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints where a client that others answer finds many hosts silent', async () => {
    const silent = (count: number, capture = new Capture()) => {
      for (let i = 0; i < count; i++)
        syns(capture, 3, { sport: 41000 + i, seq: 77 * i }, 1 + i / 100, HOST, { ...FAR, ip: `192.0.2.${i + 1}` });
      return capture;
    };
    const confidences = async (capture: Capture) => new Set((await said(capture)).map(([, each]) => each));
    expect(await confidences(silent(4, handshake(new Capture().at(0.5))))).toEqual(new Set(['hint']));
    expect(await confidences(silent(3, handshake(new Capture().at(0.5))))).toEqual(new Set(['likely']));
    expect(await confidences(silent(4))).toEqual(new Set(['likely']));
    expect(await said(silent(40))).toHaveLength(8);
  });

  it('is a symptom of an ICMP error, and of ARP without answer', async () => {
    const payload = [...u16(40000), ...u16(80), 0, 0, 3, 232];
    const refused = error(syns(new Capture(), 3).at(3.1), ROUTER, HOST, PEER, {
      type: 3,
      code: 1,
      protocol: 6,
      payload,
    });
    expect((await refused.findings()).map(({ rule, explains }) => [rule, explains.map((each) => each.rule)])).toEqual([
      ['icmp/unreachable', ['tcp/syn-unanswered']],
    ]);
    const lost = syns(new Capture(), 3).at(1.1).askAgain(3, PEER.mac, PEER.ip, HOST.ip);
    const rules = (await later(lost, 9).findings()).map(({ rule, explains }) => [
      rule,
      explains.map((each) => each.rule),
    ]);
    expect(rules).toContainEqual(['arp/unanswered', ['tcp/syn-unanswered']]);
  });

  it('says it once where a capture shows the SYN routed or translated', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++) {
      tcp(capture.at(1 + i), HOST, FAR, SYN, { way: { vlan: 10 } });
      tcp(capture.at(1.001 + i), HOST, PEER, SYN, { ttl: 63, dport: 8080, way: { vlan: 20 } });
    }
    expect(await said(capture)).toEqual([['tcp/syn-unanswered', 'likely', [1, 3, 5]]]);
  });

  it('keeps VLANs apart, and looks into VXLAN and IPv6', async () => {
    const capture = new Capture();
    syns(capture, 3, { seq: 1, way: { vlan: 10 } });
    syns(capture, 3, { seq: 2, way: { vni: 5 } }, 1.1);
    for (const second of [1, 2, 3]) tcp6(capture.at(second), HOST, PEER, SYN, { seq: 3 });
    const findings = await capture.findings(only);
    expect(findings).toHaveLength(3);
    expect(findings.map(({ segment, subject }) => [segment?.vlans, segment?.vnis, subject.client])).toEqual(
      expect.arrayContaining([
        [[10], [], '10.0.0.1'],
        [[], [5], '10.0.0.1'],
        [[], [], 'fd00::1'],
      ]),
    );
  });
});
