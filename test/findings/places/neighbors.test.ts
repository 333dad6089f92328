import { describe, expect, it } from 'vitest';
import { advertisement, solicitation } from '../../support/nd.js';
import { ofRule, together } from '../../support/together.js';
import { Capture } from '../../support/wire.js';

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
    expect(ofRule(later, 'arp/unanswered')).toHaveLength(2);
    const others = await together({
      'a.pcap': asks(new Capture(), [1, 2, 3]),
      'b.pcap': asks(new Capture(), [1, 2, 3], '10.0.0.9', OTHER),
    });
    expect(ofRule(others, 'arp/unanswered')).toHaveLength(2);
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
    const [found, ...others] = ofRule(
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
    const [found] = ofRule(
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
    const [found] = ofRule(await together({ 'ring1.pcap': before, 'ring2.pcap': after }), 'arp/unanswered');
    expect(found.title).not.toMatch(/farther/);
  });

  it('do not get to where the target speaks', async () => {
    const here = announces(asks(new Capture(), [1, 2, 3]), 3.5);
    const there = announces(asks(new Capture(), [0], '10.0.0.2', TARGET, '10.0.0.3'), 3.5);
    const [found] = ofRule(await together({ 'a.pcap': here, 'b.pcap': there }), 'arp/unanswered');
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
      const [found] = ofRule(await together({ 'a.pcap': announces(here(), 0.5), 'b.pcap': there }), 'arp/unanswered');
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
  const [finding] = ofRule(found, 'nd/unanswered');
  expect(finding.title).toBe('fd00::1 looks for fd00::2 and gets no answer: answers get no farther than b.pcap');
  expect(finding.remedy[0].commands).toEqual(["tcpdump -eni any 'icmp6 and host fd00::1'"]);
});
