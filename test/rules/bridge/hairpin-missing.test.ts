import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { CookedCapture, HOST, OUTGOING } from '../../support/cooked.js';
import { error } from '../../support/ping.js';
import { field, ruleset } from '../../support/router.js';
import { tcp as segment } from '../../support/tcp.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, findingsOf, inShort, mac, u16, type Way } from '../../support/wire.js';

const only = { select: ['bridge/hairpin-missing'] };
const C = '02:00:00:00:00:01';
const R = '02:00:00:00:00:02';
const S = '02:00:00:00:00:03';
const CLIENT = '10.0.0.1';
const SERVICE = '198.51.100.1';
const SERVER = '10.0.0.3';
const [SYN, RST, SYN_ACK] = [2, 4, 18];

interface Segment {
  from: string;
  to: string;
  source: string;
  destination: string;
  ports: [number, number];
  flags: number;
  sequence?: number;
  acknowledgment?: number;
}

function tcp(capture: Capture, each: Segment, way?: Way): Capture {
  const { ports, flags, sequence = 0, acknowledgment = 0, ...rest } = each;
  const words = [...ports.flatMap(u16), 0, 0, ...u16(sequence), 0, 0, ...u16(acknowledgment)];
  return capture.ipv4({ ...rest, protocol: 6, payload: [...words, 0x50, flags, 1, 0, 0, 0, 0, 0] }, way);
}

const asks = { from: C, to: R, source: CLIENT, destination: SERVICE };
const syn = (capture: Capture, way?: Way) =>
  tcp(capture, { ...asks, ports: [5000, 80], flags: SYN, sequence: 100 }, way);
const strange = (capture: Capture, acknowledgment = 101, way?: Way) =>
  tcp(
    capture,
    {
      from: S,
      to: C,
      source: SERVER,
      destination: CLIENT,
      ports: [80, 5000],
      flags: SYN_ACK,
      acknowledgment,
    },
    way,
  );
const rst = (capture: Capture, way?: Way) =>
  tcp(
    capture,
    { from: C, to: S, source: CLIENT, destination: SERVER, ports: [5000, 80], flags: RST, sequence: 101 },
    way,
  );
const itself = { from: R, to: C, source: CLIENT, destination: CLIENT };
const own = (capture: Capture) => tcp(capture, { ...itself, ports: [5000, 80], flags: SYN, sequence: 100 });

