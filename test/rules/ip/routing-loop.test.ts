import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { FAR, HOST, type Host, PEER, packet, ROUTER } from '../../support/icmp.js';
import { echo, error } from '../../support/ping.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const only = { select: ['ip/routing-loop'] };
/** Two routers on one link. */
const A = ROUTER.mac;
const B = '02:00:00:00:00:fd';
const C = '02:00:00:00:00:fc';

interface Hop {
  from: string;
  to: string;
  ttl: number;
}

/** One datagram from HOST to FAR as it passes hop by hop, 10 ms apart. */
function pass(hops: readonly Hop[], { capture = new Capture(), id = 9, way = {} as Way, step = 0.01, at = 0 } = {}) {
  hops.forEach(({ from, to, ttl }, i) => {
    const bytes = ipv4(HOST.ip, FAR.ip, 253, [1, 2, 3, 4, 5, 6, 7, 8], { id });
    bytes[8] = ttl;
    packet(capture.at(at + i * step), { mac: from, ip: '' } as Host, { mac: to, ip: '' } as Host, bytes, way);
  });
  return capture;
}

const there = (ttl: number): Hop => ({ from: A, to: B, ttl });
const back = (ttl: number): Hop => ({ from: B, to: A, ttl });

describe('ip/routing-loop', () => {
  it('speaks at the third sighting, when a router sends the datagram again', async () => {
    const [finding] = await pass([there(63), back(62), there(61)]).findings(only);
    expect(inShort([finding])).toEqual([['ip/routing-loop', 'certain', [1, 2, 3]]]);
    expect(finding.count).toBe(1);
    expect(await pass([there(63), back(62)]).findings(only)).toEqual([]);
  });

  it('says by the host context which of the two is wrong', async () => {
    const router = (mac: string, ip: string, routes: object[], more: object[] = []) => {
      const link = {
        ifindex: 2,
        ifname: 'wan',
        flags: ['UP'],
        address: mac,
        addr_info: [{ local: ip, prefixlen: 24 }],
      };
      return { 'ip -d -j link': [link, ...more], 'ip -j addr': [link], 'ip -j route': routes };
    };
    const lan = {
      ifindex: 3,
      ifname: 'lan',
      flags: ['UP'],
      link_index: 2,
      link_netnsid: 0,
      linkinfo: { info_kind: 'veth' },
    };
    const a = router(A, '10.9.0.1', [{ dst: '192.0.2.0/24', gateway: '10.9.0.2', dev: 'wan' }]);
    const b = router(B, '10.9.0.2', [{ dst: 'default', gateway: '10.9.0.1', dev: 'wan' }], [lan]);
    const told = async (namespaces: object) => {
      const context = parseContext({ namespaces });
      const [{ remedy }] = await pass([there(63), back(62), there(61)]).findings({ ...only, context });
      return remedy.slice(1).map(({ commands }) => commands[0]);
    };
    expect(await told({ a, b })).toEqual([
      'ip netns exec b ip route add unreachable 192.0.2.0/24',
      `ip route replace <prefix of ${FAR.ip}> via <next hop>`,
    ]);
    expect((await told({ b }))[0]).toBe(`ip route add unreachable <prefix of ${FAR.ip}>`);
    // The host is wired to a device of the second, which lost the address that the host has for its gateway.
    const eth0 = {
      ifindex: 2,
      ifname: 'eth0',
      address: HOST.mac,
      link_index: 3,
      link_netnsid: 0,
      linkinfo: { info_kind: 'veth' },
    };
    const held = { ...eth0, addr_info: [{ local: FAR.ip, prefixlen: 24 }] };
    const routes = [{ dst: 'default', gateway: '192.0.2.1', dev: 'eth0' }];
    const far = { 'ip -d -j link': [eth0], 'ip -j addr': [held], 'ip -j route': routes };
    expect((await told({ a, b, far }))[0]).toBe('ip netns exec b ip addr add 192.0.2.1/24 dev lan');
  });

  it('is a note where it was short and pings are answered afterwards', async () => {
    const told = async (seconds: number, answered: boolean, until = 16) => {
      const capture = pass([there(63), back(62), there(61)]);
      pass([there(63), back(62), there(61)], { capture, id: 10, at: seconds });
      for (let sequence = 1; sequence <= until; sequence++) {
        echo(capture.at(seconds + sequence), HOST, FAR, { sequence });
        if (answered) echo(capture.at(seconds + sequence + 0.01), FAR, HOST, { sequence, reply: true });
      }
      return (
        await capture
          .at(seconds + 20)
          .ask(A, '10.0.0.8', '10.0.0.9')
          .findings(only)
      ).map(({ severity }) => severity);
    };
    expect(await told(1, true)).toEqual(['info']);
    expect(await told(1, false)).toEqual(['error']);
    expect(await told(11, true)).toEqual(['error']);
    expect(await told(1, true, 1)).toEqual(['error']);
  });

  it('speaks on the link that the sender is on too', async () => {
    const hops = [{ from: HOST.mac, to: A, ttl: 64 }, there(63), back(62), there(61)];
    expect(inShort(await pass(hops).findings(only))).toEqual([['ip/routing-loop', 'certain', [2, 3, 4]]]);
    expect(await pass(hops.slice(0, 3)).findings(only)).toEqual([]);
  });

  it('speaks where one way of the circle is seen', async () => {
    expect(inShort(await pass([there(63), there(61), there(59)]).findings(only))).toEqual([
      ['ip/routing-loop', 'certain', [1, 2, 3]],
    ]);
  });

  it('keeps still about one station that takes off one at a time: two devices with one MAC', async () => {
    expect(await pass([there(63), there(62), there(61)]).findings(only)).toEqual([]);
  });

  it('speaks about a circle of three', async () => {
    const hops = [63, 62, 61, 60, 59, 58].map((ttl, i) => ({ from: [A, B, C][i % 3], to: [B, C, A][i % 3], ttl }));
    expect(inShort(await pass(hops.slice(0, 3)).findings(only))).toEqual([]);
    expect((await pass(hops.slice(0, 4)).findings(only)).length).toBe(1);
  });

  it('is one finding for all datagrams between two routers, and says that there are others', async () => {
    const capture = pass([there(63), back(62), there(61)]);
    pass([there(63), back(62), there(61)], { capture, id: 10, at: 1 });
    const [finding, ...more] = await capture.findings(only);
    expect(more).toEqual([]);
    expect(finding.count).toBe(2);
  });

  it('keeps still about a datagram that is repeated, with the same TTL or a larger one', async () => {
    expect(await pass([there(63), back(63), there(63)], { step: 1 }).findings(only)).toEqual([]);
    expect(await pass([there(1), back(2), there(3)]).findings(only)).toEqual([]);
  });

  it('keeps still about datagrams with the same identification a while later', async () => {
    const hops = [there(63), back(62), there(61)];
    expect((await pass(hops, { step: 9.9 }).findings(only)).length).toBe(1);
    expect(await pass(hops, { step: 10.1 }).findings(only)).toEqual([]);
  });

  it('keeps still about different datagrams: traceroute and its like', async () => {
    const capture = new Capture();
    [63, 62, 61].forEach((ttl, i) => {
      pass([there(ttl)], { capture, id: i + 1, at: i });
    });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const capture = new Capture();
    [there(63), back(62), there(61)].forEach((hop, i) => {
      pass([hop], { capture, at: i, way: { vlan: i + 1 } });
    });
    expect(await capture.findings(only)).toEqual([]);
    const inside = pass([there(63), back(62), there(61)], { way: { vni: 5 } });
    expect((await inside.findings(only)).length).toBe(1);
  });

  it('looks at IPv6', async () => {
    const capture = new Capture();
    [there(63), back(62), there(61)].forEach(({ from, to, ttl }, i) => {
      const header = [0x60, 0, 0, 0, 0, 8, 59, ttl, ...address(1), ...address(2)];
      const macs = [to, from].flatMap((mac) => mac.split(':').map((byte) => Number.parseInt(byte, 16)));
      capture.at(i).raw([...macs, 0x86, 0xdd, ...header, 1, 2, 3, 4, 5, 6, 7, 8]);
    });
    const [finding] = await capture.findings(only);
    expect(finding.subject.destination).toBe('2001:db8::2');
  });

  it.each([
    ['the time exceeded', true, 'icmp/time-exceeded'],
    ['the ping without reply', false, 'icmp/echo-unanswered'],
  ])('explains %s, and names a router by its address', async (_, isTold, symptom) => {
    const capture = new Capture().ask(A, ROUTER.ip, PEER.ip);
    for (let i = 0; i < 12; i++) {
      const [from, to] = i % 2 === 0 ? [A, B] : [B, A];
      const sequence = Math.floor(i / 4);
      const ttl = 63 - (i % 4);
      const time = sequence + 1 + i / 1000;
      echo(capture.at(time), { mac: from, ip: HOST.ip }, { mac: to, ip: FAR.ip }, { sequence, ttl });
    }
    if (isTold) error(capture, ROUTER, HOST, FAR, { type: 11, code: 0 });
    const findings = await capture.at(10).answer(B, PEER.ip, A, ROUTER.ip).findings();
    expect(findings.map(({ rule }) => rule)).toEqual(['ip/routing-loop']);
    expect(findings[0].explains.map(({ rule }) => rule)).toEqual([symptom]);
    expect(findings[0].title).toContain(ROUTER.ip);
  });
});

function address(last: number): number[] {
  return [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
}
