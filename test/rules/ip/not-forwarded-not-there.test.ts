import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { HOST, PEER } from '../../support/icmp.js';
import { ping } from '../../support/ping.js';
import { AWAY, machineFile, pings } from '../../support/routed.js';
import { syns } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const OFF = { 'net.ipv4.ip_forward': '0' };
/** An address that the neighbours take to be at eth0 of `box`. */
const LOST = { mac: PEER.mac, ip: '10.0.0.66' };

/** `box`, and another machine with what it knows of its neighbours. */
function context({ lladdr = PEER.mac, flags = ['UP'], sysctl = {} as object, elsewhere = false } = {}) {
  const box = machineFile({ sysctl: { ...OFF, ...sysctl } }) as { 'ip -d -j link': { ifname: string }[] };
  const link = box['ip -d -j link'].map((each) => (each.ifname === 'eth0' ? { ...each, flags } : each));
  const holder = { ifindex: 7, ifname: 'eth0', flags: ['UP'], address: '02:00:00:00:07:07' };
  const asker = {
    'ip -j neigh': [{ dst: LOST.ip, dev: 'eth0', lladdr, state: ['PERMANENT'] }],
    ...(elsewhere
      ? {
          'ip -d -j link': [holder],
          'ip -j addr': [{ ...holder, addr_info: [{ local: LOST.ip, prefixlen: 24 }] }],
        }
      : {}),
  };
  return parseContext({ namespaces: { box: { ...box, 'ip -d -j link': link }, asker } });
}
const only = { select: ['ip/not-forwarded'] };

describe('ip/not-forwarded of machines that lack the address, or are cut off', () => {
  it('says that the machine that is taken for the target lacks its address', async () => {
    const [finding] = await pings(LOST, { from: HOST }).findings({ ...only, context: context() });
    expect(inShort([finding])).toEqual([['ip/not-forwarded', 'certain', [1, 2, 3, 4]]]);
    expect(finding.title).toContain('eth0 in box does not have 10.0.0.66');
    expect(finding.remedy[1].commands).toEqual(['ip netns exec box ip addr add 10.0.0.66/24 dev eth0']);
    expect(finding.remedy.flatMap(({ commands }) => commands).join()).not.toContain('ip_forward');
  });

  it('knows it by ARP, too', async () => {
    const capture = ping(new Capture().answer(PEER.mac, LOST.ip, HOST.mac, HOST.ip).at(1), 4, { from: HOST, to: LOST });
    const [finding] = await capture
      .at(20)
      .ask(HOST.mac, HOST.ip, '10.0.0.99')
      .findings({
        ...only,
        context: context({ lladdr: '02:00:00:00:09:09' }),
      });
    expect(finding.title).toContain('does not have 10.0.0.66');
  });

  it('says that two machines have the MAC where ARP from it goes on to name the target', async () => {
    const said = async (at: number) => {
      const capture = ping(new Capture().answer(PEER.mac, LOST.ip, HOST.mac, HOST.ip).at(1), 4, {
        from: HOST,
        to: LOST,
      });
      capture.at(at).ask(PEER.mac, LOST.ip, '10.0.0.98').at(20).ask(HOST.mac, HOST.ip, '10.0.0.99');
      return capture.findings({ ...only, context: context() });
    };
    const [finding] = await said(9);
    expect(finding).toMatchObject({ confidence: 'likely' });
    expect(finding.title).toContain('eth0 in box has the MAC of 10.0.0.66, which is another machine');
    expect(finding.remedy[0].commands.join()).not.toContain('addr add');
  });

  it('takes the machine for a router where nobody has its MAC for the target, or it answers ARP for others', async () => {
    for (const how of [{ lladdr: '02:00:00:00:09:09' }, { sysctl: { 'net.ipv4.conf.eth0.proxy_arp': '1' } }]) {
      const [finding] = await pings(LOST, { from: HOST }).findings({ ...only, context: context(how) });
      expect(finding.title).toContain('does not forward');
    }
  });

  it('leaves it to others where another machine has the address: the entry is wrong', async () => {
    const findings = await pings(LOST, { from: HOST }).findings({ ...only, context: context({ elsewhere: true }) });
    expect(findings).toEqual([]);
  });

  it('says that the device is down which packets go to, whoever they are for', async () => {
    for (const to of [LOST, PEER, { mac: PEER.mac, ip: '203.0.113.5' }]) {
      const [finding] = await pings(to, { from: HOST }).findings({ ...only, context: context({ flags: [] }) });
      expect(finding).toMatchObject({ rule: 'ip/not-forwarded', confidence: 'certain' });
      expect(finding.title).toContain('eth0 in box is down');
      expect(finding.remedy[0].commands).toEqual(['ip netns exec box ip link set eth0 up']);
    }
  });

  it('keeps still of a device that is down now, where packets came in there or are answered', async () => {
    const down = { ...only, context: context({ flags: [] }) };
    const vantage = { namespace: 'box', interface: 'eth0' };
    expect(await pings(PEER, { from: HOST }).findings({ ...down, vantage })).toEqual([]);
    expect(await pings(PEER, { from: HOST, way: { direction: 'in' } }).findings(down)).toEqual([]);
    const answered = ping(new Capture(), 4, { from: HOST, to: PEER, answered: () => true }).at(20);
    expect(await answered.ask(HOST.mac, HOST.ip, '10.0.0.99').findings(down)).toEqual([]);
  });

  it('keeps still of a gateway that is down where the sender goes by a standby now', async () => {
    const gateway = { dst: '10.0.0.254', dev: 'eth0', state: ['REACHABLE'] };
    const eth0 = { ifindex: 7, ifname: 'eth0', flags: ['UP'] };
    const said = async (lladdr: string) => {
      const box = machineFile() as { 'ip -d -j link': { ifname: string }[] };
      const link = box['ip -d -j link'].map((each) => (each.ifname === 'eth0' ? { ...each, flags: [] } : each));
      const asker = {
        'ip -d -j link': [{ ...eth0, address: HOST.mac }],
        'ip -j addr': [{ ...eth0, addr_info: [{ local: HOST.ip, prefixlen: 24 }] }],
        'ip -j route': [{ dst: 'default', gateway: gateway.dst, dev: 'eth0' }],
        'ip -j neigh': [{ ...gateway, lladdr }],
      };
      const standby = { 'ip -d -j link': [{ ...eth0, address: '02:00:00:00:08:08' }] };
      const context = parseContext({ namespaces: { box: { ...box, 'ip -d -j link': link }, asker, standby } });
      return pings({ mac: PEER.mac, ip: '203.0.113.5' }, { from: HOST }).findings({ ...only, context });
    };
    expect(await said('02:00:00:00:08:08')).toEqual([]);
    expect(await said(PEER.mac)).toHaveLength(1);
  });

  it('is likely where the device was heard', async () => {
    const capture = syns(new Capture().ask(PEER.mac, PEER.ip, '10.0.0.98').at(1), 3, {}, 1, AWAY, PEER);
    const context_ = context({ flags: [] });
    const [finding] = await capture
      .at(30)
      .ask(HOST.mac, HOST.ip, '10.0.0.99')
      .findings({ ...only, context: context_ });
    expect(finding).toMatchObject({ confidence: 'likely' });
  });
});
