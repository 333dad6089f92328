import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import type { Host } from '../../support/icmp.js';
import { ping } from '../../support/ping.js';
import { synAck, syns } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

const A: Host = { mac: '02:00:00:00:00:01', ip: '10.0.0.1' };
const B: Host = { mac: '02:00:00:00:00:02', ip: '10.0.0.2' };
const GONE = '02:00:00:00:00:99';
const AT_GONE: Host = { mac: GONE, ip: B.ip };

interface How {
  state?: string;
  /** MACs of the new holder, and of one more pod, on the bridge. */
  home?: string;
  third?: string;
  /** The bridge that the new holder is on. */
  bridge?: string;
  up?: boolean;
  /** Whether the one more pod is up, and the port of the new holder. */
  thirdUp?: boolean;
  portUp?: boolean;
}

/** Pods behind veths of a node, on its bridges, as CNI makes them. */
function contextOf({
  state = 'REACHABLE',
  home = B.mac,
  third = '02:00:00:00:00:03',
  bridge = 'cni0',
  up = true,
  thirdUp = true,
  portUp = true,
}: How) {
  const flags = (isUp = true) => ({ flags: isUp ? ['UP', 'LOWER_UP'] : [] });
  const pod = (nr: number, address: string, local: string, isUp = true) => ({
    'ip -d -j link': [
      {
        ...flags(isUp),
        ifindex: 2,
        ifname: 'eth0',
        address,
        link_index: 10 + nr,
        link_netnsid: 0,
        linkinfo: { info_kind: 'veth' },
      },
    ],
    'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local, prefixlen: 24 }] }],
    'ip -j route': [{ dst: '10.0.0.0/24', dev: 'eth0', prefsrc: local }],
    'ip -j netns list-id': [{ nsid: 0, name: 'node' }],
    'ip -j neigh': nr === 1 ? [{ dst: B.ip, dev: 'eth0', lladdr: GONE, state: [state] }] : [],
  });
  const port = (nr: number, master: string, isUp = true) => ({
    ...flags(isUp),
    ifindex: 10 + nr,
    ifname: `veth${nr}`,
    address: `02:00:00:00:01:0${nr}`,
    link_index: 2,
    link_netnsid: nr,
    master,
    linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
  });
  const of = (ifname: string, ifindex: number) => ({
    ...flags(),
    ifindex,
    ifname,
    address: `02:00:00:00:02:0${ifindex}`,
    linkinfo: { info_kind: 'bridge' },
  });
  return parseContext({
    namespaces: {
      node: {
        'ip -d -j link': [of('cni0', 3), of('cni1', 4), port(1, 'cni0'), port(2, bridge, portUp), port(3, 'cni0')],
        'ip -j netns list-id': [1, 2, 3].map((nsid) => ({ nsid, name: `pod${nsid}` })),
      },
      pod1: pod(1, A.mac, A.ip),
      pod2: pod(2, home, B.ip, up),
      pod3: pod(3, third, '10.0.0.3', thirdUp),
    },
  });
}

const lost = (capture = new Capture()) =>
  ping(capture, 4, { from: A, to: AT_GONE, answered: () => false })
    .at(20)
    .ask(A.mac, A.ip, '10.0.0.99');
const find = (capture: Capture, how: How = {}) => capture.findings({ context: contextOf(how) });
const said = async (capture: Capture, how: How = {}) =>
  (await find(capture, how)).map(({ rule, confidence }) => `${rule} ${confidence}`);
const TOLD = 'arp/stale-after-move likely';

describe('arp/stale-after-move by an entry that ARP found', () => {
  it('is likely where another pod on the bridge has the address now, and nobody the MAC, and takes the lost pings in', async () => {
    const [finding, ...others] = await find(lost());
    expect(others).toEqual([]);
    expect(finding.confidence).toBe('likely');
    expect(finding.title).toBe(`eth0 in pod1 still has ${B.ip} at ${GONE}, and eth0 in pod2 has that address now`);
    expect(finding.subject).toEqual({ ip: B.ip, mac: GONE, newMac: B.mac, sender: A.ip });
    expect(finding.remedy.flatMap(({ commands }) => commands)).toEqual([
      'ip netns exec pod2 arping -c 3 -U -I eth0 10.0.0.2',
      'ip netns exec pod1 ip neigh show 10.0.0.2',
      'ip netns exec pod1 ip neigh del 10.0.0.2 dev eth0',
    ]);
  });

  it('speaks about connections, also of a MAC that was heard before', async () => {
    const spoke = ping(new Capture(), 1, { from: A, to: AT_GONE });
    expect(await said(syns(spoke, 3, {}, 10, A, AT_GONE).at(30).ask(A.mac, A.ip, '10.0.0.99'))).toEqual([TOLD]);
  });

  it('is told where the pod that had the address is still there and down: to set it up cures nothing', async () => {
    const [finding, ...others] = await find(lost(), { third: GONE, thirdUp: false });
    expect(others).toEqual([]);
    expect(finding.title).toBe(`eth0 in pod1 still has ${B.ip} at ${GONE}, and eth0 in pod2 has that address now`);
    expect(finding.summary).toContain('belongs to eth0 in pod3, which is down');
  });

  it('keeps still where the holder itself is cut off', async () => {
    const findings = await said(lost(), { home: GONE, portUp: false });
    expect(findings).toEqual(['ip/not-forwarded certain']);
  });

  it('keeps still where the entry is right, somebody has the MAC, or the new holder is elsewhere or down', async () => {
    for (const how of [{ home: GONE }, { third: GONE }, { bridge: 'cni1' }, { up: false }])
      expect((await said(lost(), how)).join()).not.toContain('stale');
  });

  it('keeps still where connections come up, and leaves to the capture what that shows itself', async () => {
    const fine = synAck(syns(new Capture(), 3, {}, 1, A, AT_GONE).at(4), {}, AT_GONE, A);
    expect((await said(fine.at(30).ask(A.mac, A.ip, '10.0.0.99'))).join()).not.toContain('stale');
    const moved = lost(new Capture().ask(GONE, B.ip, A.ip).at(0.5).ask(B.mac, B.ip, A.ip));
    const [finding, ...others] = (await find(moved)).filter(({ rule }) => rule === 'arp/stale-after-move');
    expect(others).toEqual([]);
    expect(finding.title).toBe(`${B.ip} is at ${B.mac} now, and ${A.ip} still sends to ${GONE}`);
  });
});
