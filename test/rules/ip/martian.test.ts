import { describe, expect, it } from 'vitest';
import { FAR, HOST, type Host, PEER, packet, ROUTER } from '../../support/icmp.js';
import { error } from '../../support/ping.js';
import { machine } from '../../support/routed.js';
import { ACK, SYN } from '../../support/tcp.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, inShort, mac, u16, type Way } from '../../support/wire.js';

const only = { select: ['ip/martian'] };
const NONE = '00:00:00:00:00:00';

interface How {
  ttl?: number;
  protocol?: number;
  payload?: readonly number[];
  from?: string;
  way?: Way;
  capture?: Capture;
}

function sent(source: string, destination: string, how: How = {}): Capture {
  const { ttl = 64, protocol = 253, payload = [], from = HOST.mac, way, capture = new Capture() } = how;
  const bytes = ipv4(source, destination, protocol, payload);
  bytes[8] = ttl;
  return packet(capture, { mac: from, ip: '' } as Host, PEER, bytes, way);
}

const udp = (from: number, to: number) => ({ protocol: 17, payload: [...u16(from), ...u16(to), 0, 8, 0, 0] });

function sent6(source: readonly number[], destination: readonly number[]): Capture {
  const header = [0x60, 0, 0, 0, 0, 0, 59, 64, ...source, ...destination];
  return new Capture().raw([...mac(PEER.mac), ...mac(HOST.mac), 0x86, 0xdd, ...header]);
}
const v6 = (first: number, last: number) => [first, ...new Array(14).fill(0), last];