describe('bridge/hairpin-missing', () => {
  it('is certain of two resets of answers from an address that was not asked', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 2; i++) rst(strange(syn(capture.at(i))));
    const findings = await capture.findings(only);
    expect(inShort(findings)).toEqual([['bridge/hairpin-missing', 'certain', [1, 2, 3, 4, 5, 6]]]);
    expect(findings[0].subject).toEqual({ client: CLIENT, service: SERVICE, server: SERVER });
  });

  it('takes in what a router says of the resets', async () => {
    const capture = new Capture();
    const payload = [...u16(5000), ...u16(80), 0, 0, 0, 101];
    for (let i = 1; i <= 2; i++) {
      rst(strange(syn(capture.at(i))));
      const [router, client, server] = [R, C, S].map((each, n) => ({
        mac: each,
        ip: ['10.0.0.254', CLIENT, SERVER][n],
      }));
      error(capture.at(i + 0.01), router, client, server, { type: 3, code: 0, protocol: 6, payload });
    }
    const findings = await capture.findings({ select: [...only.select, 'icmp/unreachable'] });
    expect(findings.map(({ rule }) => rule)).toEqual(['bridge/hairpin-missing']);
    expect(findings[0].explains.map(({ rule }) => rule)).toContain('icmp/unreachable');
  });

  describe('at the server', () => {
    const handedOn = (capture: Capture, from = R, ttl = 63) =>
      segment(capture, { mac: from, ip: CLIENT }, { mac: S, ip: SERVER }, SYN, { sport: 5000, seq: 100, ttl });

    it('is likely where the client resets answers to SYNs that another machine hands on, again and again', async () => {
      const capture = new Capture();
      for (let i = 1; i <= 2; i++) rst(strange(handedOn(capture.at(i))));
      expect(inShort(await capture.findings(only))).toEqual([['bridge/hairpin-missing', 'likely', [1, 3, 4, 6]]]);
    });

    it('keeps still where the SYNs come from the client itself, or do not come again', async () => {
      const direct = new Capture();
      for (let i = 1; i <= 2; i++) rst(strange(handedOn(direct.at(i), C)));
      expect(await direct.findings(only)).toEqual([]);
      // Nobody took a hop from their TTL: another machine has the client's address.
      const doubled = new Capture();
      for (let i = 1; i <= 2; i++) rst(strange(handedOn(doubled.at(i), R, 64)));
      expect(await doubled.findings(only)).toEqual([]);
      const once = new Capture();
      handedOn(once);
      for (let i = 1; i <= 2; i++) rst(strange(once.at(i)));
      expect(await once.findings(only)).toEqual([]);
    });
  });

  const passed = { from: R, to: S, source: CLIENT, destination: SERVER };
  const neighbors = (capture: Capture) =>
    capture.ask(C, CLIENT, '10.0.0.254').answer(R, '10.0.0.254', C, CLIENT).answer(S, SERVER, R, '10.0.0.254');
  /** At the NAT host: the SYN and what it becomes, `apart` seconds later again. */
  function atNat(capture: Capture, times: number, apart = 1, way?: Way): Capture {
    for (let i = 0; i < times; i++) {
      syn(capture.at(1 + i * apart), way);
      tcp(capture.at(1.0001 + i * apart), { ...passed, ports: [5000, 8080], flags: SYN, sequence: 100 }, way);
    }
    return capture;
  }

  it('is likely at the NAT host, where the SYN goes on to a neighbour of the client and comes again', async () => {
    const findings = await atNat(neighbors(new Capture()), 2).findings(only);
    expect(inShort(findings)).toEqual([['bridge/hairpin-missing', 'likely', [4, 5, 6, 7]]]);
    expect(findings[0].subject).toEqual({ client: CLIENT, service: SERVICE, server: SERVER });
  });

  it('keeps still at the NAT host after one SYN, one seen twice, an answer, or where the two are no neighbours', async () => {
    expect(await atNat(neighbors(new Capture()), 1).findings(only)).toEqual([]);
    expect(await atNat(neighbors(new Capture()), 2, 0.001).findings(only)).toEqual([]);
    expect(await atNat(new Capture(), 2).findings(only)).toEqual([]);
    const answered = strange(atNat(neighbors(new Capture()), 2).at(4));
    tcp(answered, {
      from: R,
      to: C,
      source: SERVICE,
      destination: CLIENT,
      ports: [80, 5000],
      flags: SYN_ACK,
      acknowledgment: 101,
    });
    expect(await answered.findings(only)).toEqual([]);
  });

  it('keeps still after one reset, without resets, and about answers to other SYNs', async () => {
    expect(await rst(strange(syn(new Capture()))).findings(only)).toEqual([]);
    const silent = new Capture();
    for (let i = 1; i <= 3; i++) strange(syn(silent.at(i)));
    expect(await silent.findings(only)).toEqual([]);
    const other = new Capture();
    for (let i = 1; i <= 3; i++) rst(strange(syn(other.at(i)), 999));
    expect(await other.findings(only)).toEqual([]);
  });

  it('keeps still when the service that was asked answers too', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 2; i++) rst(strange(syn(capture.at(i))));
    tcp(capture, {
      from: R,
      to: C,
      source: SERVICE,
      destination: CLIENT,
      ports: [80, 5000],
      flags: SYN_ACK,
      acknowledgment: 101,
    });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('does not mix two VLANs', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 2; i++) rst(strange(syn(capture.at(i), { vlan: 1 }), 101, { vlan: 2 }), { vlan: 2 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('speaks inside VXLAN', async () => {
    const way = { vni: 7 };
    const capture = new Capture();
    for (let i = 1; i <= 2; i++) rst(strange(syn(capture.at(i), way), 101, way), way);
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['certain']);
  });

  it('tells a SYN that comes back to its sender', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 2; i++) own(syn(capture.at(i)));
    expect(inShort(await capture.findings(only))).toEqual([['bridge/hairpin-missing', 'likely', [1, 2, 3, 4]]]);
    const alone = own(own(new Capture()).at(1));
    expect(inShort(await alone.findings(only))).toEqual([['bridge/hairpin-missing', 'hint', [1, 2]]]);
    expect(await own(syn(new Capture())).findings(only)).toEqual([]);
  });

  it('names the router at the other end of the cable of a container that is routed to, and no bridge port', async () => {
    const up = { flags: ['UP', 'LOWER_UP'], linkinfo: { info_kind: 'veth' } };
    const pod = { ...up, ifindex: 2, ifname: 'eth0', link_index: 9, link_netnsid: 0, address: C };
    const cali = { ...up, ifindex: 9, ifname: 'cali1', link_index: 2, link_netnsid: 0, address: 'ee:ee:ee:ee:ee:ee' };
    const context = (master: object, nft?: object) =>
      parseContext({
        namespaces: {
          pod: {
            'ip -d -j link': [pod],
            'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ local: CLIENT, prefixlen: 32 }] }],
            'ip -j netns list-id': [{ nsid: 0, name: 'node' }],
          },
          node: {
            'ip -d -j link': [
              { ...cali, ...master },
              { ...up, ifindex: 8, ifname: 'br0', address: '02:00:00:00:00:08', linkinfo: { info_kind: 'bridge' } },
            ],
            'ip -j netns list-id': [{ nsid: 0, name: 'pod' }],
            ...(nft ? { 'nft -j list ruleset': nft } : {}),
          },
        },
      });
    const said = async (master: object, nft?: object) => {
      const capture = new Capture();
      for (let i = 1; i <= 2; i++) own(syn(capture.at(i)));
      const [finding] = await capture.findings({ ...only, context: context(master, nft) });
      return finding?.remedy.flatMap(({ commands }) => commands) ?? null;
    };
    const masquerade = `ip netns exec node iptables -t nat -I POSTROUTING -s ${CLIENT} -d ${CLIENT} -j MASQUERADE`;
    expect(await said({})).toEqual([masquerade]);
    const port = { info_kind: 'veth', info_slave_kind: 'bridge' };
    const bridged = await said({ master: 'br0', linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' } });
    expect(bridged).toContain('ip netns exec node bridge link set dev cali1 hairpin on');
    // Hairpin is on: what is missing is the address.
    expect(await said({ master: 'br0', linkinfo: { ...port, info_slave_data: { hairpin: true } } })).toEqual([
      masquerade,
    ]);
    // Hairpin is on and the rule is there: something else drops the SYN.
    const post = { type: 'nat', hook: 'postrouting' };
    const rule = (to: string) => ruleset(post, [field('saddr', CLIENT), field('daddr', to), { masquerade: null }]);
    const on = (hairpin: boolean) => ({ master: 'br0', linkinfo: { ...port, info_slave_data: { hairpin } } });
    expect(await said({}, rule(CLIENT))).toBeNull();
    expect(await said(on(true), rule(CLIENT))).toBeNull();
    expect(await said(on(false), rule(CLIENT))).not.toBeNull();
    expect(await said({}, rule('10.9.9.9'))).toEqual([masquerade]);
  });

  it('puts together what -i any shows of it at the device of the client and at the bridge', async () => {
    const [PORT, BRIDGE] = [5, 3];
    const seen = (loopback = false, isAnswered = false) => {
      const capture = new CookedCapture();
      const frame = (
        time: number,
        device: number,
        type: number,
        to: string,
        ports: number[],
        flags: number,
        back = false,
      ) => {
        const [source, target] = back ? [to, CLIENT] : [CLIENT, to];
        const words = [...ports.flatMap(u16), 0, 0, 0, back ? 0 : 100, 0, 0, 0, back ? 101 : 0];
        const packet = ipv4(source, target, 6, [...words, 0x50, flags, 1, 0, 0, 0, 0, 0]);
        const hardware = loopback ? '00:00:00:00:00:00' : C;
        capture.frame(time, device, type, [...mac(R), ...mac(hardware), 8, 0, ...packet]);
      };
      for (let i = 1; i <= 2; i++) {
        frame(i, PORT, HOST, SERVICE, [5000, 80], SYN);
        for (const type of [OUTGOING, HOST]) frame(i + 0.00001, BRIDGE, type, CLIENT, [5000, 8080], SYN);
      }
      if (isAnswered) frame(2.1, PORT, OUTGOING, SERVICE, [80, 5000], SYN_ACK, true);
      const file = capture.file();
      // ARPHRD_ type of each record: 40 bytes of IP and TCP behind 20 cooked ones.
      if (loopback) for (let at = 24 + 16; at < file.length; at += 16 + 60) file.writeUInt16BE(772, at + 8);
      return findingsOf(file, { select: ['bridge/hairpin-missing', 'tcp/syn-unanswered'] });
    };
    const findings = await seen();
    expect(inShort(findings)).toEqual([['bridge/hairpin-missing', 'likely', [1, 2, 5]]]);
    expect(findings[0].count).toBe(2);
    expect(findings[0].subject).toEqual({ client: CLIENT, service: SERVICE, server: CLIENT });
    expect(await seen(false, true)).toEqual([]);
    expect((await seen(true)).filter(({ rule }) => rule === 'bridge/hairpin-missing')).toEqual([]);
  });

  it('keeps still when a SYN-ACK follows it', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 2; i++) own(syn(capture.at(i)));
    tcp(capture, { ...itself, ports: [80, 5000], flags: SYN_ACK, acknowledgment: 101 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about the loopback device', async () => {
    const zero = '00:00:00:00:00:00';
    const capture = new Capture();
    const looped = { from: zero, to: zero, source: CLIENT, destination: CLIENT };
    for (let i = 1; i <= 3; i++) tcp(capture.at(i), { ...looped, ports: [5000, 80], flags: SYN, sequence: 100 });
    expect(await capture.findings(only)).toEqual([]);
  });
});
