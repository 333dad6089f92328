import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import type { Host } from '../../support/icmp.js';
import { ping } from '../../support/ping.js';
import { synAck, syns } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const A: Host = { mac: '02:00:00:00:00:01', ip: '10.0.0.1' };
const B: Host = { mac: '02:00:00:00:00:02', ip: '10.0.0.2' };
const DEAD = '02:00:00:00:00:99';
const AT_DEAD: Host = { mac: DEAD, ip: B.ip };
const FAR: Host = { mac: DEAD, ip: '192.0.2.9' };

const device = (ifindex: number, ifname: string, address: string, kind?: string) => ({
  ifindex,
  ifname,
  address,
  flags: ['UP'],
  ...(kind ? { linkinfo: { info_kind: kind, info_data: { id: 5 } } } : {}),
});
const holding = (link: object, ...ips: string[]) => ({
  ...link,
  addr_info: ips.map((local) => ({ family: 'inet', local, prefixlen: 24 })),
});
const ON_LINK = { dst: '10.0.0.0/24', dev: 'eth0', prefsrc: A.ip };

interface How {
  entry?: object | null;
  /** Whether the host context has the other machine, and with which MAC. */
  peer?: string | null;
  forwards?: boolean;
  /** Who has the MAC of the entry. */
  other?: string | null;
  routes?: object[];
  kind?: string;
  /** ipvlan: of the device with the entry. */
  mode?: string;
}

function contextOf({ entry = {}, peer = B.mac, forwards = false, other = null, routes = [], kind, mode }: How = {}) {
  const plain = device(2, 'eth0', A.mac, kind);
  const eth0 = mode ? { ...plain, linkinfo: { info_kind: kind, info_data: { mode } } } : plain;
  const neighbour = { dst: B.ip, dev: 'eth0', lladdr: DEAD, state: ['PERMANENT'], ...entry };
  const machine = (mac: string, ip: string) => ({
    'ip -d -j link': [device(2, 'eth0', mac)],
    'ip -j addr': [holding(device(2, 'eth0', mac), ip)],
    sysctl: { 'net.ipv4.ip_forward': forwards ? '1' : '0' },
  });
  return parseContext({
    namespaces: {
      a: {
        'ip -d -j link': [eth0],
        'ip -j addr': [holding(eth0, A.ip)],
        'ip -j route': [ON_LINK, ...routes],
        'ip -j neigh': entry === null ? [] : [neighbour],
      },
      ...(peer ? { b: machine(peer, B.ip) } : {}),
      ...(other ? { c: machine(other, '10.0.0.3') } : {}),
    },
  });
}

const lost = (to = AT_DEAD, capture = new Capture()) =>
  ping(capture, 4, { from: A, to, answered: () => false })
    .at(20)
    .ask(A.mac, A.ip, '10.0.0.99');
const find = (capture: Capture, how: How = {}) =>
  capture.findings({ select: ['arp/stale-after-move'], context: contextOf(how) });
const said = async (capture: Capture, how: How = {}) => (await find(capture, how)).map(({ confidence }) => confidence);

