import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const [ONE, TWO] = ['10.0.0.1', '10.0.0.2'];

interface Set {
  /** `bridge vlan` of the trunk p1 and of the access port p2. */
  trunk?: object[];
  access?: object[];
  /** Tag protocols of the VLAN device and of the bridge. */
  device?: string;
  bridge?: string;
}

/** A on eth0.20 of `h` behind p1, B without tag on eth0 of `b` behind p2: both ports of one switch that keeps VLANs apart. */
function network({
  trunk = [{ vlan: 20 }],
  access = [{ vlan: 20, flags: ['PVID', 'Egress Untagged'] }],
  device = '802.1Q',
  bridge = '802.1Q',
}: Set = {}) {
  const veth = (ifindex: number, ifname: string, peer: number, netnsid: number, address: string) => ({
    ifindex,
    ifname,
    address,
    flags: ['UP', 'LOWER_UP'],
    link_index: peer,
    link_netnsid: netnsid,
    linkinfo: { info_kind: 'veth' },
  });
  const port = (...of: Parameters<typeof veth>) => ({
    ...veth(...of),
    master: 'br0',
    linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
  });
  const tagged = {
    ifindex: 3,
    ifname: 'eth0.20',
    address: A,
    link: 'eth0',
    flags: ['UP', 'LOWER_UP'],
    linkinfo: { info_kind: 'vlan', info_data: { id: 20, protocol: device } },
    addr_info: [{ family: 'inet', local: ONE, prefixlen: 24 }],
  };
  const plain = {
    ...veth(2, 'eth0', 5, 0, B),
    addr_info: [{ family: 'inet', local: TWO, prefixlen: 24 }],
  };
  const br0 = {
    ifindex: 9,
    ifname: 'br0',
    flags: ['UP'],
    linkinfo: { info_kind: 'bridge', info_data: { vlan_filtering: 1, vlan_protocol: bridge } },
  };
  const space = (devices: object[], names: string[]) => ({
    'ip -d -j link': devices,
    'ip -j addr': devices,
    'ip -j netns list-id': names.map((name, nsid) => ({ nsid, name })),
  });
  return parseContext({
    namespaces: {
      h: space([veth(2, 'eth0', 4, 0, A), tagged], ['sw']),
      b: space([plain], ['sw']),
      sw: {
        ...space([br0, port(4, 'p1', 2, 0, '02:00:00:00:00:f1'), port(5, 'p2', 2, 1, '02:00:00:00:00:f2')], ['h', 'b']),
        'bridge -d -j vlan': [
          { ifname: 'p1', vlans: trunk },
          { ifname: 'p2', vlans: access },
        ],
      },
    },
  });
}

const AT_H = { namespace: 'h', interface: 'eth0' };
const AT_B = { namespace: 'b', interface: 'eth0' };
/** At `h`: A asks with its tag. */
const atH = () => new Capture().at(1).askAgain(3, A, ONE, TWO, { vlan: 20 });
/** At `b`: B asks. */
const atB = () => new Capture().at(1).askAgain(3, B, TWO, ONE);

const told = async (capture: Capture, set: Set, vantage?: { namespace: string; interface: string }) => {
  const findings = await capture.findings({ context: network(set), ...(vantage ? { vantage } : {}) });
  return inShort(findings.filter(({ severity }) => severity !== 'info'));
};

describe('a switch port of the context', () => {
  it('that lacks the VLAN of the asker is the cause', async () => {
    const found = await told(atH(), { trunk: [{ vlan: 10 }] }, AT_H);
    expect(found).toEqual([['vlan/tag-mismatch', 'likely', [1, 2, 3]]]);
    const [finding] = await atH().findings({ context: network({ trunk: [{ vlan: 10 }] }), vantage: AT_H });
    expect(finding.title).toBe('10.0.0.1 cannot reach 10.0.0.2: switch port p1 does not carry VLAN 20');
    expect(finding.remedy[0].commands).toEqual(['ip netns exec sw bridge vlan add dev p1 vid 20']);
  });

  it('that lacks the VLAN of the target is the cause', async () => {
    const found = await told(atB(), { trunk: [{ vlan: 10 }] }, AT_B);
    expect(found).toEqual([['vlan/tag-mismatch', 'likely', [1, 2, 3]]]);
  });

  it('that has no VLAN for untagged frames is the cause', async () => {
    const set = { access: [{ vlan: 20, flags: ['Egress Untagged'] }] };
    expect(await told(atB(), set, AT_B)).toEqual([['vlan/tag-mismatch', 'likely', [1, 2, 3]]]);
    const [finding] = await atB().findings({ context: network(set), vantage: AT_B });
    expect(finding.remedy[0].commands).toEqual(['ip netns exec sw bridge vlan add dev p2 vid 20 pvid untagged']);
  });

  it('is told once where both ask', async () => {
    for (const vlan of [20, 30]) {
      const both = atH().at(1.5).askAgain(3, B, TWO, ONE, { vlan });
      const found = await told(both, { trunk: [{ vlan: 10 }] });
      expect(found).toEqual([['vlan/tag-mismatch', 'likely', [1, 2, 3, 4, 5, 6]]]);
    }
  });

  it('is not blamed where it carries the VLAN, or where the question is seen behind it', async () => {
    const mismatches = async (...of: Parameters<typeof told>) =>
      (await told(...of)).filter(([rule]) => rule === 'vlan/tag-mismatch' || rule === 'vlan/tpid-mismatch');
    expect(await mismatches(atH(), {}, AT_H)).toEqual([]);
    expect(await mismatches(atB(), {}, AT_B)).toEqual([]);
    const seen = new Capture().at(1).askAgain(3, A, ONE, TWO);
    expect(await mismatches(seen, { trunk: [{ vlan: 10 }] }, AT_B)).toEqual([]);
  });
});

describe('a switch that keeps VLANs apart by another tag', () => {
  it('takes that of the host for data, which is the cause', async () => {
    for (const [capture, vantage] of [
      [atH(), AT_H],
      [atB(), AT_B],
    ] as const) {
      const found = await told(capture, { device: '802.1ad' }, vantage);
      expect(found).toEqual([['vlan/tpid-mismatch', 'likely', [1, 2, 3]]]);
    }
    const [finding] = await atB().findings({ context: network({ device: '802.1ad' }), vantage: AT_B });
    expect(finding.title).toContain('eth0.20 in h tags VLAN 20 as 802.1ad, the switch knows 802.1Q');
    expect(finding.remedy[0].commands).toEqual([
      'ip netns exec h ip link del eth0.20',
      'ip netns exec h ip link add link eth0 name eth0.20 type vlan proto 802.1Q id 20',
    ]);
  });

  it('is not blamed where the other host is in another VLAN, as behind a provider bridge, or both know one tag', async () => {
    const tpids = async (set: Set) => (await told(atB(), set, AT_B)).filter(([rule]) => rule === 'vlan/tpid-mismatch');
    expect(await tpids({ bridge: '802.1ad', access: [{ vlan: 7, flags: ['PVID', 'Egress Untagged'] }] })).toEqual([]);
    expect(await tpids({ device: '802.1ad', bridge: '802.1ad' })).toEqual([]);
  });
});
