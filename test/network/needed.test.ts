import { describe, expect, it } from 'vitest';
import { MAX_HANDSHAKES } from '../../src/network/flows/handshake-columns.js';
import { MAX_PINGS } from '../../src/network/icmp/ping-facts.js';
import { dhcp, SERVER } from '../support/dhcp.js';
import { FAR, HOST, PEER } from '../support/icmp.js';
import { echo } from '../support/ping.js';
import { ACK, SYN, synAck, tcp } from '../support/tcp.js';
import { analysisOf, Capture } from '../support/wire.js';

const told = async (capture: Capture) => (await analysisOf(capture.file())).findings.map(({ rule }) => rule);

/** Pings `count` hosts once each from `at` on, all of whom reply but those that `silent` names. */
function pingAll(capture: Capture, count: number, at: number, silent: (i: number) => boolean): void {
  for (let i = 0; i < count; i++) {
    const host = { mac: FAR.mac, ip: `198.51.${i >> 8}.${i & 255}` };
    echo(capture.at(at + i / 1000), HOST, host, { id: i, sequence: at });
    if (!silent(i)) echo(capture.at(at + i / 1000 + 0.0005), host, HOST, { id: i, sequence: at, reply: true });
  }
}

describe('a table that is full keeps what shows trouble', () => {
  it('the one ping without reply, of more than it holds', async () => {
    const capture = new Capture();
    for (const at of [0, 20, 40]) pingAll(capture, MAX_PINGS + 1000, at, (i) => i === 7);
    expect(await told(capture)).toEqual(['icmp/echo-unanswered']);
  });

  it('the one connection that does not come up, however many do meanwhile', async () => {
    const capture = new Capture();
    const dead = { mac: PEER.mac, ip: '10.0.0.77' };
    const tries = (times: readonly number[]) =>
      times.forEach((at, i) => void tcp(capture.at(at), HOST, dead, SYN, { sport: 999, id: i + 1 }));
    tries([0, 1, 3]);
    for (let i = 0; i < 2 * MAX_HANDSHAKES; i++) {
      const segment = { sport: 1024 + i, seq: 1000 + 7 * i };
      tcp(capture.at(3.1 + i / 2500), HOST, PEER, SYN, segment);
      synAck(capture, { ...segment, seq: 5000, ack: segment.seq + 1 });
      tcp(capture, HOST, PEER, ACK, { ...segment, seq: segment.seq + 1, ack: 5001 });
    }
    tries([7, 15]);
    const [finding, ...others] = (await analysisOf(capture.file())).findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'tcp/syn-unanswered', count: 5 });
  });

  it('the one DHCP client that gets no offer', async () => {
    const capture = new Capture();
    const mac = (i: number) =>
      `02:00:00:01:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`;
    for (const at of [0, 4, 11]) dhcp(capture.at(at), 'discover', { client: mac(0xffff), xid: 1 });
    for (let i = 0; i < 5000; i++) {
      const all = { client: mac(i), xid: 100 + i };
      dhcp(capture.at(12 + i / 100), 'discover', all);
      dhcp(capture, 'offer', { ...all, server: SERVER });
      dhcp(capture, 'request', { ...all, server: SERVER });
      dhcp(capture, 'ack', { ...all, server: SERVER });
    }
    expect(await told(capture)).toContain('dhcp/no-offer');
  });

  it('of more trouble than it holds some, and says that some is forgotten', async () => {
    const capture = new Capture();
    for (const at of [0, 20, 40]) pingAll(capture, 2 * MAX_PINGS, at, () => true);
    const { findings, examined } = await analysisOf(capture.file());
    expect(findings.length).toBeGreaterThan(100);
    expect(examined.forgotten).toEqual({ pings: expect.any(Number) });
  });

  it('says nothing where all is kept', async () => {
    const capture = new Capture();
    pingAll(capture, 2 * MAX_PINGS, 0, () => false);
    expect((await analysisOf(capture.file())).examined).not.toHaveProperty('forgotten');
  });
});
