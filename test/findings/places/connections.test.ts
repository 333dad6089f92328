import { expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACK, SYN, syns, tcp } from '../../support/tcp.js';
import { ofRule, together } from '../../support/together.js';
import { Capture } from '../../support/wire.js';

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
    ofRule(await together({ 'a.pcap': syns(new Capture(), 3), 'b.pcap': there }), 'tcp/syn-unanswered').map(
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
    ofRule(await together({ 'a.pcap': here, 'b.pcap': there }), 'tcp/syn-unanswered').map(({ severity }) => severity),
  ).toEqual(['info']);
});

it('takes no later connection from the same port, whose SYN was not captured, for one that came up', async () => {
  const there = syns(new Capture(), 3, { seq: 77, sport: 50000 });
  tcp(there.at(60), PEER, HOST, SYN | ACK, { sport: 80, dport: 40000, seq: 5, ack: 1001 });
  tcp(there, HOST, PEER, ACK, { seq: 1001, ack: 6 });
  const found = ofRule(await together({ 'a.pcap': syns(new Capture(), 3), 'b.pcap': there }), 'tcp/syn-unanswered');
  expect(found.some(({ segment, confidence }) => segment.capture === 0 && confidence === 'likely')).toBe(true);
});