describe('arp/stale-after-move by a permanent entry', () => {
  it('is the same of an entry without ARP, as daemons of EVPN write, and not of what ARP found', async () => {
    const [finding] = await find(lost(), { entry: { state: ['NOARP'], extern_learn: null } });
    expect(finding.confidence).toBe('certain');
    expect(finding.title).toBe(`eth0 in a has an entry without ARP for ${B.ip} at ${DEAD}, which is at ${B.mac}`);
    expect(await said(lost(), { entry: { state: ['NOARP'], lladdr: B.mac } })).toEqual([]);
    for (const state of ['REACHABLE', 'STALE']) expect(await said(lost(), { entry: { state: [state] } })).toEqual([]);
  });

  it('is nothing where the device is an ipvlan child in l3: the kernel makes such entries there, and the host routes', async () => {
    const entry = { state: ['NOARP'] };
    for (const [mode, confidences] of [
      ['l3', []],
      ['l3s', []],
      ['l2', ['certain']],
    ] as const)
      expect(await said(lost(), { entry, kind: 'ipvlan', mode })).toEqual(confidences);
  });

  it('is certain where the host context shows who has the address, and takes the lost pings in', async () => {
    const [finding, ...others] = await lost().findings({ context: contextOf() });
    expect(others).toEqual([]);
    expect(inShort([finding])).toEqual([['arp/stale-after-move', 'certain', [1, 2, 3, 4]]]);
    expect(finding.remedy.flatMap(({ commands }) => commands)).toEqual([
      'ip netns exec a ip neigh show 10.0.0.2 dev eth0',
      'ip netns exec a ip neigh del 10.0.0.2 dev eth0',
      'ip netns exec a ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0',
    ]);
  });

  it('speaks about connections, and about a gateway', async () => {
    const capture = syns(new Capture(), 3, {}, 1, A, AT_DEAD).at(30).ask(A.mac, A.ip, '10.0.0.99');
    expect(await said(capture)).toEqual(['certain']);
    expect(await said(lost(FAR), { routes: [{ dst: 'default', gateway: B.ip, dev: 'eth0' }] })).toEqual(['certain']);
  });

  it('is why packets come to a machine that does not forward, which is told of no more', async () => {
    const routes = [{ dst: 'default', gateway: B.ip, dev: 'eth0' }];
    const context = (entry: object | null) => ({ context: contextOf({ routes, other: DEAD, entry }) });
    const told = async (entry: object | null) =>
      inShort(await lost(FAR).findings({ select: ['arp/stale-after-move', 'ip/not-forwarded'], ...context(entry) }));
    expect((await told({})).map(([rule]) => rule)).toEqual(['arp/stale-after-move']);
    expect((await told(null)).map(([rule]) => rule)).toEqual(['ip/not-forwarded']);
  });

  it('is likely where the capture alone shows who has the address', async () => {
    const capture = new Capture().ask(B.mac, B.ip, A.ip).answer(A.mac, A.ip, B.mac, B.ip).at(1);
    expect(await said(lost(AT_DEAD, capture), { peer: null })).toEqual(['likely']);
  });

  it('is a hint where nothing tells who has it', async () => {
    const [finding] = await find(lost(), { peer: null });
    expect(finding.confidence).toBe('hint');
    expect(finding.caveats).toEqual(['10.0.0.2 may only be down: with a permanent entry that looks the same']);
    expect(finding.remedy.at(-1)?.commands[0]).toContain('<MAC of its device>');
  });

  it('keeps still about the gateway, and overlays, where nothing tells who has it', async () => {
    const routes = [{ dst: 'default', gateway: B.ip, dev: 'eth0' }];
    expect(await said(lost(FAR), { peer: null, routes })).toEqual([]);
    expect(await said(lost(), { peer: null, kind: 'vxlan' })).toEqual([]);
  });

  it.each(['REACHABLE', 'STALE', 'FAILED'])('keeps still about an entry that is %s', async (state) => {
    expect(await said(lost(), { entry: { state: [state] } })).toEqual([]);
  });

  it('keeps still where the entry is right, for another device, or missing', async () => {
    expect(await said(lost(), { peer: DEAD })).toEqual([]);
    expect(await said(lost(), { entry: { dev: 'eth1' } })).toEqual([]);
    expect(await said(lost(), { entry: null })).toEqual([]);
    expect(await said(lost(B))).toEqual([]);
  });

  it('keeps still where the MAC of the entry is heard, or a virtual router has it', async () => {
    const capture = new Capture().ask(DEAD, '10.0.0.7', '10.0.0.8').at(1);
    expect(await said(lost(AT_DEAD, capture))).toEqual([]);
    const vrrp = '00:00:5e:00:01:05';
    expect(await said(lost({ mac: vrrp, ip: B.ip }), { entry: { lladdr: vrrp } })).toEqual([]);
  });

  it('goes by whether the machine with that MAC forwards', async () => {
    expect(await said(lost(), { other: DEAD, forwards: true })).toEqual([]);
    const [finding] = await find(lost(), { other: DEAD });
    expect(finding.confidence).toBe('certain');
    expect(finding.summary).toContain('which is eth0 in c and not 10.0.0.2');
    expect(await said(lost(), { other: DEAD, peer: null })).toEqual([]);
  });

  it('keeps still about answered pings', async () => {
    const capture = ping(new Capture(), 4, { from: A, to: AT_DEAD, answered: () => true });
    expect(await said(capture.at(20).ask(A.mac, A.ip, '10.0.0.99'))).toEqual([]);
  });

  it('takes back what it said where one of several is answered late', async () => {
    const capture = syns(syns(new Capture(), 3, { sport: 40001 }, 1, A, AT_DEAD), 3, { sport: 40002 }, 1.5, A, AT_DEAD);
    synAck(capture.at(12), { sport: 40001 }, AT_DEAD, A);
    expect(await said(capture.at(30).ask(A.mac, A.ip, '10.0.0.99'))).toEqual([]);
  });

  describe('of an address that has moved', () => {
    /** 10.0.0.2 was at a container that does not forward, announces itself from another, and A goes on by its entry. */
    const moved = () => lost(AT_DEAD, new Capture().ask(DEAD, B.ip, A.ip).at(0.5).ask(B.mac, B.ip, A.ip));

    it('is told once: the entry is why', async () => {
      const [finding, ...others] = await find(moved(), { other: DEAD });
      expect(others).toEqual([]);
      expect(finding.confidence).toBe('certain');
      expect(finding.title).toContain('permanent entry');
    });

    it('is told by what the capture shows where the entry is an ordinary one', async () => {
      const findings = await find(moved(), { other: DEAD, entry: { state: ['STALE'] } });
      expect(findings.map(({ title }) => title)).toEqual([
        `10.0.0.2 is at ${B.mac} now, and 10.0.0.1 still sends to ${DEAD}`,
      ]);
    });
  });
});
