import { describe, expect, it } from 'vitest';
import { HOST, type Host, PEER, packet, ROUTER } from '../../support/icmp.js';
import { echo } from '../../support/ping.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, inShort, u16, type Way } from '../../support/wire.js';

const only = { select: ['ip/reply-from-wrong-address'] };
const ASKED = { mac: ROUTER.mac, ip: '198.51.100.1' };
const THIRD = { mac: '02:00:00:00:00:03', ip: '10.0.0.3' };

function pings(capture: Capture, times: number, from = PEER, way?: Way): Capture {
  for (let sequence = 1; sequence <= times; sequence++) {
    echo(capture.at(sequence), HOST, ASKED, { sequence, way });
    echo(capture.at(sequence + 0.01), from, HOST, { sequence, reply: true, way });
  }
  return capture;
}

interface Message {
  id?: number;
  port?: number;
  way?: Way | undefined;
}

function dns(
  capture: Capture,
  from: Host,
  to: Host,
  isAnswer: boolean,
  { id = 5, port = 4000, way }: Message = {},
): Capture {
  const ports = isAnswer ? [...u16(53), ...u16(port)] : [...u16(port), ...u16(53)];
  const message = [...u16(id), isAnswer ? 0x81 : 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return packet(
    capture,
    from,
    to,
    ipv4(from.ip, to.ip, 17, [...ports, ...u16(message.length + 8), 0, 0, ...message]),
    way,
  );
}

function queries(capture: Capture, times: number, way?: Way, from = PEER): Capture {
  for (let i = 1; i <= times; i++) {
    dns(capture.at(i), HOST, ASKED, false, { id: i, way });
    dns(capture.at(i + 0.01), from, HOST, true, { id: i, way });
  }
  return capture;
}

describe('ip/reply-from-wrong-address', () => {
  it('is certain of two pings that another address replies to', async () => {
    const [finding] = await pings(new Capture(), 2).findings(only);
    expect(inShort([finding])).toEqual([['ip/reply-from-wrong-address', 'certain', [1, 2, 3, 4]]]);
    expect(finding.subject).toEqual({ client: HOST.ip, asked: ASKED.ip, answerer: PEER.ip });
    expect(await pings(new Capture(), 1).findings(only)).toEqual([]);
  });

  it('keeps silent where the asked address replies too', async () => {
    const capture = pings(new Capture(), 3);
    echo(capture.at(4), HOST, ASKED, { sequence: 4 });
    echo(capture.at(4.01), ASKED, HOST, { sequence: 4, reply: true });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent where several reply: the address is a group', async () => {
    const capture = new Capture();
    for (const sequence of [1, 2, 3]) {
      echo(capture.at(sequence), HOST, ASKED, { sequence });
      for (const from of [PEER, THIRD]) echo(capture.at(sequence + 0.01), from, HOST, { sequence, reply: true });
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent where the request goes on to who replies, on the same wire', async () => {
    const capture = new Capture();
    for (const sequence of [1, 2, 3]) {
      echo(capture.at(sequence), HOST, ASKED, { sequence });
      echo(capture.at(sequence + 0.001), HOST, PEER, { sequence });
      echo(capture.at(sequence + 0.01), PEER, HOST, { sequence, reply: true });
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('is certain of two DNS queries that another server answers', async () => {
    expect(inShort(await queries(new Capture(), 2).findings(only))).toEqual([
      ['ip/reply-from-wrong-address', 'certain', [1, 2, 3, 4]],
    ]);
    expect(await queries(new Capture(), 1).findings(only)).toEqual([]);
  });

  it('keeps silent of a query that was sent to both servers', async () => {
    const capture = new Capture();
    for (const id of [1, 2, 3]) {
      for (const server of [PEER, ASKED]) dns(capture.at(id), HOST, server, false, { id });
      dns(capture.at(id + 0.01), PEER, HOST, true, { id });
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('takes back what a right answer excuses', async () => {
    const capture = queries(new Capture(), 2);
    dns(dns(capture.at(3), HOST, ASKED, false, { id: 3 }).at(3.01), ASKED, HOST, true, { id: 3 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('counts an answer once, and late ones and others not', async () => {
    const copied = dns(queries(new Capture(), 1).at(1.0101), PEER, HOST, true, { id: 1 });
    expect(await copied.findings(only)).toEqual([]);
    const late = new Capture();
    for (const id of [10, 20]) dns(dns(late.at(id), HOST, ASKED, false, { id }).at(id + 5.1), PEER, HOST, true, { id });
    expect(await late.findings(only)).toEqual([]);
    const others = new Capture();
    for (const id of [10, 20]) dns(dns(others.at(id), HOST, ASKED, false, { id }), PEER, HOST, true, { id: id + 1 });
    for (const id of [30, 40])
      dns(dns(others.at(id), HOST, ASKED, false, { id }), PEER, HOST, true, { id, port: 4001 });
    expect(await others.findings(only)).toEqual([]);
  });

  it('keeps silent of queries to a group', async () => {
    const group = { mac: '01:00:5e:00:00:fb', ip: '224.0.0.251' };
    const capture = new Capture();
    for (const id of [1, 2, 3]) dns(dns(capture.at(id), HOST, group, false, { id }), PEER, HOST, true, { id });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('tells VLANs apart, and speaks inside VXLAN', async () => {
    for (const way of [{ vlan: 10 }, { vni: 7 }]) {
      expect(await pings(new Capture(), 2, PEER, way).findings(only)).toHaveLength(1);
      expect(await queries(new Capture(), 2, way).findings(only)).toHaveLength(1);
    }
    const capture = new Capture();
    for (const id of [1, 2, 3]) {
      dns(capture.at(id), HOST, ASKED, false, { id, way: { vlan: 10 } });
      dns(capture.at(id + 0.01), PEER, HOST, true, { id, way: { vlan: 20 } });
    }
    expect(await capture.findings(only)).toEqual([]);
  });
});
