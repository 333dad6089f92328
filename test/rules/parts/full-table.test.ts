import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { HOST, PEER } from '../../support/icmp.js';
import { ping } from '../../support/ping.js';
import { machine, pings } from '../../support/routed.js';
import { syns } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

const tracking = (count: number, max: number) => ({
  'net.netfilter.nf_conntrack_count': String(count),
  'net.netfilter.nf_conntrack_max': String(max),
});
const BEYOND = { mac: PEER.mac, ip: '203.0.113.5' };

/** What is said of pings through a router in this state. */
const through = (count: number, max: number, forward = '1') =>
  pings(BEYOND, { from: HOST }).findings({
    select: ['ip/not-forwarded'],
    context: machine({ sysctl: { 'net.ipv4.ip_forward': forward, ...tracking(count, max) } }),
  });

describe('connection tracking that has no room', () => {
  it('takes what goes through a router, for certain where it is full when asked', async () => {
    const [finding] = await through(262144, 262144);
    expect(finding.confidence).toBe('certain');
    expect(finding.title).toContain('has no room for new connections');
    expect(finding.remedy[0].commands[0]).toBe('sysctl -w net.netfilter.nf_conntrack_max=1048576');
    expect(finding.context).toEqual(['box: nf_conntrack_count 262144, nf_conntrack_max 262144']);
    expect((await through(260000, 262144)).map(({ confidence }) => confidence)).toEqual(['likely']);
  });

  it('has room below that, or no limit', async () => {
    expect(await through(250000, 262144)).toEqual([]);
    expect(await through(5, 0)).toEqual([]);
  });

  it('is not why a machine that does not forward passes nothing on', async () => {
    const [{ title }] = await through(262144, 262144, '0');
    expect(title).toContain('does not forward');
  });

  it('takes what is asked of the machine itself: pings and SYNs', async () => {
    const device = { ifindex: 2, ifname: 'eth0', link_type: 'ether', flags: ['UP'], address: PEER.mac };
    const own = { ...device, addr_info: [{ local: PEER.ip, prefixlen: 24 }] };
    const said = async (capture: Capture, count: number) => {
      const context = parseContext({
        namespaces: { b: { 'ip -d -j link': [device], 'ip -j addr': [own], sysctl: tracking(count, 100) } },
      });
      const [{ confidence, title }] = await capture.findings({
        select: ['icmp/echo-unanswered', 'tcp/syn-unanswered'],
        context,
      });
      return [confidence, title.split(': ')[1]];
    };
    const full = ['certain', 'the connection tracking of eth0 in b is full'];
    expect(await said(ping(new Capture(), 3, { to: PEER }), 100)).toEqual(full);
    expect(await said(syns(new Capture(), 3), 100)).toEqual(full);
    expect((await said(syns(new Capture(), 3), 50))[1]).toBe('its SYNs are lost or ignored');
    expect((await said(ping(new Capture(), 3, { to: PEER }), 50))[1]).toBeUndefined();
  });
});
