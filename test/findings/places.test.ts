import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Analyzer, analyze } from '../../src/analyze.js';
import { openCapture } from '../../src/capture/open.js';
import type { Finding } from '../../src/findings/finding.js';
import { dhcp, SERVER } from '../support/dhcp.js';
import { FAR, HOST, PEER } from '../support/icmp.js';
import { advertisement, solicitation } from '../support/nd.js';
import { ping } from '../support/ping.js';
import { ACK, SYN, syns, tcp } from '../support/tcp.js';
import { Capture } from '../support/wire.js';

/** What the program says of captures by these names, in one run. */
async function together(captures: Readonly<Record<string, Capture>>): Promise<Finding[]> {
  const analyzer = new Analyzer();
  for (const [name, capture] of Object.entries(captures)) {
    const source = await openCapture('-', { stdin: Readable.from([capture.file()]) });
    await analyzer.read(Object.assign(source, { info: { ...source.info, name } }));
  }
  return analyzer.analysis().findings;
}
const of = (findings: readonly Finding[], rule: string) => findings.filter((finding) => finding.rule === rule);

const [ASKER, TARGET, OTHER] = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'];
const NS = '10.0.0.1';
const asks = (capture: Capture, times: readonly number[], spa = NS, from = ASKER, tpa = '10.0.0.2') => {
  for (const at of times) capture.at(at).arp({ op: 1, from, spa, tpa });
  return capture;
};
const answers = (capture: Capture, at: number) =>
  capture.at(at).arp({ op: 2, from: TARGET, to: ASKER, spa: '10.0.0.2', tha: ASKER, tpa: NS });
/** Somebody who is heard everywhere. */
const announces = (capture: Capture, at: number) =>
  capture.at(at).arp({ op: 1, from: OTHER, spa: '10.0.0.3', tpa: '10.0.0.3' });

describe('what several captures of one network show', () => {
  it('is said once, with the frames of each', async () => {
    const [found, ...others] = await together({
      'a.pcap': asks(new Capture(), [1, 2, 3]),
      'b.pcap': asks(new Capture(), [1.0002, 2.0002, 3.0002]),
    });
    expect(others).toEqual([]);
    expect(found.rule).toBe('arp/unanswered');
    expect(found.summary).toMatch(/ b\.pcap shows the same\.$/);
    expect(found.evidence.map(({ capture, frame }) => [capture, frame])).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 1],
      [1, 2],
      [1, 3],
    ]);
  });

  it('is two faults at two times, or about two hosts', async () => {
    const later = await together({
      'a.pcap': asks(new Capture(), [1, 2, 3]),
      'b.pcap': asks(new Capture(), [11, 12, 13]),
    });
    expect(of(later, 'arp/unanswered')).toHaveLength(2);
    const others = await together({
      'a.pcap': asks(new Capture(), [1, 2, 3]),
      'b.pcap': asks(new Capture(), [1, 2, 3], '10.0.0.9', OTHER),
    });
    expect(of(others, 'arp/unanswered')).toHaveLength(2);
  });

  it('names captures by their folders where they have one name', async () => {
    const [found] = await together({
      'one/eth0.pcap': asks(new Capture(), [1, 2, 3]),
      'two/eth0.pcap': asks(new Capture(), [1, 2, 3]),
    });
    expect(found.summary).toMatch(/ two\/eth0\.pcap shows the same\.$/);
  });
});

