import { describe, expect, it } from 'vitest';
import { FAR, HOST, PEER } from '../../support/icmp.js';
import { ping } from '../../support/ping.js';
import { AWAY, type Machine, machine, ON_LINK, pings, SECOND } from '../../support/routed.js';
import { syns } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const find = (capture: Capture, how: Machine = {}) =>
  capture.findings({ select: ['ip/no-return-route'], context: machine(how) });
const through = (gateway: string) => ({ dst: 'default', gateway, dev: 'eth0' });

describe('ip/no-return-route', () => {
  it('is likely where requests arrive and no route leads back', async () => {
    const [finding] = await find(pings(PEER));
    expect(inShort([finding])).toEqual([['ip/no-return-route', 'likely', [1, 2, 3, 4]]]);
    expect(finding.remedy[1].commands).toEqual(['ip netns exec box ip route add default via <router> dev eth0']);
  });

  it('speaks about connections, and about a route that refuses', async () => {
    const capture = syns(new Capture(), 3, {}, 1, AWAY, PEER).at(30).ask(HOST.mac, HOST.ip, '10.0.0.99');
    expect(inShort(await find(capture))).toEqual([['ip/no-return-route', 'likely', [1, 2, 3]]]);
    const refusing = { dst: '192.0.2.0/24', type: 'unreachable' };
    const [finding] = await find(pings(PEER), { routes: [...ON_LINK, through(HOST.ip), refusing] });
    expect(finding.remedy[1].commands).toEqual(['ip netns exec box ip route del unreachable 192.0.2.0/24']);
  });

  it.each([
    ['default', through(HOST.ip)],
    ['a prefix', { dst: '192.0.2.64/26', gateway: HOST.ip, dev: 'eth0' }],
    ['the host', { dst: AWAY.ip, gateway: HOST.ip, dev: 'eth0' }],
    ['several next hops', { dst: 'default', nexthops: [] }],
  ])('keeps still where a route leads back: %s', async (_, route) => {
    expect(await find(pings(PEER), { routes: [...ON_LINK, route] })).toEqual([]);
  });

  it('is not misled by routes for others, or of IPv6', async () => {
    const other = { dst: '192.0.2.128/25', gateway: HOST.ip, dev: 'eth0' };
    expect((await find(pings(PEER), { routes: [...ON_LINK, other, { dst: '::/0', dev: 'eth0' }] })).length).toBe(1);
  });

  it('keeps still where the routes are not known, or a VRF has more', async () => {
    expect(await find(pings(PEER), { routes: null })).toEqual([]);
    const vrf = { ifindex: 9, ifname: 'red', flags: ['UP'], linkinfo: { info_kind: 'vrf' } };
    expect(await find(pings(PEER), { devices: [vrf] })).toEqual([]);
  });

  it('keeps still about requests for others, and about answered ones', async () => {
    expect(await find(pings({ mac: PEER.mac, ip: FAR.ip }))).toEqual([]);
    expect(await find(pings({ mac: HOST.mac, ip: PEER.ip }))).toEqual([]);
    const answered = ping(new Capture(), 4, { from: AWAY, to: PEER, answered: () => true });
    expect(await find(answered.at(20).ask(HOST.mac, HOST.ip, '10.0.0.99'))).toEqual([]);
  });

  it('knows the machine by any of its addresses', async () => {
    expect((await find(pings({ mac: PEER.mac, ip: SECOND.ip }))).length).toBe(1);
  });

  it('keeps still without a host context', async () => {
    expect(await pings(PEER).findings({ select: ['ip/no-return-route'] })).toEqual([]);
  });
});
