import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import {
  A,
  arpReply,
  arpRequest,
  askInside,
  B,
  endpoints,
  ONE,
  refuse,
  THREE,
  TWO,
  tunnelled,
} from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['vxlan/vni-mismatch', 'vxlan/one-way', 'arp/unanswered'] };
const back = { from: TWO, to: ONE, vni: 6 };
const own = arpRequest(B, '192.168.5.2', '192.168.5.9');

async function rules(capture: Capture, options = {}) {
  return (await capture.findings({ ...only, ...options })).map(({ rule, confidence }) => `${rule} ${confidence}`);
}

describe('vxlan/vni-mismatch', () => {
  it('is likely where VNIs differ by direction and questions stay unanswered', async () => {
    const [finding, ...more] = await askInside(tunnelled(new Capture(), own, back)).findings(only);
    expect(inShort([finding])).toEqual([['vxlan/vni-mismatch', 'likely', [1, 2, 3, 4]]]);
    expect(finding.subject).toEqual({ endpoint: ONE, peer: TWO, vni: 5, peerVni: 6 });
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
    expect(more).toEqual([]);
  });

  it('takes what is asked in vain the other way for a symptom too, and what another tenant asks for none', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++) {
      tunnelled(capture.at(0.3 + i * 1.02), arpRequest(B, '192.168.5.2', '192.168.5.1'), back);
      tunnelled(capture, arpRequest(A, '192.168.5.1', '192.168.5.2'), { from: THREE, vni: 9 });
    }
    const findings = await askInside(capture).findings({ select: ['vxlan/vni-mismatch', 'arp/unanswered'] });
    expect(findings.map(({ rule }) => rule).sort()).toEqual(['arp/unanswered', 'vxlan/vni-mismatch']);
    const mismatch = findings.find(({ rule }) => rule === 'vxlan/vni-mismatch');
    expect(mismatch?.explains.map(({ rule, count }) => `${rule} ${count}`)).toEqual(['arp/unanswered 6']);
  });

  it('is certain where the context shows the other VNI, even if nothing comes back', async () => {
    const context = endpoints([{ name: 'two', address: TWO, vni: 6 }]);
    expect(await rules(askInside(new Capture()), { context })).toEqual(['vxlan/vni-mismatch certain']);
  });

  it('makes the device anew as the old one was: its MAC, MTU and lower device, in its bridge, with its addresses and its flood list', async () => {
    const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'], mtu: 1500 };
    const vxlan = { info_kind: 'vxlan', info_data: { id: 6, port: 4789, link: 'eth0', learning: false } };
    const nobody = '00:00:00:00:00:00';
    const two = {
      'ip -d -j link': [
        { ...up, ifindex: 2, ifname: 'eth0', address: '02:00:00:00:09:02' },
        { ...up, ifindex: 3, ifname: 'vx0', address: '02:00:00:00:09:03', linkinfo: vxlan, master: 'br7' },
        { ...up, ifindex: 4, ifname: 'br7', address: '02:00:00:00:09:04', linkinfo: { info_kind: 'bridge' } },
      ],
      'ip -j addr': [
        { ifindex: 2, ifname: 'eth0', addr_info: [{ local: TWO, prefixlen: 24 }] },
        {
          ifindex: 3,
          ifname: 'vx0',
          addr_info: [
            { local: '192.168.5.200', prefixlen: 24 },
            { local: 'fe80::3', prefixlen: 64 },
          ],
        },
      ],
      'bridge -j fdb': [ONE, THREE].map((dst) => ({ mac: nobody, ifname: 'vx0', dst, flags: ['self'] })),
    };
    const [finding] = await askInside(new Capture()).findings({
      ...only,
      context: parseContext({ namespaces: { two } }),
    });
    expect(finding.remedy[1].commands).toEqual(
      [
        'ip link del vx0',
        `ip link add vx0 address 02:00:00:00:09:03 mtu 1500 type vxlan id 5 local ${TWO} remote ${ONE} dstport 4789 dev eth0 nolearning`,
        `bridge fdb append ${nobody} dev vx0 dst ${THREE}`,
        'ip link set vx0 master br7',
        'ip addr add 192.168.5.200/24 dev vx0',
        'ip link set vx0 up',
      ].map((command) => `ip netns exec two ${command}`),
    );
  });

  it('gives a device of flannel its neighbors and its routes through them again', async () => {
    const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
    const vxlan = { info_kind: 'vxlan', info_data: { id: 6, port: 4789, link: 'eth0', learning: false } };
    const two = {
      'ip -d -j link': [
        { ...up, ifindex: 2, ifname: 'eth0', address: '02:00:00:00:09:02' },
        { ...up, ifindex: 3, ifname: 'vx0', address: '02:00:00:00:09:03', linkinfo: vxlan },
      ],
      'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ local: TWO, prefixlen: 24 }] }],
      'ip -j route': [
        { dst: '10.244.1.0/24', gateway: '10.244.1.0', dev: 'vx0', flags: ['onlink'] },
        { dst: '10.9.0.0/24', gateway: '10.244.1.1', dev: 'vx0', flags: [] },
      ],
      'ip -j neigh': [{ dev: 'vx0', dst: '10.244.1.0', lladdr: '02:00:00:00:05:01', state: ['PERMANENT'] }],
    };
    const context = parseContext({ namespaces: { two } });
    const [finding] = await askInside(new Capture()).findings({ ...only, context });
    const commands = finding.remedy[1].commands.map((command) => command.replace('ip netns exec two ', ''));
    expect(commands.slice(2)).toEqual([
      'ip neigh replace 10.244.1.0 lladdr 02:00:00:00:05:01 dev vx0 nud permanent',
      'ip link set vx0 up',
      'ip route add 10.244.1.0/24 via 10.244.1.0 dev vx0 onlink',
      'ip route add 10.9.0.0/24 via 10.244.1.1 dev vx0',
    ]);
  });

  it('tells a device that answers ARP itself its neighbors again', async () => {
    const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
    const vxlan = { info_kind: 'vxlan', info_data: { id: 6, port: 4789, link: 'eth0', learning: false, proxy: true } };
    const entry = { dev: 'vx0', lladdr: '02:00:00:00:05:01', state: ['PERMANENT'] };
    const two = {
      'ip -d -j link': [
        { ...up, ifindex: 2, ifname: 'eth0', address: '02:00:00:00:09:02' },
        { ...up, ifindex: 3, ifname: 'vx0', address: '02:00:00:00:09:03', linkinfo: vxlan },
      ],
      'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ local: TWO, prefixlen: 24 }] }],
      'ip -j neigh': [
        { ...entry, dst: '192.168.5.1' },
        { ...entry, dst: '192.168.5.9', state: ['STALE'] },
        { ...entry, dst: '192.168.5.8', dev: 'eth0' },
      ],
    };
    const context = parseContext({ namespaces: { two } });
    const [finding] = await askInside(new Capture()).findings({ ...only, context });
    const commands = finding.remedy[1].commands.map((command) => command.replace('ip netns exec two ', ''));
    expect(commands[1]).toContain(' nolearning proxy');
    expect(commands.filter((command) => command.includes('neigh'))).toEqual([
      'ip neigh replace 192.168.5.1 lladdr 02:00:00:00:05:01 dev vx0 nud permanent',
    ]);
  });

  it('passes over the overlay that both have, and makes the device anew whose VNI no other endpoint has', async () => {
    const device = (ifindex: number, id: number, local: string) => ({
      ...{ ifindex, ifname: `vx${ifindex}`, flags: ['UP'], address: `02:00:00:00:0${ifindex}:0${local.at(-1)}` },
      linkinfo: { info_kind: 'vxlan', info_data: { id, port: 4789, local } },
    });
    const node = (local: string, vni: number) => ({
      'ip -d -j link': [device(3, 900, local), device(4, vni, local)],
      'ip -j addr': [{ ifindex: 9, ifname: 'eth0', addr_info: [{ local, prefixlen: 24 }] }],
    });
    const said = async (vnis: readonly [number, number, number]) => {
      const [one, two, three] = [ONE, TWO, THREE].map((local, i) => node(local, vnis[i]));
      const context = parseContext({ namespaces: { one, two, three } });
      const [finding] = await askInside(new Capture()).findings({ ...only, context });
      return [finding.subject.peerVni, finding.remedy[1].commands[1]];
    };
    expect(await said([5, 6, 6])).toEqual([6, expect.stringContaining('netns exec one ip link add vx4')]);
    expect(await said([5, 6, 5])).toEqual([6, expect.stringContaining('netns exec two ip link add vx4')]);
  });

  it('claims nothing by a device that has no VNI of its own, and names what gives it one', async () => {
    const switched = (ovs: boolean) => {
      const vxlan = { info_kind: 'vxlan', info_data: { external: true, id: 0, port: 4789, learning: false } };
      const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
      const slave = { master: 'ovs-system', linkinfo: { ...vxlan, info_slave_kind: 'openvswitch' } };
      const two = {
        'ip -d -j link': [
          { ...up, ifindex: 2, ifname: 'eth0', address: '02:00:00:00:09:02' },
          { ...up, ifindex: 3, ifname: 'ovs-system', linkinfo: { info_kind: 'openvswitch' } },
          { ...up, ifindex: 4, ifname: 'vxlan_sys_4789', ...(ovs ? slave : { linkinfo: vxlan }) },
        ],
        'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ local: TWO, prefixlen: 24 }] }],
        'bridge -j fdb': [],
      };
      return parseContext({ namespaces: { two } });
    };
    const alone = await rules(askInside(new Capture()), { context: switched(true) });
    expect(alone).toEqual(['arp/unanswered likely', 'vxlan/one-way hint']);
    const cures = async (ovs: boolean) => {
      const capture = askInside(tunnelled(new Capture(), own, back));
      const [finding] = await capture.findings({ ...only, context: switched(ovs) });
      expect([finding.rule, finding.confidence]).toEqual(['vxlan/vni-mismatch', 'likely']);
      return finding.remedy[1].commands;
    };
    expect(await cures(true)).toEqual([
      'ip netns exec two ovs-vsctl --columns=name,options find interface type=vxlan',
      "ip netns exec two ovs-vsctl list-br | xargs -n1 ovs-ofctl dump-flows | grep -wE '0x6|0x5'",
    ]);
    expect(await cures(false)).toEqual(['ip netns exec two ip route show table all | grep encap']);
  });

  it('keeps silent where the context shows the same VNI', async () => {
    const context = endpoints([{ name: 'two', address: TWO, vni: 5 }]);
    expect(await rules(askInside(new Capture()), { context })).toEqual(['arp/unanswered likely', 'vxlan/one-way hint']);
  });

  it('keeps silent where nothing is asked in vain: routing between VNIs differs by direction too', async () => {
    const capture = tunnelled(new Capture(), own, back);
    for (let i = 0; i < 9; i++) tunnelled(capture.at(1 + i), arpReply(A, '192.168.5.1', B, '192.168.5.2'));
    expect(await rules(capture)).toEqual([]);
  });

  it('keeps silent where the VNI comes back as well', async () => {
    const capture = tunnelled(tunnelled(new Capture(), own, back), own, { ...back, vni: 5 });
    expect((await rules(askInside(capture))).join()).not.toContain('vni-mismatch');
  });

  it('keeps silent where an error tells why, and on another port', async () => {
    const capture = refuse(askInside(tunnelled(new Capture(), own, back)).at(3.2), {});
    expect((await rules(capture)).join()).not.toContain('vni-mismatch');
    const other = askInside(tunnelled(new Capture(), own, { ...back, port: 8472 }));
    expect((await rules(other)).join()).not.toContain('vni-mismatch');
  });

  it('keeps VLANs apart', async () => {
    const capture = tunnelled(new Capture(), own, { ...back, way: { vlan: 9 } });
    expect((await rules(askInside(capture))).join()).not.toContain('vni-mismatch');
  });
});