describe('ARP requests in vain', () => {
  it('are answered where answers get no farther', async () => {
    const there = new Capture();
    for (const at of [1, 2, 3]) answers(asks(there, [at]), at + 0.001);
    const [found, ...others] = of(
      await together({ 'a.pcap': asks(new Capture(), [1, 2, 3]), 'b.pcap': there }),
      'arp/unanswered',
    );
    expect(others).toEqual([]);
    expect(found.title).toBe('10.0.0.1 asks for 10.0.0.2 and gets no answer: answers get no farther than b.pcap');
    expect(found.summary).toMatch(/ b\.pcap shows answers, which a\.pcap does not show\.$/);
    expect(found.cause).toMatch(/^Answers leave and are lost on the way from b\.pcap to a\.pcap: /);
    // What is left to look at lies between the two places, and who asks is known there by its MAC.
    expect(found.remedy.map(({ commands }) => commands)).toEqual([
      ["tcpdump -eni any 'arp and host 10.0.0.2'"],
      [`bridge fdb show | grep -i ${ASKER}`, 'bridge vlan show', 'nft list ruleset'],
    ]);
    expect(found.remedy[0].text).toMatch(/on the way from b\.pcap to a\.pcap, .* where the answers come in/);
    expect(found.wouldRaise).toEqual(['a capture on the way from b.pcap to a.pcap: how far do the answers get?']);
  });

  it('that two places show, and no answer, leave the question what is beyond them', async () => {
    const [found] = await together({
      'a.pcap': asks(new Capture(), [1, 2, 3]),
      'b.pcap': asks(new Capture(), [1.0002, 2.0002, 3.0002]),
    });
    expect(found.wouldRaise[0]).toMatch(/^a capture nearer to 10\.0\.0\.2 than a\.pcap and b\.pcap, /);
    expect(found.wouldRaise[1]).toMatch(/^host context/);
  });

  it('lack the answers at two places, which are named once', async () => {
    const there = new Capture();
    for (const at of [1, 2, 3]) answers(asks(there, [at]), at + 0.001);
    const [found] = of(
      await together({
        'a.pcap': asks(new Capture(), [1, 2, 3]),
        'b.pcap': asks(new Capture(), [1.0002, 2.0002, 3.0002]),
        'c.pcap': there,
      }),
      'arp/unanswered',
    );
    expect(found.summary).toMatch(/ c\.pcap shows answers, which a\.pcap and b\.pcap do not show\.$/);
  });

  it('that one capture shows answered later are no others, whatever another shows', async () => {
    const here = answers(asks(new Capture(), [1, 2, 3, 4]), 4.001);
    const there = answers(asks(new Capture(), [4]), 4.0005);
    for (const finding of await together({ 'a.pcap': here, 'b.pcap': there }))
      expect(finding.title).not.toMatch(/farther/);
  });

  it('that the next file of a ring shows answered are no others', async () => {
    const before = announces(asks(new Capture(), [1, 2, 3]), 3.4);
    const after = answers(announces(asks(new Capture(), [4]), 3.6), 4.001);
    const [found] = of(await together({ 'ring1.pcap': before, 'ring2.pcap': after }), 'arp/unanswered');
    expect(found.title).not.toMatch(/farther/);
  });

  it('do not get to where the target speaks', async () => {
    const here = announces(asks(new Capture(), [1, 2, 3]), 3.5);
    const there = announces(asks(new Capture(), [0], '10.0.0.2', TARGET, '10.0.0.3'), 3.5);
    const [found] = of(await together({ 'a.pcap': here, 'b.pcap': there }), 'arp/unanswered');
    expect(found.title).toMatch(/: the requests do not get to b\.pcap$/);
    expect(found.cause).toMatch(/^The requests are lost on the way from a\.pcap to b\.pcap: /);
    expect(found.remedy.map(({ commands }) => commands)).toEqual([
      ["tcpdump -eni any 'arp and host 10.0.0.2'"],
      ['bridge -d link show', 'bridge vlan show', 'nft list ruleset'],
    ]);
    expect(found.remedy[0].text).toMatch(/on the way from a\.pcap to b\.pcap, .* where the requests come in/);
    expect(found.wouldRaise).toEqual(['a capture on the way from a.pcap to b.pcap: how far do the requests get?']);
  });

  it('may have nothing to do with a network that shares no station, or a capture that ended before', async () => {
    const here = () => asks(new Capture(), [1, 2, 3]);
    const apart = asks(new Capture(), [0, 5], '10.0.0.2', TARGET, '10.0.0.2');
    const before = announces(asks(new Capture(), [0], '10.0.0.2', TARGET, '10.0.0.3'), 2.5);
    for (const there of [apart, before]) {
      const [found] = of(await together({ 'a.pcap': announces(here(), 0.5), 'b.pcap': there }), 'arp/unanswered');
      expect(found.title).toBe('10.0.0.1 asks for 10.0.0.2 and gets no answer');
    }
  });
});

it('looks for advertisements that get lost by address, as captures of all devices keep no MAC of the receiver', async () => {
  const solicits = (capture: Capture, answered: boolean) => {
    for (const at of [1, 2.02, 3.04]) {
      capture.at(at).raw(solicitation(ASKER, 'fd00::1', 'fd00::2'));
      if (answered) capture.at(at + 0.001).raw(advertisement(TARGET, 'fd00::2', { mac: ASKER, ip: 'fd00::1' }));
    }
    return capture;
  };
  const found = await together({ 'a.pcap': solicits(new Capture(), false), 'b.pcap': solicits(new Capture(), true) });
  const [finding] = of(found, 'nd/unanswered');
  expect(finding.title).toBe('fd00::1 looks for fd00::2 and gets no answer: answers get no farther than b.pcap');
  expect(finding.remedy[0].commands).toEqual(["tcpdump -eni any 'icmp6 and host fd00::1'"]);
});

