import { describe, expect, it } from 'vitest';
import { FAR, HOST, PEER } from '../../support/icmp.js';
import { ACK, handshake, RST, SYN, synAck, tcp } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['tcp/refused'] };
const said = async (capture: Capture) => inShort(await capture.findings(only));

/** A SYN and the RST for it. */
function refusal(capture: Capture, { sport = 40000, dport = 80, seq = 1000, server = PEER, way = {} } = {}): Capture {
  tcp(capture, HOST, server, SYN, { sport, dport, seq, way });
  return tcp(capture, server, HOST, RST | ACK, { sport: dport, dport: sport, seq: 0, ack: seq + 1, way });
}

describe('tcp/refused', () => {
  it('speaks at once', async () => {
    expect(await said(refusal(new Capture()))).toEqual([['tcp/refused', 'certain', [1, 2]]]);
  });

  it('keeps still when the client resets, and when a connection is reset that was up', async () => {
    const capture = synAck(tcp(new Capture(), HOST, PEER, SYN));
    expect(await said(tcp(capture, HOST, PEER, RST, { seq: 1001 }))).toEqual([]);
    const up = tcp(handshake(new Capture()), PEER, HOST, RST, { sport: 80, dport: 40000, seq: 5001 });
    expect(await said(up)).toEqual([]);
    expect(await said(tcp(new Capture(), PEER, HOST, RST | ACK, { sport: 80, dport: 40000, ack: 1001 }))).toEqual([]);
  });

  it('puts the ports of one server together', async () => {
    const capture = new Capture();
    for (let i = 0; i < 7; i++) refusal(capture.at(i), { sport: 40000 + i, dport: 80 + i, seq: i });
    const [finding] = await capture.findings(only);
    expect(finding).toMatchObject({ count: 7, severity: 'info' });
    expect(finding?.title).toContain('ports 80, 81, 82, 83, 84 and 2 more');
  });

  it('has enough of a client that scans', async () => {
    const capture = new Capture();
    for (let i = 0; i < 30; i++) refusal(capture.at(i), { seq: i, server: { ...FAR, ip: `192.0.2.${i + 1}` } });
    expect(await said(capture)).toHaveLength(8);
  });

  it('says it once where a capture shows it at two hops, and twice in two VLANs', async () => {
    const hops = new Capture();
    tcp(hops.at(1), HOST, PEER, SYN, { way: { vlan: 10 } });
    tcp(hops.at(1.001), HOST, PEER, SYN, { ttl: 63, way: { vlan: 20 } });
    const answer = { sport: 80, dport: 40000, seq: 0, ack: 1001 };
    tcp(hops.at(1.002), PEER, HOST, RST | ACK, { ...answer, way: { vlan: 20 } });
    tcp(hops.at(1.003), PEER, HOST, RST | ACK, { ...answer, ttl: 63, way: { vlan: 10 } });
    expect(await said(hops)).toHaveLength(1);
    const both = refusal(refusal(new Capture(), { seq: 1, way: { vlan: 10 } }), { seq: 2, way: { vni: 5 } });
    expect((await both.findings(only)).map(({ segment }) => [segment?.vlans, segment?.vnis])).toEqual([
      [[10], []],
      [[], [5]],
    ]);
  });
});
