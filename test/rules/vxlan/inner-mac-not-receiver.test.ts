import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { A, B, endpoints, ONE, TWO, tunnelled, unicast } from '../../support/tunnel.js';
import { Capture, inShort, mac } from '../../support/wire.js';

const only = { select: ['vxlan/inner-mac-not-receiver'] };
const OLD = '52:54:00:00:00:99';
const OTHER = '52:54:00:00:00:0c';

/** An inner IPv6 packet from fd00::`source` to fd00::`destination`. */
function unicast6(from: string, to: string, source: number, destination: number): number[] {
  const address = (last: number) => [0xfd, ...new Array(14).fill(0), last];
  const packet = [0x60, 0, 0, 0, 0, 4, 253, 64, ...address(source), ...address(destination), 1, 2, 3, 4];
  return [...mac(to), ...mac(from), 0x86, 0xdd, ...packet];
}

/** B speaks for 192.168.5.2 from behind TWO; packets for that address go to `to`. */
function send(count: number, to = OLD, vni = 5): Capture {
  const capture = tunnelled(new Capture(), unicast(B, A, '192.168.5.2', '192.168.5.1'), { from: TWO, to: ONE });
  for (let i = 0; i < count; i++) tunnelled(capture.at(1 + i), unicast(A, to), { vni });
  return capture;
}

describe('vxlan/inner-mac-not-receiver', () => {
  it('is likely after three frames for a MAC never heard, whose address comes from the only other one', async () => {
    const [finding] = await send(3).findings(only);
    expect(inShort([finding])).toEqual([['vxlan/inner-mac-not-receiver', 'likely', [2, 3, 4]]]);
    expect(finding.subject).toEqual({ mac: OLD, endpoint: TWO, receiver: B, vni: 5 });
  });

  it('takes IPv6 inside as well', async () => {
    const capture = tunnelled(new Capture(), unicast6(B, A, 2, 1), { from: TWO, to: ONE });
    for (let i = 0; i < 3; i++) tunnelled(capture.at(1 + i), unicast6(A, OLD, 1, 2));
    const [finding] = await capture.findings(only);
    expect(inShort([finding])).toEqual([['vxlan/inner-mac-not-receiver', 'likely', [2, 3, 4]]]);
    expect(finding.summary).toContain('fd00::2');
    const other = tunnelled(new Capture(), unicast6(B, A, 7, 1), { from: TWO, to: ONE });
    for (let i = 0; i < 3; i++) tunnelled(other.at(1 + i), unicast6(A, OLD, 1, 2));
    expect(await other.findings(only)).toEqual([]);
  });

  it('keeps silent after two, and where the MAC is the one that speaks', async () => {
    expect(await send(2).findings(only)).toEqual([]);
    expect(await send(5, B).findings(only)).toEqual([]);
  });

  it('keeps silent about a bridged endpoint with several stations', async () => {
    const capture = send(3);
    tunnelled(capture, unicast(OTHER, A, '192.168.5.3', '192.168.5.1'), { from: TWO, to: ONE });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent where the address never came from the endpoint: its station may be quiet or gone', async () => {
    const capture = tunnelled(new Capture(), unicast(B, A, '192.168.5.7', '192.168.5.1'), { from: TWO, to: ONE });
    for (let i = 0; i < 5; i++) tunnelled(capture.at(1 + i), unicast(A, OLD));
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent where the MAC is behind a bridge of the endpoint: the VXLAN device is to be its port', async () => {
    const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
    const vxlan = { info_kind: 'vxlan', info_data: { id: 5, port: 4789, link: 'eth0' } };
    const context = (address: string) =>
      parseContext({
        namespaces: {
          two: {
            'ip -d -j link': [
              { ...up, ifindex: 2, ifname: 'eth0', address: '02:00:00:00:09:02' },
              { ...up, ifindex: 3, ifname: 'vx0', address: '02:00:00:00:09:03', linkinfo: vxlan },
              { ...up, ifindex: 4, ifname: 'br0', address: '02:00:00:00:09:04', linkinfo: { info_kind: 'bridge' } },
              { ...up, ifindex: 5, ifname: 'vm0', address, linkinfo: { info_kind: 'tun' }, master: 'br0' },
            ],
            'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ local: TWO, prefixlen: 24 }] }],
          },
        },
      });
    const capture = new Capture();
    for (let i = 0; i < 4; i++) tunnelled(capture.at(1 + i), unicast(A, OLD));
    expect(await capture.findings({ ...only, context: context(OLD) })).toEqual([]);
    expect(await capture.findings({ ...only, context: context(OTHER) })).toHaveLength(1);
  });

  it('keeps silent once the MAC speaks itself', async () => {
    expect(await tunnelled(send(3).at(9), unicast(OLD, A), { from: TWO, to: ONE }).findings(only)).toEqual([]);
  });

  describe('with a host context', () => {
    const two = { name: 'two', address: TWO, vxlanMac: B };
    const quiet = () => {
      const capture = new Capture();
      for (let i = 0; i < 3; i++) tunnelled(capture.at(1 + i), unicast(A, OLD));
      return capture;
    };

    it('is certain where the device has another MAC and is in no bridge', async () => {
      const context = endpoints([{ ...two, isBridged: false }]);
      expect((await quiet().findings({ ...only, context })).map(({ confidence }) => confidence)).toEqual(['certain']);
    });

    it('names the address that the sender still gives the old MAC', async () => {
      const one = {
        name: 'one',
        address: ONE,
        neigh: [
          { dst: '10.244.2.0', dev: 'vx0', lladdr: OLD, state: ['PERMANENT'] },
          { dst: '10.244.3.0', dev: 'vx0', lladdr: OTHER, state: ['PERMANENT'] },
          { dst: '10.0.0.9', dev: 'eth0', lladdr: OLD, state: ['STALE'] },
        ],
      };
      const told = async (...machines: Parameters<typeof endpoints>[0][number][]) => {
        const [finding] = await quiet().findings({
          ...only,
          context: endpoints([...machines, { ...two, isBridged: false }]),
        });
        return finding.remedy
          .flatMap(({ commands }) => commands)
          .filter((command) => command.includes('neigh replace'));
      };
      expect(await told(one)).toEqual([`ip netns exec one ip neigh replace 10.244.2.0 lladdr ${B} dev vx0`]);
      expect((await told({ ...one, neigh: [] }))[0]).toContain('<inner address>');
    });

    it('keeps silent where the device has that MAC', async () => {
      const context = endpoints([{ ...two, isBridged: false, vxlanMac: OLD }]);
      expect(await quiet().findings({ ...only, context })).toEqual([]);
    });
  });

  it('keeps VNIs apart', async () => {
    expect(await send(4, OLD, 6).findings(only)).toEqual([]);
  });
});