describe('ip/martian', () => {
  it('speaks of requests in the name of a loopback address, which nobody answers', async () => {
    const asked = (from: string) => {
      const capture = new Capture();
      for (let i = 0; i < 3; i++) capture.at(i).ask(HOST.mac, from, PEER.ip);
      return capture
        .at(9)
        .ask(PEER.mac, PEER.ip, '10.0.0.99')
        .findings({ select: ['ip/martian', 'arp/unanswered'] });
    };
    const [finding, ...others] = await asked('127.0.0.1');
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['ip/martian', 'certain', [1, 2, 3]]]);
    expect(finding.remedy[0].commands).toEqual(['iptables -t nat -A POSTROUTING -s 127.0.0.0/8 ! -o lo -j MASQUERADE']);
    expect((await asked(HOST.ip)).map(({ rule }) => rule)).toEqual(['arp/unanswered']);
  });

  it.each([
    ['127.0.0.1', '10.0.0.2', 'loopback'],
    ['127.9.9.9', '10.0.0.2', 'loopback'],
    ['10.0.0.1', '127.0.0.1', 'loopback'],
    ['224.0.0.5', '10.0.0.2', 'group'],
    ['239.1.2.3', '10.0.0.2', 'group'],
    ['255.255.255.255', '10.0.0.2', 'group'],
    ['0.0.0.0', '10.0.0.2', 'no host'],
    ['0.1.2.3', '10.0.0.2', 'no host'],
  ])('is certain about %s > %s', async (source, destination, word) => {
    const [finding] = await sent(source, destination).findings(only);
    expect(inShort([finding])).toEqual([['ip/martian', 'certain', [1]]]);
    expect(finding.title).toContain(word);
  });

  it.each([
    ['10.0.0.1', '224.0.0.5'],
    ['0.0.0.0', '255.255.255.255'],
    ['0.0.0.0', '224.0.0.22'],
    ['240.0.0.1', '10.0.0.2'],
    ['223.255.255.255', '10.0.0.2'],
    ['128.0.0.1', '126.255.255.255'],
    ['169.253.0.1', '10.0.0.2'],
  ])('keeps still about %s > %s', async (source, destination) => {
    expect(await sent(source, destination, { ttl: 63 }).findings(only)).toEqual([]);
  });

  it('lets DHCP clients without an address write to one server', async () => {
    expect(await sent('0.0.0.0', '10.0.0.2', udp(68, 67)).findings(only)).toEqual([]);
    expect((await sent('0.0.0.0', '10.0.0.2', udp(68, 69)).findings(only)).length).toBe(0);
    expect((await sent('0.0.0.0', '10.0.0.2', udp(5000, 69)).findings(only)).length).toBe(1);
  });

  it('is likely about link-local addresses whose TTL says that they were forwarded', async () => {
    const confidence = async (source: string, ttl: number) =>
      (await sent(source, '10.0.0.2', { ttl }).findings(only)).map((finding) => finding.confidence);
    expect(await confidence('169.254.7.7', 63)).toEqual(['likely']);
    for (const ttl of [255, 128, 64, 32, 1]) expect(await confidence('169.254.7.7', ttl)).toEqual([]);
    for (const service of ['169.254.169.254', '169.254.169.250', '169.254.170.2', '169.254.25.10', '169.254.0.2'])
      expect(await confidence(service, 63)).toEqual([]);
    expect(await sent('169.254.7.7', '169.254.169.254', { ttl: 63 }).findings(only)).toEqual([]);
  });

  it('lets routers tell errors from link-local addresses', async () => {
    const hop = { mac: ROUTER.mac, ip: '169.254.7.7' };
    const capture = (ttl: number) => error(new Capture(), hop, HOST, FAR, { type: 11, code: 0, protocol: 17, ttl });
    expect(await capture(62).findings(only)).toEqual([]);
  });

  it('looks at IPv6: loopback and multicast sources', async () => {
    const host = v6(0x20, 2);
    const told = async (capture: Capture) => (await capture.findings(only)).map(({ subject }) => subject.source);
    expect(await told(sent6(v6(0, 1), host))).toEqual(['::1']);
    expect(await told(sent6(host, v6(0, 1)))).toEqual(['2000::2']);
    expect(await told(sent6(v6(0xff, 5), host))).toEqual(['ff00::5']);
    // Duplicate address detection has the unspecified address as source.
    expect(await told(sent6(v6(0, 0), v6(0xff, 1)))).toEqual([]);
    expect(await told(sent6(host, v6(0xff, 1)))).toEqual([]);
  });

  it('keeps still on loopback devices', async () => {
    expect(await sent('127.0.0.1', '127.0.0.1', { from: NONE }).findings(only)).toEqual([]);
  });

  it('keeps still about answers for a loopback address, which a bridge of the asker translated back', async () => {
    const flags = (bits: number) => ({
      protocol: 6,
      payload: [...u16(80), ...u16(51840), ...new Array(8).fill(0), 0x50, bits, 0, 0, 0, 0, 0, 0],
    });
    const told = async (how: How) => (await sent('172.17.0.2', '127.0.0.1', how).findings(only)).length;
    expect(await told(flags(SYN | ACK))).toBe(0);
    expect(await told(flags(SYN))).toBe(1);
    expect(await told(udp(53, 40000))).toBe(0);
    expect(await told(udp(40000, 53))).toBe(1);
    expect(await told({ protocol: 1, payload: [0, 0, 0, 0, 0, 7, 0, 1] })).toBe(0);
    expect(await told({ protocol: 1, payload: [8, 0, 0, 0, 0, 7, 0, 1] })).toBe(1);
  });

  it('is one finding for a kind of address, and one in each segment', async () => {
    const capture = new Capture();
    for (let i = 0; i < 5; i++) sent('127.0.0.1', `10.0.0.${i + 2}`, { capture: capture.at(i) });
    expect((await capture.findings(only)).map(({ count }) => count)).toEqual([5]);
    sent('127.0.0.1', '10.0.0.2', { capture, way: { vlan: 5 } });
    sent('127.0.0.1', '10.0.0.2', { capture, way: { vni: 5 } });
    sent('224.0.0.1', '10.0.0.2', { capture });
    expect((await capture.findings(only)).length).toBe(4);
  });

  it('only hints where many stations send them: a capture with rewritten addresses', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 4; i++) sent('127.0.0.1', '10.0.0.2', { capture, from: `02:00:00:00:07:0${i}` });
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['certain']);
    sent('127.0.0.1', '10.0.0.2', { capture, from: '02:00:00:00:07:05' });
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['hint']);
  });

  it('names the sender where the host context knows it', async () => {
    const capture = sent('127.0.0.1', '10.0.0.1', { from: PEER.mac });
    const [finding] = await capture.findings({ ...only, context: machine() });
    expect(finding.title).toBe('eth0 in box sends packets from the loopback address 127.0.0.1');
  });
});