describe('pings in vain', () => {
  /** Beside frames of another station: the capture may show who replies. */
  const lost = (ttl = 64) => ping(announces(new Capture(), 0), 5, { ttl });

  it('are answered behind a router where replies get no farther', async () => {
    const there = ping(new Capture(), 5, { ttl: 63, answered: () => true });
    const [found] = of(await together({ 'a.pcap': lost(), 'b.pcap': there }), 'icmp/echo-unanswered');
    expect(found).toMatchObject({
      confidence: 'likely',
      title: expect.stringMatching(/: answers get no farther than b\.pcap$/),
    });
    expect(found.remedy.map(({ commands }) => commands)).toEqual([
      [`tcpdump -eni any 'icmp and host 10.0.0.1'`],
      [`ip route get 10.0.0.1`, 'nft list ruleset', 'nstat -az TcpExtIPReversePathFilter'],
    ]);
  });

  it('are none where replies get nearer to who pings than the capture that lacks them', async () => {
    const there = ping(new Capture(), 5, { answered: () => true });
    expect(await together({ 'a.pcap': lost(63), 'b.pcap': there })).toEqual([]);
  });

  it('may be answered past the capture on the same link', async () => {
    const there = ping(new Capture(), 5, { answered: () => true });
    const [found] = of(await together({ 'a.pcap': lost(), 'b.pcap': there }), 'icmp/echo-unanswered');
    expect(found.title).not.toMatch(/farther/);
    expect(found.caveats.at(-1)).toBe('that the answers do not reach who asks is not proved: b.pcap shows them');
  });

  it('do not get to where both hosts are seen and pings pass, unless another address may stand for who pings', async () => {
    const seen = (from = HOST, before = HOST) => {
      const capture = new Capture();
      tcp(capture.at(0), HOST, FAR, ACK);
      tcp(capture, before, FAR, SYN);
      tcp(capture, FAR, before, SYN | ACK, { sport: 80, dport: 40000, seq: 5, ack: 1001 });
      ping(capture, 2, { from: FAR, to: PEER, answered: () => true });
      if (from !== HOST) ping(capture, 5, { from, id: 99 });
      return tcp(capture.at(9), HOST, FAR, ACK);
    };
    const titles = async (there: Capture) =>
      of(await together({ 'a.pcap': lost(), 'b.pcap': there }), 'icmp/echo-unanswered').map(({ title }) => title);
    expect(await titles(seen())).toEqual([expect.stringMatching(/: the requests do not get to b\.pcap$/)]);
    // What passed there before was between others: it may lie beside the way.
    expect((await titles(seen(HOST, PEER))).filter((title) => /do not get to/.test(title))).toEqual([]);
    expect((await titles(seen(PEER))).filter((title) => /do not get to/.test(title))).toEqual([]);
  });
});

it('follows SYNs in vain to where they are answered, by clocks that differ', async () => {
  const there = new Capture();
  for (let i = 0; i < 3; i++) {
    tcp(there.at(1.4 + i), HOST, PEER, SYN, { id: 1 + i });
    tcp(there.at(1.401 + i), PEER, HOST, SYN | ACK, { sport: 80, dport: 40000, seq: 5, ack: 1001, id: 9 + i });
  }
  const findings = await together({ 'a.pcap': syns(new Capture(), 3), 'b.pcap': there });
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({
    rule: 'tcp/syn-unanswered',
    // Not that SYNs are lost: they are answered.
    title: `10.0.0.1 gets no answer from 10.0.0.2 port 80: answers get no farther than b.pcap`,
    explains: [expect.objectContaining({ rule: 'tcp/synack-repeated' })],
  });
  // The answers elsewhere are proof.
  expect(findings[0].evidence.filter(({ capture }) => capture === 1).map(({ frame }) => frame)).toEqual([
    1, 2, 3, 4, 5, 6,
  ]);
});

it('knows SYN-ACKs of the same attempt where no SYN passes, and not those of another time', async () => {
  const backAt = (at: number) => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++)
      tcp(capture.at(at + i), PEER, HOST, SYN | ACK, { sport: 80, dport: 40000, seq: 5, ack: 1001, id: 9 + i });
    return capture;
  };
  const titles = async (there: Capture) =>
    of(await together({ 'a.pcap': syns(new Capture(), 3), 'b.pcap': there }), 'tcp/syn-unanswered').map(
      ({ title }) => title,
    );
  expect(await titles(backAt(1))).toEqual([expect.stringMatching(/: answers get no farther than b\.pcap$/)]);
  expect(await titles(backAt(60))).toEqual([expect.not.stringMatching(/farther/)]);
});

