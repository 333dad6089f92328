import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACK, acknowledge, data, FIN, handshake, RST, type Segment, tcp } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['tcp/reset'] };
const said = async (capture: Capture) => inShort(await capture.findings(only));
const titles = async (capture: Capture) => (await capture.findings(only)).map(({ title }) => title);

/** A connection with some data, and a RST of PEER. */
function reset(capture: Capture, segment: Segment = {}, ttl = 64): Capture {
  handshake(capture, segment);
  acknowledge(data(capture, 0, 100, { id: 10, ...segment }), 100, { id: 10, ...segment });
  const { sport = 40000 } = segment;
  return tcp(capture, PEER, HOST, RST, { ...segment, sport: 80, dport: sport, seq: 5101, ttl, id: 11 });
}

describe('tcp/reset', () => {
  it('speaks of a connection that was up', async () => {
    expect(await said(reset(new Capture()))).toEqual([['tcp/reset', 'certain', [6]]]);
    expect(await titles(reset(new Capture()))).toEqual(['10.0.0.2 resets a connection with 10.0.0.1 in the middle']);
  });

  it('keeps still after a FIN of either side, and about the second RST', async () => {
    const capture = handshake(new Capture());
    tcp(capture, HOST, PEER, FIN | ACK, { seq: 1001, ack: 5001, id: 9 });
    expect(await said(tcp(capture, PEER, HOST, RST, { sport: 80, dport: 40000, seq: 5001 }))).toEqual([]);
    const both = tcp(reset(new Capture()), HOST, PEER, RST, { seq: 1001, id: 12 });
    expect(await said(both)).toEqual([['tcp/reset', 'certain', [6]]]);
  });

  it('keeps still where only one side is in the capture', async () => {
    const capture = data(data(new Capture(), 0, 100, { id: 1 }), 100, 100, { id: 2 });
    expect(await said(tcp(capture, PEER, HOST, RST, { sport: 80, dport: 40000, seq: 5201 }))).toEqual([]);
  });

  it('tells a RST that comes from elsewhere: by its TTL, or because its sender goes on', async () => {
    const forged = ['The connection of 10.0.0.2 and 10.0.0.1 is reset in the middle, but hardly by 10.0.0.2'];
    expect(await titles(reset(new Capture(), {}, 60))).toEqual(forged);
    expect(await titles(reset(new Capture(), {}, 63))).not.toEqual(forged);
    expect(await titles(data(reset(new Capture()), 100, 100, { id: 12 }))).toEqual(forged);
    // What it sent before may be seen after it.
    expect(await titles(data(reset(new Capture()), 50, 50, { id: 12 }))).not.toEqual(forged);
  });

  it('says it once for two hosts, and keeps VLANs apart', async () => {
    const capture = reset(reset(new Capture().at(1)).at(2), { sport: 41000 }, 60);
    const findings = await capture.findings(only);
    expect(findings.map(({ evidence }) => evidence.map(({ frame }) => frame))).toEqual([[12]]);
    const vlans = reset(reset(new Capture().at(1), { way: { vlan: 10 } }).at(2), { way: { vni: 5 } });
    expect((await vlans.findings(only)).map(({ segment }) => [segment?.vlans, segment?.vnis])).toEqual([
      [[10], []],
      [[], [5]],
    ]);
  });
});
