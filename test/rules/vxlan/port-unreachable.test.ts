import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { A, arpReply, arpRequest, askInside, B, endpoints, ONE, refuse, TWO, tunnelled } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['vxlan/port-unreachable', 'arp/unanswered'] };

describe('vxlan/port-unreachable', () => {
  it('is certain after one error from the endpoint itself', async () => {
    expect(inShort(await refuse(new Capture(), {}).findings(only))).toEqual([
      ['vxlan/port-unreachable', 'certain', [1]],
    ]);
  });

  it.each([4789, 8472])('knows port %i', async (port) => {
    const [finding] = await refuse(new Capture(), { port }).findings(only);
    expect(finding.subject).toEqual({ endpoint: '10.1.1.2', sender: '10.1.1.1', port });
  });

  it('knows a port that the user names', async () => {
    const findings = await refuse(new Capture(), { port: 14789 }).findings({ ...only, vxlanPorts: [14789] });
    expect(findings.map(({ rule }) => rule)).toEqual(['vxlan/port-unreachable']);
  });

  it('explains what stays unanswered inside', async () => {
    const [finding, ...more] = await refuse(askInside(new Capture()).at(3.1), {}).findings(only);
    expect(more).toEqual([]);
    expect(finding.explains.map(({ rule, frames }) => [rule, frames])).toEqual([['arp/unanswered', [1, 2, 3]]]);
  });

  it('makes a device for the VNI that is sent, or sets up the one that is there', async () => {
    const capture = () => refuse(askInside(new Capture()).at(3.1), {});
    const cures = async (context?: ReturnType<typeof endpoints>) => {
      const [{ remedy }] = await capture().findings({ ...only, ...(context ? { context } : {}) });
      return remedy.map(({ commands }) => commands);
    };
    const make = `ip link add vxlan5 type vxlan id 5 local ${TWO} remote ${ONE} dstport 4789`;
    expect((await cures())[1]).toEqual([make, 'ip link set vxlan5 up']);
    const other = endpoints([{ name: 'two', address: TWO, vni: 6 }]);
    expect((await cures(other))[1][0]).toBe(`ip netns exec two ${make} dev eth0`);
    const down = endpoints([{ name: 'two', address: TWO }]);
    Object.assign(down.device('two', 'vx0') as object, { up: false });
    expect((await cures(down)).map(([command]) => command)).toEqual([
      'ip netns exec two ip link set vx0 up',
      'ip netns exec two ip -d link show type vxlan',
      `bridge fdb show | grep 'dst ${TWO}'`,
    ]);
  });

  it('has Open vSwitch make the port where the context shows it', async () => {
    const node = {
      'ip -d -j link': [
        { flags: ['UP'], ifindex: 2, ifname: 'eth0', address: '02:00:00:00:09:02' },
        { flags: [], ifindex: 3, ifname: 'ovs-system', linkinfo: { info_kind: 'openvswitch' } },
      ],
      'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ local: TWO, prefixlen: 24 }] }],
    };
    const context = parseContext({ namespaces: { node } });
    const [{ remedy }] = await refuse(new Capture(), {}).findings({ ...only, context });
    expect(remedy.map(({ commands }) => commands[0])).toEqual([
      'ip netns exec node ovs-vsctl --columns=name,options,error find interface type=vxlan',
      `ip netns exec node ovs-vsctl add-port <bridge> <port> -- set interface <port> type=vxlan options:remote_ip=${ONE} options:key=flow`,
    ]);
  });

  it('explains nothing of another VNI or asked from behind the refusing endpoint', async () => {
    const capture = askInside(new Capture(), { from: TWO, to: '10.1.1.1' });
    const findings = await refuse(capture.at(4), {}).findings(only);
    expect(findings.map(({ rule }) => rule)).toEqual(['vxlan/port-unreachable', 'arp/unanswered']);
  });

  it('keeps silent about an error from a third machine, and about other errors', async () => {
    const capture = refuse(new Capture(), {}, { reporter: '10.1.1.254' });
    refuse(capture, {}, { code: 1 });
    refuse(capture, {}, { code: 4, mtu: 1400 });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent about other UDP', async () => {
    // 53 is no VXLAN port, but what is quoted has its shape: only the bytes of a VXLAN header make it one.
    expect(await refuse(new Capture(), { port: 53, flags: [0x12, 0x34, 1, 0] }).findings(only)).toEqual([]);
  });

  it('keeps VLANs apart', async () => {
    const capture = refuse(new Capture(), {}, { way: { vlan: 10 } });
    refuse(capture, {}, { way: { vlan: 20 } });
    const findings = await capture.findings(only);
    expect(findings.map(({ segment }) => segment.vlans)).toEqual([[10], [20]]);
  });

  describe('of what the same address sends', () => {
    const select = ['vxlan/port-unreachable', 'arp/reply-not-accepted', 'icmp/echo-unanswered'];
    /** B behind ONE is asked by A, whose packets come from TWO, a router; TWO refuses the answers. */
    const translated = (times: number) => {
      const capture = new Capture();
      for (let i = 0; i < times; i++) {
        tunnelled(capture.at(1 + i), arpRequest(A, '192.168.5.1', '192.168.5.2'), { from: TWO, to: ONE });
        tunnelled(capture.at(1.001 + i), arpReply(B, '192.168.5.2', A, '192.168.5.1'), { from: ONE, to: TWO });
        refuse(capture.at(1.002 + i), { from: ONE, to: TWO });
      }
      return capture;
    };

    it('says that it is translated, and takes in what is asked again for it', async () => {
      const [finding, ...others] = await translated(4).findings({ select });
      expect(others).toEqual([]);
      expect(finding.title).toBe(
        `${TWO} sends VXLAN to ${ONE} and refuses what comes back: the source address of another endpoint is translated to it`,
      );
      expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/reply-not-accepted']);
      expect(finding.remedy[0].commands).toEqual([
        'iptables -t nat -I POSTROUTING -p udp --dport 4789 -j ACCEPT',
        'conntrack -D -p udp --dport 4789',
      ]);
    });

    it('does not where it did so once or twice, sends to another port, or has a device for it', async () => {
      const titles = async (capture: Capture, context?: ReturnType<typeof endpoints>) =>
        (await capture.findings({ select: ['vxlan/port-unreachable'], ...(context ? { context } : {}) })).map(
          ({ title }) => title,
        );
      const plain = [`${TWO} refuses VXLAN from ${ONE}: nothing listens on UDP port 4789`];
      expect(await titles(translated(2))).toEqual(plain);
      expect(await titles(translated(4), endpoints([{ name: 'two', address: TWO }]))).toEqual(plain);
      // A device that was deleted, made anew and deleted once more.
      const anew = new Capture();
      for (const start of [1, 11]) {
        for (const second of [0, 1, 2])
          tunnelled(anew.at(start + second), arpRequest(A, '192.168.5.1', '192.168.5.2'), { from: TWO, to: ONE });
        for (const second of [4, 5, 6]) refuse(anew.at(start + second), { from: ONE, to: TWO });
      }
      expect(await titles(anew)).toEqual(plain);
    });
  });
});