it('takes a connection that goes on elsewhere for one that came up', async () => {
  const there = syns(new Capture(), 3);
  tcp(there.at(3.1), PEER, HOST, SYN | ACK, { sport: 80, dport: 40000, seq: 5, ack: 1001 });
  tcp(there, HOST, PEER, ACK, { seq: 1001, ack: 6 });
  const here = syns(new Capture(), 3);
  expect(
    of(await together({ 'a.pcap': here, 'b.pcap': there }), 'tcp/syn-unanswered').map(({ severity }) => severity),
  ).toEqual(['info']);
});

it('takes no later connection from the same port, whose SYN was not captured, for one that came up', async () => {
  const there = syns(new Capture(), 3, { seq: 77, sport: 50000 });
  tcp(there.at(60), PEER, HOST, SYN | ACK, { sport: 80, dport: 40000, seq: 5, ack: 1001 });
  tcp(there, HOST, PEER, ACK, { seq: 1001, ack: 6 });
  const found = of(await together({ 'a.pcap': syns(new Capture(), 3), 'b.pcap': there }), 'tcp/syn-unanswered');
  expect(found.some(({ segment, confidence }) => segment.capture === 0 && confidence === 'likely')).toBe(true);
});

// Recorded at several places at once; fixtures/places/ORIGIN.md says where, and which frames tshark finds in which file.
describe('recorded incidents', () => {
  const at = (folder: string, names: readonly string[]) =>
    names.map((name) => `fixtures/places/${folder}/${name}.pcap`);

  it('a reply that a virtual switch does not deliver', async () => {
    const { findings } = await analyze(at('reply-lost', ['host-ens34', 'sw-p-host', 'vm01-ens34']));
    const [found, ...others] = findings;
    expect(others).toEqual([]);
    expect(found.rule).toBe('arp/unanswered');
    expect(found.title).toMatch(/: answers get no farther than vm01-ens34\.pcap$/);
    expect(found.evidence.map(({ capture, frame }) => `${capture} ${frame}`)).toEqual([
      '0 1',
      '0 2',
      '0 3',
      '1 1',
      '1 2',
      '1 3',
      '2 1',
      '2 2',
      '2 3',
      '2 4',
      '2 5',
      '2 6',
    ]);
  });

  it('a SYN-ACK that a stateful firewall drops on another way back', async () => {
    const { findings } = await analyze(at('stateful-drop', ['h1-eth0', 'r2-b0', 'srv-eth0']));
    const [found, ...others] = findings.filter(({ severity }) => severity !== 'info');
    expect(others).toEqual([]);
    expect(found.rule).toBe('tcp/syn-unanswered');
    expect(found.title).toMatch(/: answers get no farther than r2-b0\.pcap and srv-eth0\.pcap$/);
  });
});

describe('DHCP discovers in vain', () => {
  const client = '02:00:00:00:00:51';
  const discovers = (capture = new Capture(), late = 0) => {
    for (const at of [1, 4, 9, 15]) dhcp(capture.at(at + late), 'discover', { client, xid: 7 });
    return capture;
  };

  it('are answered where offers get no farther', async () => {
    const there = new Capture();
    for (const at of [1, 4, 9, 15]) {
      dhcp(there.at(at), 'discover', { client, xid: 7 });
      dhcp(there.at(at + 0.001), 'offer', { client, xid: 7, server: SERVER });
    }
    const [found, ...others] = await together({ 'vm.pcap': discovers(), 'server.pcap': there });
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      rule: 'dhcp/no-offer',
      title: expect.stringMatching(/: answers get no farther than server\.pcap$/),
    });
    expect(found.explains.map(({ rule }) => rule)).toEqual(['dhcp/offer-ignored']);
  });

  it('do not get to where a server offers addresses to others', async () => {
    const there = new Capture();
    for (const [i, at] of [0, 2, 20].entries()) {
      const other = { client: OTHER, xid: 20 + i };
      dhcp(there.at(at), 'discover', other);
      dhcp(there.at(at + 0.001), 'offer', { ...other, server: SERVER });
      dhcp(there.at(at + 0.002), 'request', { ...other, server: SERVER });
      dhcp(there.at(at + 0.003), 'ack', { ...other, server: SERVER });
    }
    const vm = dhcp(discovers().at(2), 'discover', { client: OTHER, xid: 21 });
    const found = of(await together({ 'vm.pcap': vm, 'server.pcap': there }), 'dhcp/no-offer');
    expect(found.map(({ title }) => title)).toEqual([
      expect.stringMatching(/: the requests do not get to server\.pcap$/),
    ]);
  });
});
