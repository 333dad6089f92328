import { describe, expect, it } from 'vitest';
import { fragment, HOST, meet, PEER } from '../../support/icmp.js';
import { error } from '../../support/ping.js';
import { A, B, ipv4, ONE, TWO, tunnelled, underlayMac, vxlanPacket } from '../../support/tunnel.js';
import { Capture, inShort, mac, u16 } from '../../support/wire.js';

const only = { select: ['mtu/fragments-incomplete'] };
const first = { offset: 0, length: 1480, more: true };
const last = { offset: 1480, length: 500, more: false };

/** Datagrams a second apart of which only `parts` come, after the two hosts met; some time goes on. */
function lose(times: number, parts: readonly (typeof first)[], { met = true } = {}): Capture {
  const capture = met ? meet(new Capture(), HOST, PEER) : new Capture();
  for (let i = 0; i < times; i++)
    for (const part of parts) fragment(capture.at(i), HOST, PEER, { id: 100 + i, ...part });
  return fragment(fragment(capture.at(times + 2), HOST, PEER, { id: 9, ...first }), HOST, PEER, { id: 9, ...last });
}

const PINGER = { from: A, to: B, source: '192.168.5.1', destination: '192.168.5.2' };

/** An echo inside VXLAN, its IP packet of `size` bytes; in two fragments if the outer one is longer than 1500. */
function pingInside(capture: Capture, sequence: number, size: number, { reply = false } = {}): Capture {
  const { from, to, source, destination } = PINGER;
  const [sender, receiver] = reply ? [destination, source] : [source, destination];
  const icmp = [reply ? 0 : 8, 0, 0, 0, ...u16(size), ...u16(sequence), ...new Array(size - 28).fill(0)];
  const link = reply ? [...mac(from), ...mac(to), 8, 0] : [...mac(to), ...mac(from), 8, 0];
  const outer = reply ? { from: TWO, to: ONE } : { from: ONE, to: TWO };
  const inner = [...link, ...ipv4(sender, receiver, 1, icmp, { id: sequence })];
  const payload = vxlanPacket(inner, outer).slice(20);
  if (payload.length + 20 <= 1500) return tunnelled(capture, inner, outer);
  const ethernet = [...mac(underlayMac(outer.to)), ...mac(underlayMac(outer.from)), 8, 0];
  const [first, rest] = [payload.slice(0, 1480), payload.slice(1480)];
  const id = size + sequence;
  capture.raw([...ethernet, ...ipv4(outer.from, outer.to, 17, first, { id, fragment: 0x2000 })]);
  return capture.raw([...ethernet, ...ipv4(outer.from, outer.to, 17, rest, { id, fragment: 185 })]);
}

/** Two small pings that are answered, and big ones; then some more time. */
function smallAndBig({ big = 2, answered = false, small = true, more = true } = {}): Capture {
  const capture = new Capture();
  for (let i = 0; i < 2; i++) {
    pingInside(capture.at(i), i, 84);
    if (small) pingInside(capture.at(i + 0.001), i, 84, { reply: true });
  }
  for (let i = 2; i < 2 + big; i++) {
    pingInside(capture.at(i), i, 1500);
    if (answered) pingInside(capture.at(i + 0.001), i, 1500, { reply: true });
  }
  return more ? capture.at(4 + big).ask('02:00:0a:01:01:01', ONE, '10.1.1.9') : capture;
}

async function short(capture: Capture) {
  return inShort(await capture.findings(only));
}

