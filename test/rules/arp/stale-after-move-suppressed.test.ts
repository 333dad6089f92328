import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import type { Host } from '../../support/icmp.js';
import { ping } from '../../support/ping.js';
import { synAck, syns } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const A: Host = { mac: '02:00:00:00:00:01', ip: '10.0.0.1' };
const B: Host = { mac: '02:00:00:00:00:02', ip: '10.0.0.2' };
const OLD = '02:00:00:00:00:99';
const AT_OLD: Host = { mac: OLD, ip: B.ip };

interface How {
  suppress?: boolean;
  /** MAC that the bridge has for the target, null: the context shows none. */
  entry?: string | null;
  /** MAC behind the tunnel. */
  behind?: string;
  home?: string;
  /** Who else has the old MAC, and whether it forwards. */
  other?: { mac: string; forwards: string } | null;
}

/** A behind p-a of a bridge whose other port is a tunnel to the host of B. */
function contextOf({ suppress = true, entry = OLD, behind = OLD, home = B.mac, other = null }: How = {}) {
  const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
  const cable = { linkinfo: { info_kind: 'veth' } };
  const holding = (ifindex: number, local: string) => [
    { ifindex, ifname: 'eth0', addr_info: [{ family: 'inet', local, prefixlen: 24 }] },
  ];
  const host = (address: string, local: string) => ({
    'ip -d -j link': [{ ...up, ifindex: 2, ifname: 'eth0', address }],
    'ip -j addr': holding(2, local),
  });
  return parseContext({
    namespaces: {
      a: {
        'ip -d -j link': [
          { ...up, ...cable, ifindex: 2, ifname: 'eth0', address: A.mac, link_index: 3, link_netnsid: 0 },
        ],
        'ip -j addr': holding(2, A.ip),
      },
      v: {
        'ip -d -j link': [
          { ...up, ifindex: 1, ifname: 'br0', linkinfo: { info_kind: 'bridge' } },
          { ...up, ...cable, ifindex: 3, ifname: 'p-a', master: 'br0', link_index: 2, link_netnsid: 1 },
          { ...up, ifindex: 4, ifname: 'vx0', master: 'br0', linkinfo: { info_kind: 'vxlan', info_data: { id: 5 } } },
        ],
        'bridge -d -j link': [
          { ifindex: 3, ifname: 'p-a', master: 'br0', neigh_suppress: false },
          { ifindex: 4, ifname: 'vx0', master: 'br0', neigh_suppress: suppress },
        ],
        'bridge -j fdb': [{ mac: behind, ifname: 'vx0', flags: [], master: 'br0', state: 'static' }],
        'ip -j neigh': entry ? [{ dst: B.ip, dev: 'br0', lladdr: entry, state: ['PERMANENT'] }] : [],
      },
      b: host(home, B.ip),
      ...(other ? { c: { ...host(OLD, '10.0.0.3'), sysctl: { 'net.ipv4.ip_forward': other.forwards } } } : {}),
    },
  });
}

/** A asks, is told the old MAC, and pings there. */
const lost = (answered = true) => {
  const capture = new Capture().ask(A.mac, A.ip, B.ip);
  if (answered) capture.at(0.001).answer(OLD, B.ip, A.mac, A.ip);
  return ping(capture.at(0.01), 4, { from: A, to: AT_OLD, answered: () => false })
    .at(20)
    .ask(A.mac, A.ip, A.ip);
};
const said = async (how: How = {}, capture = lost()) =>
  (await capture.findings({ select: ['arp/stale-after-move'], context: contextOf(how) })).map(
    ({ confidence }) => confidence,
  );

describe('arp/stale-after-move by a bridge that answers for others', () => {
  it('is certain where the bridge has the wrong MAC, names it, and takes the pings in', async () => {
    const [finding, ...others] = await lost().findings({ context: contextOf() });
    expect(others).toEqual([]);
    expect(inShort([finding])[0].slice(0, 2)).toEqual(['arp/stale-after-move', 'certain']);
    expect(finding.title).toBe(`br0 in v answers for 10.0.0.2 with ${OLD}, which is at ${B.mac}`);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['icmp/echo-unanswered']);
    expect(finding.remedy[1].commands).toEqual([
      'ip netns exec v ip neigh del 10.0.0.2 dev br0',
      'ip netns exec a ip neigh flush to 10.0.0.2',
    ]);
  });

  it('speaks about connections', async () => {
    const capture = () => syns(new Capture(), 3, {}, 1, A, AT_OLD);
    expect(await said({}, capture().at(30).ask(A.mac, A.ip, A.ip))).toEqual(['certain']);
    expect(await said({}, synAck(capture().at(3.5), {}, AT_OLD, A).at(30).ask(A.mac, A.ip, A.ip))).toEqual([]);
  });

  it('is likely by the answer in the capture, where the entry is not in the context', async () => {
    expect(await said({ entry: null })).toEqual(['likely']);
    expect(await said({ entry: null }, lost(false))).toEqual([]);
  });

  it.each([
    ['the bridge leaves answering to the hosts', { suppress: false }],
    ['the MAC is not behind such a port', { behind: B.mac }],
    ['the host has that MAC', { home: OLD }],
    ['a machine has the MAC that may pass packets on', { other: { mac: OLD, forwards: '1' } }],
  ])('keeps still where %s', async (_, how) => {
    expect(await said(how)).toEqual([]);
  });

  it('keeps still where packets come from that MAC', async () => {
    const capture = lost().at(21).ipv4({ from: OLD, to: A.mac, source: B.ip, destination: A.ip });
    expect(await said({}, ping(capture.at(22), 2, { from: A, to: AT_OLD, answered: () => false }))).toEqual([]);
  });
});
