import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { echo, FAR, HOST, meet, PEER, ping, tooBig } from '../../support/icmp.js';
import { ACK, handshake, tcp } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['mtu/black-hole'] };
const small = { size: 84, at: 0, times: 2, answered: true };
const big = { size: 1480, at: 10, times: 3, answered: false, id: 8 };

describe('mtu/black-hole', () => {
  it('is likely where small pings are answered and three big ones are not', async () => {
    const [finding, ...more] = await ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, big).findings(only);
    expect(inShort([finding])).toEqual([['mtu/black-hole', 'likely', [5, 6, 7]]]);
    expect(finding.subject).toEqual({ sender: HOST.ip, receiver: FAR.ip, passes: 84, fails: 1480 });
    expect(finding.cause).toContain('VXLAN (1450)');
    expect(finding.cause).not.toContain('PPPoE');
    expect(more).toEqual([]);
  });

  it('takes the MTU of the one router that the host context shows between the sizes', async () => {
    const told = async (mtus: number[]) => {
      const links = mtus.map((mtu, i) => ({ ifindex: i + 2, ifname: `d${i}`, mtu, flags: ['UP'] }));
      const router = { 'ip -d -j link': links, sysctl: { 'net.ipv4.ip_forward': '1' } };
      const context = parseContext({ namespaces: { router } });
      const capture = ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, big);
      const [{ remedy, cause }] = await capture.findings({ ...only, context });
      return [cause.includes('d0 in router has an MTU of 1400'), remedy[1].commands[0], remedy[2].commands[0]];
    };
    const [known, shrink, clamp] = await told([1400, 1500]);
    expect(known).toBe(true);
    expect(shrink).toMatch(/mtu 1400$/);
    expect(clamp).toMatch(/^ip netns exec router iptables .*clamp-mss-to-pmtu$/);
    const [open, usual, plain] = await told([1400, 1300]);
    expect(open).toBe(false);
    expect(usual).not.toMatch(/mtu 1[34]00$/);
    expect(plain).toMatch(/^iptables/);
  });

  it('follows the way by the routes, where several routers have small MTUs', async () => {
    const machine = (devices: [string, string, number][], routes: object[], forward = '1') => ({
      'ip -d -j link': devices.map(([ifname, , mtu], i) => ({ ifindex: i + 2, ifname, mtu, flags: ['UP'] })),
      'ip -j addr': devices.map(([ifname, local], i) => ({
        ifindex: i + 2,
        ifname,
        addr_info: [{ family: 'inet', local, prefixlen: 24 }],
      })),
      'ip -j route': routes,
      sysctl: { 'net.ipv4.ip_forward': forward },
    });
    const context = parseContext({
      namespaces: {
        pc: machine([['eth0', HOST.ip, 1500]], [{ dst: 'default', gateway: '10.0.0.254', dev: 'eth0' }], '0'),
        near: machine(
          [
            ['lan', '10.0.0.254', 1500],
            ['link', '10.1.0.1', 1300],
          ],
          [{ dst: 'default', gateway: '10.1.0.2', dev: 'link' }],
        ),
        beyond: machine(
          [
            ['link', '10.1.0.2', 1300],
            ['far', '192.0.2.1', 1492],
          ],
          [{ dst: '192.0.2.0/24', dev: 'far' }],
        ),
        aside: machine([['wan', '203.0.113.2', 1400]], []),
      },
    });
    const capture = ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, big);
    const [{ cause, remedy }] = await capture.findings({ ...only, context });
    expect(cause).toContain('link in near has an MTU of 1300');
    expect(remedy[1].commands[0]).toMatch(/^ip netns exec pc .* mtu 1300$/);
    expect(remedy[2].commands[0]).toMatch(/^ip netns exec near iptables .*clamp-mss-to-pmtu$/);
  });

  it('takes the two ends of one link with one MTU for one', async () => {
    const told = async (near: number, far: number) => {
      const end = (mtu: number, netnsid: number, address: string) => ({
        'ip -d -j link': [
          {
            ifindex: 2,
            ifname: 't0',
            mtu,
            address,
            flags: ['UP'],
            link_index: 2,
            link_netnsid: netnsid,
            linkinfo: { info_kind: 'veth' },
          },
        ],
        'ip -j netns list-id': [{ nsid: netnsid, name: netnsid === 1 ? 'r2' : 'r1' }],
        sysctl: { 'net.ipv4.ip_forward': '1' },
      });
      const namespaces = { r1: end(near, 1, '02:00:00:00:01:01'), r2: end(far, 0, '02:00:00:00:01:02') };
      const capture = ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, big);
      const [{ cause }] = await capture.findings({ ...only, context: parseContext({ namespaces }) });
      return cause.includes('t0 in r1 has an MTU of 1300');
    };
    expect(await told(1300, 1300)).toBe(true);
    expect(await told(1300, 1350)).toBe(false);
  });

  it('keeps silent after two big ones', async () => {
    const capture = ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, { ...big, times: 2 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent where nothing is answered, or only another host answers', async () => {
    expect(await ping(new Capture(), HOST, FAR, big).findings(only)).toEqual([]);
    expect(await ping(ping(new Capture(), HOST, PEER, small), HOST, FAR, big).findings(only)).toEqual([]);
  });

  it('keeps silent where small ones are seen one way only: replies to what the target asks', async () => {
    const oneWay = new Capture();
    for (let i = 0; i < 4; i++) echo(oneWay.at(i), HOST, FAR, { size: 60, id: 9, reply: true });
    expect(await ping(oneWay, HOST, FAR, big).findings(only)).toEqual([]);
  });

  it('keeps silent where a ping as big is answered, or bigger', async () => {
    for (const size of [1480, 1500]) {
      const capture = ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, big);
      ping(capture, HOST, FAR, { size, at: 20, times: 1, answered: true, id: 9 });
      expect(await capture.findings(only)).toEqual([]);
    }
  });

  it('keeps silent where replies are here to requests that are not: a mirror that shows each way with other tags', async () => {
    const mirrored = (replies: number) => {
      const capture = ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, big);
      for (let i = 0; i < replies; i++) echo(capture.at(20 + i), HOST, FAR, { size: 84, id: 9, reply: true });
      return capture.findings(only);
    };
    expect(await mirrored(3)).toEqual([]);
    expect(await mirrored(1)).toHaveLength(1);
  });

  it('keeps silent where TCP gets packets as big across: only pings are refused', async () => {
    const sent = (length: number, acknowledged = true) => {
      const capture = handshake(ping(ping(new Capture(), HOST, PEER, small), HOST, PEER, big).at(20));
      tcp(capture.at(20.1), HOST, PEER, ACK, { seq: 1001, ack: 5001, length });
      if (acknowledged)
        tcp(capture.at(20.2), PEER, HOST, ACK, { sport: 80, dport: 40000, seq: 5001, ack: 1001 + length });
      return capture.findings(only);
    };
    expect(await sent(1440)).toEqual([]);
    expect(await sent(1439)).toHaveLength(1);
    expect(await sent(1440, false)).toHaveLength(1);
    // Perhaps a super-frame of offload, of which the wire saw small pieces.
    expect(await sent(2880)).toHaveLength(1);
  });

  it('keeps silent where small ones are lost too from then on: the target is gone', async () => {
    const capture = ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, big);
    const dead = { size: 84, at: 20, times: 3, answered: false, id: 9 };
    expect(await ping(capture, HOST, FAR, dead).findings(only)).toEqual([]);
    const before = ping(ping(new Capture(), HOST, FAR, { ...dead, at: 0 }), HOST, FAR, { ...small, at: 5 });
    expect(await ping(before, HOST, FAR, big).findings(only)).toHaveLength(1);
  });

  it('takes back what a late reply excuses', async () => {
    const capture = ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, { ...big, times: 5 });
    echo(capture.at(30), FAR, HOST, { size: 1480, id: 8, reply: true });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent where a router tells the MTU', async () => {
    const capture = tooBig(ping(ping(new Capture(), HOST, FAR, small), HOST, FAR, big), HOST, FAR, {
      size: 1480,
      mtu: 1400,
    });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent where long pings get short replies', async () => {
    const capture = ping(new Capture(), HOST, FAR, small);
    for (let i = 0; i < 4; i++) {
      echo(capture.at(10 + i), HOST, FAR, { size: 1480, id: 8 });
      echo(capture.at(10.01 + i), FAR, HOST, { size: 96, id: 8, reply: true });
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('leaves jumbo frames on one link to mtu/link-mismatch', async () => {
    const capture = ping(ping(meet(new Capture(), HOST, PEER), HOST, PEER, small), HOST, PEER, { ...big, size: 4000 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    const capture = ping(new Capture(), HOST, FAR, { ...small, way: { vlan: 9 } });
    expect(await ping(capture, HOST, FAR, big).findings(only)).toEqual([]);
  });

  it('looks into VXLAN', async () => {
    const way = { vni: 5 };
    const capture = ping(ping(new Capture(), HOST, FAR, { ...small, way }), HOST, FAR, { ...big, way });
    expect((await capture.findings(only)).map(({ segment }) => segment.vnis)).toEqual([[5]]);
  });
});