describe('mtu/fragments-incomplete', () => {
  it('is likely after two datagrams without their rest', async () => {
    const [finding] = await lose(2, [first]).findings(only);
    expect(inShort([finding])).toEqual([['mtu/fragments-incomplete', 'likely', [3, 4]]]);
    expect(finding.title).toContain('only their first fragments come');
    expect(finding.subject).toEqual({ sender: HOST.ip, receiver: PEER.ip, protocol: 'UDP' });
  });

  it('tells missing first fragments', async () => {
    const [finding] = await lose(3, [last], { met: false }).findings(only);
    expect([finding.confidence, finding.title]).toEqual([
      'likely',
      expect.stringContaining('first fragments are missing'),
    ]);
  });

  it('tells a hole in the middle', async () => {
    const parts = [first, { offset: 2960, length: 100, more: false }];
    expect(await short(lose(2, parts))).toEqual([['mtu/fragments-incomplete', 'likely', [3, 4, 5, 6]]]);
  });

  it('only hints after one', async () => {
    expect(await short(lose(1, [first]))).toEqual([['mtu/fragments-incomplete', 'hint', [3]]]);
  });

  it('only hints where a capture filter with ports may have left the rest out', async () => {
    expect(await short(lose(3, [first], { met: false }))).toEqual([['mtu/fragments-incomplete', 'hint', [1, 2, 3]]]);
  });

  it('only hints where the capture lost frames itself', async () => {
    const capture = lose(3, [first]);
    capture.dropped = 5;
    expect((await short(capture)).map(([, confidence]) => confidence)).toEqual(['hint']);
  });

  it('only hints where most datagrams come whole', async () => {
    const capture = lose(2, [first]);
    for (let i = 0; i < 5; i++)
      for (const part of [first, last]) fragment(capture.at(20 + i), HOST, PEER, { id: 500 + i, ...part });
    expect((await short(capture)).map(([, confidence]) => confidence)).toEqual(['hint']);
  });

  it('keeps silent about whole datagrams, in whatever order', async () => {
    expect(await short(lose(3, [first, last]))).toEqual([]);
    expect(await short(lose(3, [last, first]))).toEqual([]);
  });

  it('keeps silent about the last second of the capture', async () => {
    const capture = meet(new Capture(), HOST, PEER);
    for (let i = 0; i < 3; i++) fragment(capture.at(i / 10), HOST, PEER, { id: i, ...first });
    expect(await short(capture)).toEqual([]);
  });

  it('takes an identification that comes again for another datagram', async () => {
    const capture = meet(new Capture(), HOST, PEER);
    for (const at of [0, 40, 80]) fragment(capture.at(at), HOST, PEER, { id: 7, ...first });
    fragment(capture.at(80.1), HOST, PEER, { id: 7, ...last });
    expect(await short(capture)).toEqual([['mtu/fragments-incomplete', 'likely', [3, 4]]]);
  });

  it('keeps VLANs apart', async () => {
    const capture = meet(new Capture(), HOST, PEER);
    for (let i = 0; i < 3; i++) {
      fragment(capture.at(i), HOST, PEER, { id: i, ...first, way: { vlan: 9 } });
      fragment(capture.at(i), HOST, PEER, { id: i, ...last, way: { vlan: 8 } });
    }
    const findings = await fragment(capture.at(9), HOST, PEER, { id: 99, ...last }).findings(only);
    expect(findings.map(({ segment }) => segment.vlans)).toEqual([[9], [8]]);
  });

  describe('where all fragments pass and are lost further on', () => {
    it('is likely if pings in fragments get no reply and smaller ones do', async () => {
      const [finding] = await smallAndBig().findings(only);
      expect(inShort([finding])).toEqual([['mtu/fragments-incomplete', 'likely', [5, 6, 7, 8]]]);
      expect(finding.title).toContain('lost further on');
      expect(finding.subject).toEqual({ sender: ONE, receiver: TWO, protocol: 'UDP' });
    });

    it('needs no more than the second big ping at the end of the capture', async () => {
      expect((await short(smallAndBig({ more: false }))).map(([, confidence]) => confidence)).toEqual(['likely']);
    });

    it('keeps still if they are answered, if small ones get no reply either, and about one alone', async () => {
      expect(await short(smallAndBig({ answered: true }))).toEqual([]);
      expect(await short(smallAndBig({ small: false }))).toEqual([]);
      expect(await short(smallAndBig({ big: 1 }))).toEqual([]);
    });
  });

  describe('by the word of the receiver', () => {
    const said = (times: number, { type = 11, code = 1 } = {}) => {
      const capture = new Capture();
      for (let i = 0; i < times; i++) error(capture.at(30 + i), PEER, HOST, PEER, { type, code, protocol: 17 });
      return capture;
    };

    it('is certain of two such messages, and hints at one', async () => {
      const [finding, ...others] = await said(2).findings(only);
      expect(inShort([finding])).toEqual([['mtu/fragments-incomplete', 'certain', [1, 2]]]);
      expect(others).toEqual([]);
      expect(finding.title).toBe(
        `Fragments from ${HOST.ip} to ${PEER.ip} are lost: ${PEER.ip} says that it did not get all of them`,
      );
      expect(inShort(await said(1).findings(only))).toEqual([['mtu/fragments-incomplete', 'hint', [1]]]);
    });

    it('takes in what the capture itself lacks', async () => {
      const capture = lose(3, [first]);
      for (let i = 0; i < 3; i++) error(capture.at(31 + i), PEER, HOST, PEER, { type: 11, code: 1, protocol: 17 });
      const findings = await capture.findings(only);
      expect(findings.map(({ confidence, explains }) => [confidence, explains.map(({ rule }) => rule)])).toEqual([
        ['certain', ['mtu/fragments-incomplete']],
      ]);
    });

    it('blames chance where other datagrams come whole, and a filter where none does', async () => {
      const some = (parts: readonly (typeof first)[], whole: number) => {
        const capture = lose(3, [first]);
        for (let i = 0; i < whole; i++)
          for (const part of parts) fragment(capture.at(8 + i), HOST, PEER, { id: 200 + i, ...part });
        for (let i = 0; i < 3; i++) error(capture.at(31 + i), PEER, HOST, PEER, { type: 11, code: 1, protocol: 17 });
        return capture.findings(only);
      };
      const [chance] = await some([first, last], 4);
      expect(chance.cause).toContain('Packets are lost on the way');
      expect(chance.remedy.flatMap(({ commands }) => commands).join()).not.toContain('iptables');
      // Now the first fragments lack, now the others.
      const [mixed] = await some([last], 3);
      expect(mixed.cause).toContain('Packets are lost on the way');
    });

    it('keeps still about other messages', async () => {
      expect(await said(3, { code: 0 }).findings(only)).toEqual([]);
      expect(await said(3, { type: 3 }).findings(only)).toEqual([]);
    });
  });
});
