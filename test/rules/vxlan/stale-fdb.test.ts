import { describe, expect, it } from 'vitest';
import type { HostContext } from '../../../src/network/context/host-context.js';
import { parseContext } from '../../../src/network/context/parse.js';
import { A, arpRequest, B, endpoints, ONE, THREE, TWO, tunnelled, unicast } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['vxlan/stale-fdb'] };
const VETH = { info_kind: 'veth' };
const heard = arpRequest(B, '192.168.5.2', '192.168.5.9');

/** B is heard behind TWO; frames for it go elsewhere from `from` on. */
function misdirect(count: number, { from = 1, to = THREE, vni = 5 } = {}): Capture {
  const capture = tunnelled(new Capture(), heard, { from: TWO, to: ONE });
  for (let i = 0; i < count; i++) tunnelled(capture.at(from + i), unicast(A, B), { to, vni });
  return capture;
}

describe('vxlan/stale-fdb', () => {
  it('is certain after three frames to the wrong endpoint, likely after two', async () => {
    expect(inShort(await misdirect(3).findings(only))).toEqual([['vxlan/stale-fdb', 'certain', [1, 2, 3, 4]]]);
    expect(inShort(await misdirect(2).findings(only))).toEqual([['vxlan/stale-fdb', 'likely', [1, 2, 3]]]);
    const [finding] = await misdirect(3).findings(only);
    expect(finding.subject).toEqual({ mac: B, endpoint: THREE, rightEndpoint: TWO, vni: 5 });
  });

  it('knows a station that is itself the VXLAN device of another endpoint, and not a new MAC of the wrong one (flannel)', async () => {
    const capture = new Capture();
    for (let i = 0; i < 5; i++) tunnelled(capture.at(1 + i), unicast(A, B), { to: THREE });
    const machine = (name: string, address: string, vxlanMac: string) => ({
      name,
      address,
      vxlanMac,
      isBridged: false,
    });
    const context = (twos: string) =>
      endpoints([machine('one', ONE, A), machine('two', TWO, twos), machine('three', THREE, '52:54:00:00:00:33')]);
    const select = ['vxlan/stale-fdb', 'vxlan/inner-mac-not-receiver', 'vxlan/one-way'];
    const [finding, ...more] = await capture.findings({ select, context: context(B) });
    expect([finding.rule, finding.confidence, more]).toEqual(['vxlan/stale-fdb', 'certain', []]);
    expect(finding.remedy[1].commands).toEqual([`ip netns exec one bridge fdb replace ${B} dev vx0 dst ${TWO}`]);
    // Nobody has the MAC: then it is an old one.
    expect((await capture.findings({ select, context: context('52:54:00:00:00:22') })).map(({ rule }) => rule)).toEqual(
      ['vxlan/inner-mac-not-receiver'],
    );
  });

  it('looks for the endpoint where the VXLAN device was made, not where it was moved to, as Docker does for overlay networks', async () => {
    const flags = ['UP', 'LOWER_UP'];
    const inside = (ids: readonly object[]) => {
      const data = { id: 5, port: 4789, proxy: true };
      const vxlan0 = { flags, ifindex: 9, ifname: 'vxlan0', link_index: 9, link_netnsid: 0, master: 'br0' };
      const br0 = { flags, ifindex: 2, ifname: 'br0', address: '02:00:00:00:00:20', linkinfo: { info_kind: 'bridge' } };
      const port = { flags, ifindex: 3, ifname: 'veth0', link_index: 4, link_netnsid: 1, master: 'br0' };
      const links = [
        br0,
        { ...vxlan0, linkinfo: { info_kind: 'vxlan', info_data: data } },
        { ...port, linkinfo: VETH },
      ];
      const addr_info = [{ family: 'inet', local: '10.0.1.1', prefixlen: 24 }];
      return { 'ip -d -j link': links, 'ip -j addr': [{ ...br0, addr_info }], 'ip -j netns list-id': ids };
    };
    const guest = { flags, ifindex: 4, ifname: 'eth0', link_index: 3, link_netnsid: 0, address: B, linkinfo: VETH };
    const eth0 = { flags, ifindex: 2, ifname: 'eth0', address: '02:00:00:00:00:02' };
    // A device of the host has the number that the VXLAN device has inside.
    const down = { flags: [], ifindex: 9, ifname: 'wlan0', address: '02:00:00:00:00:09' };
    const addr_info = [{ family: 'inet', local: TWO, prefixlen: 24 }];
    const docker0 = { flags, ifindex: 1, ifname: 'docker0', address: '02:00:00:00:00:0d' };
    const own = [{ family: 'inet', local: '172.17.0.1', prefixlen: 16 }];
    const addresses = [
      { ...docker0, addr_info: own },
      { ...eth0, addr_info },
    ];
    const file = (ids: readonly object[], routes: readonly object[] = [{ dst: 'default', dev: 'eth0' }]) =>
      parseContext({
        namespaces: {
          host: { 'ip -d -j link': [docker0, eth0, down], 'ip -j addr': addresses, 'ip -j route': routes },
          '/run/docker/netns/1-ov': inside(ids),
          'app/7': { 'ip -d -j link': [guest] },
        },
      });
    const known = [{ nsid: 0, name: 'host' }];
    expect(file(known).device('/run/docker/netns/1-ov', 'vxlan0')?.parent).toBeNull();
    const sent = (to: string, context: HostContext) => {
      const capture = new Capture();
      for (let i = 0; i < 5; i++) tunnelled(capture.at(1 + i), unicast(A, B), { to });
      return capture.findings({ ...only, context });
    };
    expect(await sent(TWO, file(known))).toEqual([]);
    expect(await sent(TWO, file([]))).toEqual([]);
    const [finding] = await sent(THREE, file(known));
    expect(finding.title).toContain(`the station is behind ${TWO}`);
    // By which device it sends is not known.
    expect(await sent(THREE, file(known, []))).toEqual([]);
  });

  it('only hints where all frames go one way: what the station sends from its new place is left out', async () => {
    const way = { direction: 'in' as const };
    const capture = tunnelled(new Capture(), heard, { from: TWO, to: ONE, way });
    for (let i = 0; i < 3; i++) tunnelled(capture.at(1 + i), unicast(A, B), { to: THREE, way });
    const told = async () => (await capture.findings(only)).map(({ confidence }) => confidence);
    expect(await told()).toEqual(['hint']);
    tunnelled(capture.at(5), unicast(A, B), { to: THREE, way: { direction: 'out' } });
    expect(await told()).toEqual(['certain']);
  });

  it('keeps silent about one frame, and about the right endpoint', async () => {
    expect(await misdirect(1).findings(only)).toEqual([]);
    expect(await misdirect(5, { to: TWO }).findings(only)).toEqual([]);
  });

  it('keeps silent while a station may just have moved', async () => {
    const capture = tunnelled(new Capture(), heard, { from: TWO, to: ONE });
    for (let i = 0; i < 4; i++) tunnelled(capture.at(0.01 * i), unicast(A, B), { to: THREE });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent about frames that are flooded to all', async () => {
    const capture = tunnelled(new Capture(), heard, { from: TWO, to: ONE });
    for (let i = 0; i < 4; i++) for (const to of [TWO, THREE]) tunnelled(capture.at(1 + i), unicast(A, B), { to });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps silent about frames that are flooded to a multicast group', async () => {
    const capture = tunnelled(new Capture(), heard, { from: TWO, to: ONE });
    for (let i = 0; i < 4; i++) tunnelled(capture.at(1 + i), unicast(A, B), { to: '239.1.1.1' });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('only hints in a capture of the endpoint alone that frames go to, which may be copies of what is flooded', async () => {
    const atThree = (capture = new Capture()) => {
      tunnelled(capture, heard, { from: TWO, to: THREE });
      for (let i = 0; i < 4; i++) tunnelled(capture.at(1 + i), unicast(A, B), { to: THREE });
      return capture;
    };
    const [finding] = await atThree().findings(only);
    expect(finding.confidence).toBe('hint');
    expect(finding.caveats.join()).toContain('flooded');
    // The table of who sends shows which of the two it is.
    const context = (dst: string) =>
      endpoints([
        { name: 'one', address: ONE, fdb: [[B, dst]] },
        { name: 'two', address: TWO, fdb: [] },
        { name: 'three', address: THREE },
      ]);
    expect(await atThree().findings({ ...only, context: context(TWO) })).toEqual([]);
    expect(await atThree().findings({ ...only, context: context(THREE) })).toHaveLength(1);
    // It was there before: it moved away.
    const moved = atThree(tunnelled(new Capture(), heard, { from: THREE, to: ONE }).at(0.5));
    expect(inShort(await moved.findings(only)).map(([, confidence]) => confidence)).toEqual(['certain']);
  });

  it('keeps silent once the station speaks from there', async () => {
    const capture = tunnelled(misdirect(3).at(5), heard, { from: THREE, to: ONE });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('only hints where the station goes on answering: two addresses of one endpoint', async () => {
    const capture = tunnelled(new Capture(), heard, { from: TWO, to: ONE });
    for (let i = 0; i < 4; i++) {
      tunnelled(capture.at(1 + i), unicast(A, B), { to: THREE });
      tunnelled(capture.at(1.1 + i), unicast(B, A), { from: TWO, to: ONE });
    }
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['hint']);
  });

  it('keeps silent about mirrored traffic, which goes to a collector from where the station is', async () => {
    const capture = tunnelled(new Capture(), heard, { from: TWO, to: THREE });
    for (let i = 0; i < 5; i++) tunnelled(capture.at(1 + i), unicast(A, B), { from: TWO, to: THREE });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps VNIs apart', async () => {
    expect(await misdirect(4, { vni: 6 }).findings(only)).toEqual([]);
  });
});
