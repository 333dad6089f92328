import { describe, expect, it } from 'vitest';
import { FAR, HOST, PEER } from '../../support/icmp.js';
import { ping } from '../../support/ping.js';
import { ACK, SYN, tcp } from '../../support/tcp.js';
import { ofRule, together } from '../../support/together.js';
import { Capture } from '../../support/wire.js';

describe('pings in vain', () => {
  /** Beside frames of another station: the capture may show who replies. */
  const lost = (ttl = 64) =>
    ping(new Capture().arp({ op: 1, from: '02:00:00:00:00:03', spa: '10.0.0.3', tpa: '10.0.0.3' }), 5, { ttl });

  it('are answered behind a router where replies get no farther', async () => {
    const there = ping(new Capture(), 5, { ttl: 63, answered: () => true });
    const [found] = ofRule(await together({ 'a.pcap': lost(), 'b.pcap': there }), 'icmp/echo-unanswered');
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
    const [found] = ofRule(await together({ 'a.pcap': lost(), 'b.pcap': there }), 'icmp/echo-unanswered');
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
      ofRule(await together({ 'a.pcap': lost(), 'b.pcap': there }), 'icmp/echo-unanswered').map(({ title }) => title);
    expect(await titles(seen())).toEqual([expect.stringMatching(/: the requests do not get to b\.pcap$/)]);
    // What passed there before was between others: it may lie beside the way.
    expect((await titles(seen(HOST, PEER))).filter((title) => /do not get to/.test(title))).toEqual([]);
    expect((await titles(seen(PEER))).filter((title) => /do not get to/.test(title))).toEqual([]);
  });
});
