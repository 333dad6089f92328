import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { arpRequest, BROADCAST, CookedCapture, HOST as HOST_TYPE, OTHER, OUTGOING } from '../../support/cooked.js';
import { FAR, HOST, type Host, PEER, ROUTER } from '../../support/icmp.js';
import { echo, error, ping } from '../../support/ping.js';
import { AWAY, type Machine, machine, machineFile, ON_LINK, pings, SECOND } from '../../support/routed.js';
import { synAck, syns } from '../../support/tcp.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, findingsOf, inShort, ip, mac, u16 } from '../../support/wire.js';

const OFF = { 'net.ipv4.ip_forward': '0' };
const BEYOND = { mac: PEER.mac, ip: '203.0.113.5' };
const find = (capture: Capture, { sysctl = OFF, ...more }: Machine = {}) =>
  capture.findings({ select: ['ip/not-forwarded'], context: machine({ sysctl, ...more }) });

/** An echo request in an Ethernet frame. */
function echoFrame(from: Host, to: Host, sequence: number): number[] {
  const bytes = [8, 0, 0, 0, 0, 7, ...u16(sequence), ...new Array(56).fill(0)];
  return [...mac(to.mac), ...mac(from.mac), 8, 0, ...ipv4(from.ip, to.ip, 1, bytes, { id: sequence })];
}

