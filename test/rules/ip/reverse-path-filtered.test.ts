import { describe, expect, it } from 'vitest';
import { arpRequest, CookedCapture, HOST as FOR_HOST, OUTGOING } from '../../support/cooked.js';
import { FAR, HOST, PEER } from '../../support/icmp.js';
import { AWAY, type Machine, machine, ON_LINK, pings, SECOND } from '../../support/routed.js';
import { ACK, SYN, syns } from '../../support/tcp.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, findingsOf, inShort, ip, mac, u16 } from '../../support/wire.js';

const rp = (all: string, eth0: string) => ({
  'net.ipv4.conf.all.rp_filter': all,
  'net.ipv4.conf.eth0.rp_filter': eth0,
});
/** The way back leads through eth1; requests come in at eth0. */
const AROUND = [...ON_LINK, { dst: 'default', gateway: '198.51.100.1', dev: 'eth1' }];
const find = (capture: Capture, { sysctl = rp('1', '0'), routes = AROUND, ...more }: Machine = {}) =>
  capture.findings({ select: ['ip/reverse-path-filtered'], context: machine({ sysctl, routes, ...more }) });

describe('ip/reverse-path-filtered', () => {
  it('is likely where the way back leads through another device and the larger rp_filter is 1', async () => {
    const [finding] = await find(pings(PEER));
    expect(inShort([finding])).toEqual([['ip/reverse-path-filtered', 'likely', [1, 2, 3, 4]]]);
    expect(finding.remedy[1].commands).toEqual(['ip netns exec box sysctl -w net.ipv4.conf.eth0.rp_filter=2']);
    expect((await find(pings(PEER), { sysctl: rp('0', '1') })).length).toBe(1);
  });

  it.each([
    ['off', '0', '0'],
    ['loose for all', '2', '1'],
    ['loose on the device', '1', '2'],
  ])('keeps still where rp_filter is %s', async (_, all, own) => {
    expect(await find(pings(PEER), { sysctl: rp(all, own) })).toEqual([]);
  });

  it('finds the settings of a device with a dot in its name', async () => {
    const vlan = { ifindex: 4, ifname: 'eth0.5', flags: ['UP'], address: '02:00:00:00:05:05' };
    const devices = [{ ...vlan, addr_info: [{ local: '10.5.0.2', prefixlen: 24 }] }];
    const to = { mac: vlan.address, ip: '10.5.0.2' };
    const sysctl = (own: string) => ({
      'net.ipv4.conf.all.rp_filter': '0',
      'net.ipv4.conf.eth0/5.rp_filter': own,
    });
    const [finding] = await find(pings(to), { devices, sysctl: sysctl('1') });
    expect(finding.remedy[1].commands).toEqual(['ip netns exec box sysctl -w net.ipv4.conf.eth0/5.rp_filter=2']);
    expect(await find(pings(to), { devices, sysctl: sysctl('0') })).toEqual([]);
  });

  it('keeps still where a setting is not told', async () => {
    expect(await find(pings(PEER), { sysctl: { 'net.ipv4.conf.all.rp_filter': '1' } })).toEqual([]);
  });

  it('keeps still where the way back is the device itself, or one of two such', async () => {
    const same = { dst: '192.0.2.0/24', gateway: HOST.ip, dev: 'eth0' };
    expect(await find(pings(PEER), { routes: [...AROUND, same] })).toEqual([]);
    expect(await find(pings(PEER), { routes: [...AROUND, same, { ...same, dev: 'eth1' }] })).toEqual([]);
  });

  it('leaves it to ip/no-return-route where no route leads back', async () => {
    expect(await find(pings(PEER), { routes: ON_LINK })).toEqual([]);
  });

  it('speaks about packets to be forwarded, unless forwarding is off', async () => {
    const beyond = { mac: PEER.mac, ip: FAR.ip };
    expect((await find(pings(beyond), { sysctl: { ...rp('1', '1'), 'net.ipv4.ip_forward': '1' } })).length).toBe(1);
    expect(await find(pings(beyond), { sysctl: { ...rp('1', '1'), 'net.ipv4.ip_forward': '0' } })).toEqual([]);
  });

  it('speaks about connections', async () => {
    const capture = syns(new Capture(), 3, {}, 1, AWAY, PEER).at(30).ask(HOST.mac, HOST.ip, '10.0.0.99');
    expect(inShort(await find(capture))).toEqual([['ip/reverse-path-filtered', 'likely', [1, 2, 3]]]);
  });

  it('speaks about answers that come in where the requests did not leave', async () => {
    const [ETH0, ETH1] = [2, 3];
    const asked = async (routes: object[], back = ETH0) => {
      const capture = new CookedCapture();
      const broadcast = 'ff:ff:ff:ff:ff:ff';
      capture.frame(0.5, ETH0, OUTGOING, arpRequest(PEER.mac, broadcast, ip(PEER.ip), ip(HOST.ip)));
      const send = (time: number, device: number, type: number, from: string, to: string, flags: number) => {
        const ports = flags === SYN ? [...u16(40000), ...u16(80)] : [...u16(80), ...u16(40000)];
        const numbers = flags === SYN ? [0, 0, 0, 100, 0, 0, 0, 0] : [0, 0, 0, 0, 0, 0, 0, 101];
        const packet = ipv4(from, to, 6, [...ports, ...numbers, 0x50, flags, 1, 0, 0, 0, 0, 0]);
        const sender = type === OUTGOING ? SECOND.mac : HOST.mac;
        capture.frame(time, device, type, [...mac(broadcast), ...mac(sender), 8, 0, ...packet]);
      };
      for (const second of [1, 2, 4, 8]) {
        send(second, ETH1, OUTGOING, PEER.ip, FAR.ip, SYN);
        send(second + 0.01, back, FOR_HOST, FAR.ip, PEER.ip, SYN | ACK);
      }
      capture.frame(20, ETH0, OUTGOING, arpRequest(PEER.mac, broadcast, ip(PEER.ip), ip(HOST.ip)));
      const context = machine({ sysctl: rp('1', '0'), routes });
      const select = ['ip/reverse-path-filtered', 'tcp/syn-unanswered', 'tcp/synack-repeated'];
      return findingsOf(capture.file(), { select, context });
    };
    const [finding, ...others] = await asked(AROUND);
    expect(inShort([finding])).toEqual([['ip/reverse-path-filtered', 'likely', [2, 3, 4, 5, 6, 7, 8, 9]]]);
    expect(finding.explains.map(({ rule }) => rule).sort()).toEqual(['tcp/syn-unanswered', 'tcp/synack-repeated']);
    expect(others).toEqual([]);
    const same = [...ON_LINK, { dst: 'default', gateway: HOST.ip, dev: 'eth0' }];
    expect((await asked(same)).map(({ rule }) => rule)).toEqual(['tcp/synack-repeated']);
    expect((await asked(AROUND, ETH1)).map(({ rule }) => rule)).toEqual(['tcp/synack-repeated']);
  });

  it('keeps still where two devices have the MAC and one is the way back', async () => {
    const shared = { ifindex: 4, ifname: 'eth0.5', flags: ['UP'], address: PEER.mac, addr_info: [] };
    const back = { dst: '192.0.2.0/24', gateway: HOST.ip, dev: 'eth0.5' };
    expect(await find(pings(PEER), { devices: [shared], routes: [...AROUND, back] })).toEqual([]);
  });

  it('keeps still without a host context', async () => {
    expect(await pings(PEER).findings({ select: ['ip/reverse-path-filtered'] })).toEqual([]);
  });
});
