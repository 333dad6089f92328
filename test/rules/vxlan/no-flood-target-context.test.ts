import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { ping } from '../../support/ping.js';
import { A, arpRequest, B, ONE, THREE, TWO, tunnelled } from '../../support/tunnel.js';
import { Capture } from '../../support/wire.js';

const only = { select: ['vxlan/no-flood-target', 'arp/unanswered'] };

describe('vxlan/no-flood-target by the host context alone', () => {
  const NOBODY = '00:00:00:00:00:00';
  const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'], mtu: 1500 };
  /** An endpoint, and the station behind it, cabled to a port of the bridge that the VXLAN device is in. */
  function node(
    name: string,
    outer: string,
    station: string,
    ip: string,
    lists: readonly string[],
    { vni = 5, proxy = false, told = [] as readonly string[] } = {},
  ): object {
    const vxlan = { info_kind: 'vxlan', info_data: { id: vni, port: 4789, link: 'eth0', proxy } };
    return {
      [name]: {
        'ip -d -j link': [
          { ...up, ifindex: 2, ifname: 'eth0', address: `02:00:00:00:00:f${outer.at(-1)}` },
          {
            ...up,
            ifindex: 3,
            ifname: 'vx0',
            address: `02:00:00:00:01:f${outer.at(-1)}`,
            linkinfo: vxlan,
            master: 'br0',
          },
          {
            ...up,
            ifindex: 4,
            ifname: 'br0',
            address: `02:00:00:00:02:f${outer.at(-1)}`,
            linkinfo: { info_kind: 'bridge' },
          },
          { ...up, ifindex: 5, ifname: 'vm0', address: station, linkinfo: { info_kind: 'tun' }, master: 'br0' },
        ],
        'ip -j addr': [
          { ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet', local: outer, prefixlen: 24 }] },
          { ifindex: 5, ifname: 'vm0', addr_info: [{ family: 'inet', local: ip, prefixlen: 24 }] },
        ],
        'bridge -j fdb': lists.map((dst) => ({ mac: NOBODY, ifname: 'vx0', dst, flags: ['self'] })),
        'ip -j neigh': told.map((dst) => ({ dst, dev: 'vx0', lladdr: B, state: ['PERMANENT'] })),
      },
    };
  }
  const said = async (
    lists: readonly string[],
    { vni = 5, times = 3, heard = false, pings = 0, proxy = false, told = [] as readonly string[] } = {},
  ) => {
    const namespaces = {
      ...node('one', ONE, A, '192.168.5.1', lists, { proxy, told }),
      ...node('two', TWO, B, '192.168.5.2', [ONE], { vni }),
    };
    const capture = new Capture();
    if (pings > 0) ping(capture, pings, { from: { mac: A, ip: '192.168.5.1' }, to: { mac: B, ip: '192.168.5.2' } });
    else capture.askAgain(times, A, '192.168.5.1', '192.168.5.2');
    if (heard) tunnelled(capture, arpRequest(B, '192.168.5.2', '192.168.5.9'), { from: TWO, to: ONE });
    const context = parseContext({ namespaces });
    return capture
      .at(20)
      .ask('02:00:00:00:00:77', '192.168.5.77', '192.168.5.78')
      .findings({ ...only, context });
  };

  it('is certain where the list on the side that asks lacks the endpoint of the target', async () => {
    const [finding] = await said([THREE]);
    expect(finding).toMatchObject({ rule: 'vxlan/no-flood-target', confidence: 'certain' });
    expect(finding.remedy[1].commands).toEqual([`ip netns exec one bridge fdb append ${NOBODY} dev vx0 dst ${TWO}`]);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
  });

  it.each([false, true])(
    'is certain where the list is empty, captured anywhere (endpoint heard: %s)',
    async (heard) => {
      const [finding] = await said([], { heard });
      expect(finding).toMatchObject({ rule: 'vxlan/no-flood-target', confidence: 'certain' });
      expect(finding.title).toContain('floods VNI 5 to nobody');
      expect(finding.remedy[1].commands).toEqual([`ip netns exec one bridge fdb append ${NOBODY} dev vx0 dst ${TWO}`]);
    },
  );

  it('is certain where a device that answers ARP itself was not told the neighbor', async () => {
    const [finding] = await said([TWO], { proxy: true, heard: true, told: ['192.168.5.3'] });
    expect(finding).toMatchObject({ rule: 'vxlan/no-flood-target', confidence: 'certain' });
    expect(finding.title).toContain('has no entry for 192.168.5.2');
    expect(finding.remedy[1].commands).toEqual([
      `ip netns exec one ip neigh replace 192.168.5.2 lladdr ${B} dev vx0 nud permanent`,
      `ip netns exec one bridge fdb replace ${B} dev vx0 dst ${TWO}`,
    ]);
    const rules = async (how: object) => (await said([], { proxy: true, ...how })).map(({ rule }) => rule);
    expect(await rules({ told: ['192.168.5.2'] })).not.toContain('vxlan/no-flood-target');
    expect(await rules({ vni: 6 })).not.toContain('vxlan/no-flood-target');
  });

  it('is told by pings to the MAC of the target too', async () => {
    const [finding] = await said([THREE], { pings: 4 });
    expect(finding).toMatchObject({ rule: 'vxlan/no-flood-target', confidence: 'likely' });
    expect(await said([TWO, THREE], { pings: 4 })).toEqual([]);
    expect(finding.title).toContain(`none for ${TWO}`);
  });

  it.each([
    ['the list has it', [TWO, THREE], {}],
    ['the VNIs differ', [THREE], { vni: 6 }],
    ['two requests only', [THREE], { times: 2 }],
    ['the endpoint is heard: its own frames tell', [THREE], { heard: true }],
  ])('keeps silent where %s', async (_, lists, how) => {
    expect((await said(lists, how)).map(({ rule }) => rule)).not.toContain('vxlan/no-flood-target');
  });
});