describe('ip/not-forwarded', () => {
  it('is certain where packets for others go to a machine with forwarding off', async () => {
    const [finding] = await find(pings(BEYOND, { from: HOST }));
    expect(inShort([finding])).toEqual([['ip/not-forwarded', 'certain', [1, 2, 3, 4]]]);
    // Files of the machine, which would have the machine itself forward, are not for its namespaces.
    expect(finding.remedy[0].commands).toEqual(['ip netns exec box sysctl -w net.ipv4.ip_forward=1']);
    expect(finding.subject.router).toBe('10.0.0.2 (eth0 in box)');
  });

  it('has the machine itself forward after a restart, too', async () => {
    const context = parseContext({ namespaces: { host: machineFile({ sysctl: OFF }) } });
    const [{ remedy }] = await pings(BEYOND, { from: HOST }).findings({ select: ['ip/not-forwarded'], context });
    expect(remedy[0].commands).toEqual([
      'sysctl -w net.ipv4.ip_forward=1',
      "echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-forward.conf",
    ]);
  });

  it('looks at the setting of the device first', async () => {
    const own = { ...OFF, 'net.ipv4.conf.eth0.forwarding': '1' };
    expect(await find(pings(BEYOND), { sysctl: own })).toEqual([]);
    const off = { 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.eth0.forwarding': '0' };
    const [finding] = await find(pings(BEYOND), { sysctl: off });
    // Setting 1 again for all changes nothing (kernel: devinet_sysctl_forward in net/ipv4/devinet.c).
    expect(finding.remedy[0].commands[0]).toBe('ip netns exec box sysctl -w net.ipv4.conf.eth0.forwarding=1');
  });

  it('keeps still where forwarding is on or not told', async () => {
    expect(await find(pings(BEYOND), { sysctl: { 'net.ipv4.ip_forward': '1' } })).toEqual([]);
    expect(await find(pings(BEYOND), { sysctl: {} })).toEqual([]);
  });

  it('keeps still about addresses of the machine, on whichever device, and about MACs of others', async () => {
    expect(await find(pings(PEER))).toEqual([]);
    expect(await find(pings({ mac: PEER.mac, ip: SECOND.ip }))).toEqual([]);
    expect(await find(pings(FAR))).toEqual([]);
  });

  it('keeps still about what is answered, refused or passed on', async () => {
    const answered = ping(new Capture(), 4, { from: HOST, to: BEYOND, answered: () => true }).at(20);
    expect(await find(answered.ask(HOST.mac, HOST.ip, PEER.ip))).toEqual([]);
    expect(await find(error(pings(BEYOND, { from: HOST }), PEER, HOST, BEYOND, { type: 3, code: 1 }))).toEqual([]);
    const on = new Capture();
    for (let sequence = 1; sequence < 5; sequence++) {
      echo(on.at(sequence), HOST, BEYOND, { sequence });
      echo(
        on.at(sequence + 0.01),
        { mac: PEER.mac, ip: HOST.ip },
        { mac: ROUTER.mac, ip: BEYOND.ip },
        { sequence, ttl: 63 },
      );
    }
    expect(await find(on.at(20).ask(HOST.mac, HOST.ip, PEER.ip))).toEqual([]);
  });

  it('keeps still where the requests go on to another address, and not where the sender pings that too', async () => {
    const inside = { mac: ROUTER.mac, ip: '192.0.2.80' };
    const both = (ttl: number) => {
      const capture = new Capture();
      for (let sequence = 1; sequence < 5; sequence++) {
        echo(capture.at(sequence), HOST, BEYOND, { sequence });
        echo(capture.at(sequence + 0.001), { mac: PEER.mac, ip: HOST.ip }, inside, { sequence, ttl });
      }
      return capture.at(20).ask(HOST.mac, HOST.ip, PEER.ip);
    };
    expect(await find(both(63))).toEqual([]);
    expect((await find(both(64))).length).toBe(1);
  });

  it('speaks about connections too, from the third SYN on', async () => {
    const wait = (capture: Capture) => capture.at(30).ask(HOST.mac, HOST.ip, '10.0.0.99');
    expect(inShort(await find(wait(syns(new Capture(), 3, {}, 1, HOST, BEYOND))))).toEqual([
      ['ip/not-forwarded', 'certain', [1, 2, 3]],
    ]);
    expect(await find(wait(syns(new Capture(), 2, {}, 1, HOST, BEYOND)))).toEqual([]);
    expect(await find(wait(synAck(syns(new Capture(), 3, {}, 1, HOST, BEYOND), {}, BEYOND, HOST)))).toEqual([]);
  });

  it('is one finding for all packets that end at a machine, in whichever VLAN', async () => {
    const capture = pings(BEYOND, { from: HOST });
    ping(capture, 4, { from: AWAY, to: BEYOND, at: 30, id: 8 });
    expect((await find(capture.at(60).ask(HOST.mac, HOST.ip, '10.0.0.99'))).map(({ count }) => count)).toEqual([8]);
    ping(capture, 4, { from: AWAY, to: BEYOND, at: 70, id: 9, way: { vlan: 5 } });
    expect((await find(capture.at(90).ask(HOST.mac, HOST.ip, '10.0.0.99'))).map(({ count }) => count)).toEqual([12]);
  });

  it('names the blackhole route that takes them on a machine that forwards', async () => {
    const sysctl = { 'net.ipv4.ip_forward': '1' };
    const lost = { dst: '203.0.113.0/26', type: 'blackhole' };
    const upstream = { dst: 'default', gateway: HOST.ip, dev: 'eth0' };
    const [finding] = await find(pings(BEYOND), { sysctl, routes: [...ON_LINK, upstream, lost] });
    expect(inShort([finding])).toEqual([['ip/not-forwarded', 'certain', [1, 2, 3, 4]]]);
    expect(finding.title).toContain('is a blackhole');
    expect(finding.remedy[1].commands[0]).toContain(`ip netns exec box ip route add ${BEYOND.ip} dev`);
    const narrow = { dst: BEYOND.ip, gateway: HOST.ip, dev: 'eth0' };
    expect(await find(pings(BEYOND), { sysctl, routes: [...ON_LINK, lost, narrow] })).toEqual([]);
    // It answers with an ICMP error.
    const loud = { dst: '203.0.113.0/26', type: 'unreachable' };
    expect(await find(pings(BEYOND), { sysctl, routes: [...ON_LINK, loud] })).toEqual([]);
  });

  it('knows the device that packets come in at in a capture of all, from its number there', async () => {
    const options = { select: ['ip/not-forwarded'], context: machine({ sysctl: OFF }) };
    const vantage = { namespace: 'box', interface: 'any' };
    const told = async (type: number, more: object, to = BEYOND.ip) => {
      const capture = new CookedCapture();
      for (let sequence = 1; sequence < 5; sequence++)
        capture.frame(sequence, 2, type, echoFrame(HOST, { mac: BEYOND.mac, ip: to }, sequence));
      capture.frame(20, 2, BROADCAST, arpRequest(HOST.mac, 'ff:ff:ff:ff:ff:ff', ip(HOST.ip), ip('10.0.0.99')));
      return inShort(await findingsOf(capture.file(), { ...options, ...more }));
    };
    expect(await told(HOST_TYPE, { vantage })).toEqual([['ip/not-forwarded', 'certain', [1, 2, 3, 4]]]);
    // Nothing says on which machine: no frame left it.
    expect(await told(HOST_TYPE, {})).toEqual([]);
    // A bridge, or a promiscuous device, sees what is for others.
    expect(await told(OTHER, { vantage })).toEqual([]);
    // A ping to all is for nobody to pass on.
    expect(await told(BROADCAST, { vantage }, '10.0.0.255')).toEqual([]);
  });

  it('explains the pings and the connections', async () => {
    const capture = syns(pings(BEYOND, { from: HOST }), 3, {}, 30, HOST, BEYOND).at(60);
    const [finding] = await capture
      .ask(HOST.mac, HOST.ip, '10.0.0.99')
      .findings({ context: machine({ sysctl: OFF }), select: ['ip/*', 'icmp/*', 'tcp/*'] });
    expect(finding.rule).toBe('ip/not-forwarded');
    expect(finding.explains.map(({ rule }) => rule).sort()).toEqual(['icmp/echo-unanswered', 'tcp/syn-unanswered']);
  });

  it('is a hint in a capture of all devices, until the machine says by ICMP that it looks for the target', async () => {
    const seen = (code: number | null) => {
      const capture = new CookedCapture();
      const request = arpRequest(HOST.mac, 'ff:ff:ff:ff:ff:ff', ip(HOST.ip), ip(PEER.ip));
      const reply = arpRequest(PEER.mac, HOST.mac, ip(PEER.ip), ip(HOST.ip));
      reply[21] = 2;
      capture.frame(0.1, 2, BROADCAST, request).frame(0.11, 2, OUTGOING, reply);
      const syn = [...u16(40000), ...u16(80), 0, 0, 0, 9, 0, 0, 0, 0, 0x50, 2, 1, 0, 0, 0, 0, 0];
      const packet = ipv4(HOST.ip, BEYOND.ip, 6, syn);
      const back = [...mac(HOST.mac), ...mac(PEER.mac), 8, 0];
      for (const second of [1, 2, 4])
        capture.frame(second, 2, HOST_TYPE, [...mac(PEER.mac), ...mac(HOST.mac), 8, 0, ...packet]);
      const quoted = [3, code ?? 0, 0, 0, 0, 0, 0, 0, ...packet.slice(0, 28)];
      if (code !== null) capture.frame(4.1, 2, OUTGOING, [...back, ...ipv4(PEER.ip, HOST.ip, 1, quoted)]);
      capture.frame(20, 2, BROADCAST, request).frame(20.1, 2, OUTGOING, reply);
      return findingsOf(capture.file(), { select: ['ip/not-forwarded', 'icmp/unreachable'] });
    };
    const said = async (code: number | null) =>
      (await seen(code)).map(({ rule, confidence }) => `${rule} ${confidence}`);
    expect(await said(null)).toEqual(['ip/not-forwarded hint']);
    for (const code of [0, 1]) expect(await said(code)).toEqual(['icmp/unreachable certain']);
  });

  it('needs a context in a capture of one device', async () => {
    const capture = pings(BEYOND, { from: HOST, way: { direction: 'in' } });
    expect(await capture.findings({ select: ['ip/not-forwarded'] })).toEqual([]);
  });
});
