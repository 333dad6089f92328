import { describe, expect, it } from 'vitest';
import { HOST, type Host, PEER, packet, ROUTER } from '../../support/icmp.js';
import { echo, error } from '../../support/ping.js';
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

const RADIUS = 1812;

interface Datagram {
  port?: number;
  server?: number;
  way?: Way | undefined;
}

/** UDP from a client to a server, or back. */
function udp(
  capture: Capture,
  from: Host,
  to: Host,
  isAnswer: boolean,
  { port = 4000, server = RADIUS, way }: Datagram = {},
): Capture {
  const ports = isAnswer ? [...u16(server), ...u16(port)] : [...u16(port), ...u16(server)];
  return packet(capture, from, to, ipv4(from.ip, to.ip, 17, [...ports, ...u16(12), 0, 0, 1, 2, 3, 4]), way);
}

/** HOST says that no socket takes what `from` sent. */
function refuses(
  capture: Capture,
  from: Host,
  { port = 4000, server = RADIUS, way }: Datagram = {},
  by = HOST,
  code = 3,
): Capture {
  const payload = [...u16(server), ...u16(port), ...u16(12), 0, 0];
  return error(capture, { ...by, mac: by.mac }, from, HOST, { type: 3, code, protocol: 17, payload, way });
}

/** Questions to `asked` that `from` answers and HOST refuses, `times` times. */
function rounds(times: number, from: Host = PEER, more: Datagram = {}, capture = new Capture()): Capture {
  for (let i = 1; i <= times; i++) {
    udp(capture.at(i), HOST, ASKED, false, more);
    udp(capture.at(i + 0.01), from, HOST, true, more);
    refuses(capture.at(i + 0.0101), from, more);
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

  it('keeps silent where the machine that was asked answers, and nobody minds: a bridge whose frames pass NAT', async () => {
    const elsewhere = { mac: ASKED.mac, ip: PEER.ip };
    expect(await queries(new Capture(), 4, undefined, elsewhere).findings(only)).toEqual([]);
    // Asked once more with the same numbers, by the same port: the answer was not taken.
    const again = dns(queries(new Capture(), 2, undefined, elsewhere).at(2.5), HOST, ASKED, false, { id: 2 });
    expect(await again.findings(only)).toHaveLength(1);
    const elsewhereAgain = dns(queries(new Capture(), 2, undefined, elsewhere).at(2.5), HOST, THIRD, false, { id: 2 });
    expect(await elsewhereAgain.findings(only)).toEqual([]);
    // Refused: the socket waits for the address that was asked.
    const refused = queries(new Capture(), 2, undefined, elsewhere).at(2.0101);
    expect(await refuses(refused, elsewhere, { server: 53 }).findings(only)).toHaveLength(1);
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

  it('is certain of answers over UDP that the asker refuses', async () => {
    const [finding] = await rounds(3).findings(only);
    expect(inShort([finding])).toEqual([['ip/reply-from-wrong-address', 'certain', [3, 4, 5, 6, 7, 8, 9]]]);
    expect(finding).toMatchObject({
      count: 3,
      subject: { client: HOST.ip, asked: ASKED.ip, answerer: PEER.ip },
    });
    expect(finding.remedy.flatMap(({ commands }) => commands)).toContain("ss -ulnp 'sport = :1812'");
    const symptom = { select: ['ip/reply-from-wrong-address', 'icmp/unreachable'] };
    const [{ explains }, ...others] = await rounds(3).findings(symptom);
    expect(explains.map(({ rule }) => rule)).toEqual(['icmp/unreachable']);
    expect(others).toEqual([]);
    // Of two, one is seen as a whole: before the first refusal nobody looks.
    expect((await rounds(2).findings(only)).map(({ confidence }) => confidence)).toEqual(['likely']);
    expect(await rounds(1).findings(only)).toEqual([]);
  });

  it('follows a program that asks from another port each time', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 4; i++) rounds(1, PEER, { port: 4000 + i }, capture.at(i));
    expect((await capture.findings(only)).map(({ confidence, count }) => [confidence, count])).toEqual([
      ['certain', 4],
    ]);
  });

  it('keeps silent where the program takes the answers', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 4; i++) udp(udp(capture.at(i), HOST, ASKED, false).at(i + 0.01), PEER, HOST, true);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent where the asked address answers as well', async () => {
    const capture = rounds(3);
    udp(udp(capture.at(5), HOST, ASKED, false).at(5.01), ASKED, HOST, true);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent of a port that asks several servers: late answers, and programs that look for peers', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 4; i++) {
      udp(capture.at(i), HOST, PEER, false);
      udp(capture.at(i + 0.1), HOST, ASKED, false);
      udp(capture.at(i + 0.5), PEER, HOST, true);
      refuses(capture.at(i + 0.5001), PEER);
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent of a peer that speaks before a program begins, while it runs and after it ended', async () => {
    const own = { port: RADIUS };
    const capture = new Capture();
    refuses(udp(capture.at(0.5), PEER, HOST, true, own).at(0.5001), PEER, own);
    for (let i = 1; i <= 8; i++) {
      if (i <= 4) udp(capture.at(i), HOST, ASKED, false, own);
      udp(capture.at(i + 0.5), PEER, HOST, true, own);
      if (i > 4) refuses(capture.at(i + 0.5001), PEER, own);
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('takes one answer for each question', async () => {
    const capture = rounds(1);
    udp(capture.at(2), HOST, ASKED, false);
    for (const at of [2.01, 2.5, 3]) refuses(udp(capture.at(at), PEER, HOST, true).at(at + 0.0001), PEER);
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['likely']);
  });

  it('keeps silent of what comes after the patience, is refused late, by another machine, or for another reason', async () => {
    const told = async (answer: number, refusal: number, by = HOST, code = 3) => {
      const capture = new Capture();
      for (let i = 10; i <= 40; i += 10) {
        udp(capture.at(i), HOST, ASKED, false);
        udp(capture.at(i + answer), PEER, HOST, true);
        refuses(capture.at(i + answer + refusal), PEER, {}, by, code);
      }
      return (await capture.findings(only)).length;
    };
    expect(await told(0.1, 0.0001)).toBe(1);
    expect(await told(5.1, 0.0001)).toBe(0);
    expect(await told(0.1, 1.1)).toBe(0);
    expect(await told(0.1, 0.0001, { mac: ROUTER.mac, ip: '10.0.0.254' })).toBe(0);
    expect(await told(0.1, 0.0001, HOST, 13)).toBe(0);
  });

  it('keeps other ports of the answerer apart: TFTP answers from one of its own', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 4; i++) {
      udp(capture.at(i), HOST, ASKED, false, { server: 69 });
      udp(capture.at(i + 0.01), PEER, HOST, true, { server: 50000 + i });
      refuses(capture.at(i + 0.0101), PEER, { server: 50000 + i });
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps refused answers in VLANs apart, and looks into VXLAN', async () => {
    const capture = rounds(3, PEER, { way: { vlan: 10 } });
    rounds(3, PEER, { way: { vni: 5 } }, capture);
    expect((await capture.findings(only)).map(({ segment: { vlans, vnis } }) => ({ vlans, vnis }))).toEqual([
      { vlans: [10], vnis: [] },
      { vlans: [], vnis: [5] },
    ]);
    const mixed = new Capture();
    for (let i = 1; i <= 4; i++) {
      udp(mixed.at(i), HOST, ASKED, false, { way: { vlan: 10 } });
      udp(mixed.at(i + 0.01), PEER, HOST, true, { way: { vlan: 20 } });
      refuses(mixed.at(i + 0.0101), PEER, { way: { vlan: 20 } });
    }
    expect(await mixed.findings(only)).toEqual([]);
  });
});
