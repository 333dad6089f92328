import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { SYN, tcp } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const POD = '0a:00:00:00:00:07';
const NODE = 'ee:ee:ee:ee:ee:ee';
const GATEWAY = '169.254.1.1';
const VETH = { linkinfo: { info_kind: 'veth' } };
const only = { select: ['arp/link-local-gateway-unanswered'] };

describe('arp/link-local-gateway-unanswered', () => {
  it('is likely after three requests of a kernel, and takes the symptom in', async () => {
    const found = await new Capture().askAgain(3, POD, '10.42.0.7', GATEWAY).findings();
    expect(inShort(found)).toEqual([['arp/link-local-gateway-unanswered', 'likely', [1, 2, 3]]]);
    expect(found[0].explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
  });

  it('is certain where an answer would be seen', async () => {
    const capture = new Capture().askAgain(3, POD, '10.42.0.7', GATEWAY, { direction: 'out' });
    capture.at(4).ask(NODE, '10.42.0.1', '10.42.0.9', { direction: 'in' });
    expect(inShort(await capture.findings(only)).map(([, confidence]) => confidence)).toEqual(['certain']);
  });

  it('hints after two', async () => {
    const capture = new Capture().askAgain(2, POD, '10.42.0.7', GATEWAY);
    expect(inShort(await capture.findings(only)).map(([, confidence]) => confidence)).toEqual(['hint']);
  });

  it('keeps still about one request, about another target, and about a link-local asker', async () => {
    expect(await new Capture().ask(POD, '10.42.0.7', GATEWAY).findings(only)).toEqual([]);
    expect(await new Capture().askAgain(3, POD, '10.42.0.7', '169.254.1.2').findings(only)).toEqual([]);
    expect(await new Capture().askAgain(3, POD, '169.254.9.9', GATEWAY).findings(only)).toEqual([]);
  });

  it('keeps still when the node answers, 0.8 s late too', async () => {
    const capture = new Capture().ask(POD, '10.42.0.7', GATEWAY).at(0.8).answer(NODE, GATEWAY, POD, '10.42.0.7');
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VLANs apart: the answer in another one is none', async () => {
    const capture = new Capture().askAgain(3, POD, '10.42.0.7', GATEWAY, { vlan: 1 });
    capture.answer(NODE, GATEWAY, POD, '10.42.0.7', { vlan: 2 });
    expect(await capture.findings(only)).toHaveLength(1);
  });

  describe('with the host context of pod and node', () => {
    const context = (proxy: number, routes: readonly object[]) =>
      parseContext({
        namespaces: {
          pod: {
            'ip -d -j link': [
              {
                ifindex: 2,
                link_index: 3,
                link_netnsid: 0,
                ifname: 'eth0',
                link_type: 'ether',
                address: POD,
                flags: ['UP'],
                ...VETH,
              },
            ],
            'ip -j addr': [
              { ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local: '10.42.0.7', prefixlen: 32 }] },
            ],
          },
          node: {
            'ip -d -j link': [
              {
                ifindex: 3,
                link_index: 2,
                link_netnsid: 1,
                ifname: 'cali7',
                link_type: 'ether',
                address: NODE,
                flags: ['UP'],
                ...VETH,
              },
            ],
            'ip -j route': routes,
            sysctl: { 'net.ipv4.conf.all.proxy_arp': '0', 'net.ipv4.conf.cali7.proxy_arp': String(proxy) },
          },
        },
      });
    const told = async (proxy: number, routes: readonly object[]) => {
      const capture = new Capture().askAgain(3, POD, '10.42.0.7', GATEWAY);
      const [finding] = await capture.findings({ ...only, context: context(proxy, routes) });
      return { cause: finding.cause, commands: finding.remedy.flatMap(({ commands }) => commands) };
    };
    const ROUTED = [{ dst: 'default', gateway: '10.0.0.1', dev: 'eth1' }];

    it('names what is missing, and leaves out the cure for the other', async () => {
      const off = await told(0, ROUTED);
      expect(off.cause).toContain('proxy_arp is off at cali7');
      expect(off.commands).toContain('ip netns exec node sysctl -w net.ipv4.conf.cali7.proxy_arp=1');
      expect(off.commands.join()).not.toContain('route add');
      const lost = await told(1, [{ dst: '10.0.0.0/24', dev: 'eth1' }]);
      expect(lost.cause).toContain('the node has no route to 169.254.1.1');
      expect(lost.commands).toContain('ip netns exec node ip route add 169.254.1.1 dev lo');
      expect(lost.commands.join()).not.toContain('sysctl');
    });

    it('takes a blackhole for no route', async () => {
      expect((await told(1, [{ type: 'blackhole', dst: 'default' }])).cause).toContain('has no route');
    });
  });

  it('takes in connections to the pod, whose answers cannot leave, and none to others', async () => {
    const connecting = async (server: string) => {
      const capture = new Capture();
      for (let i = 0; i < 4; i++) {
        const from = { mac: NODE, ip: '10.0.0.1' };
        tcp(capture.at(1 + i), from, { mac: POD, ip: server }, SYN, { id: 1 + i });
        capture.ask(POD, '10.42.0.7', GATEWAY);
      }
      return (await capture.at(9).ask(NODE, '10.0.0.1', '10.0.0.2').findings()).map(({ rule }) => rule);
    };
    expect(await connecting('10.42.0.7')).not.toContain('tcp/syn-unanswered');
    expect(await connecting('10.42.0.8')).toContain('tcp/syn-unanswered');
  });
});
