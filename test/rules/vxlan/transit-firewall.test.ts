import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { DROP, when } from '../../support/nft.js';
import { arpRequest, B, ONE, tunnelled, underlayMac } from '../../support/tunnel.js';
import { Capture } from '../../support/wire.js';

/** Two endpoints behind a router each way, which has an address in both networks. */
const [AT_ONE, AT_TWO] = ['10.1.1.250', '10.1.2.250'];
const FAR = '10.1.2.2';

function rules(expr: readonly object[] | null, more: object = {}): object[] {
  const where = { family: 'inet', table: 'f' };
  const base = { chain: { ...where, name: 'c', type: 'filter', hook: 'forward', prio: 0, policy: 'accept', ...more } };
  return expr ? [base, { rule: { ...where, chain: 'c', handle: 2, expr } }] : [base];
}

function between(nft: readonly object[], forwarding = '1') {
  const cable = (ifindex: number, ifname: string, link_index: number, link_netnsid: number, address: string) => ({
    ifindex,
    ifname,
    link_index,
    link_netnsid,
    link_type: 'ether',
    flags: ['UP', 'LOWER_UP'],
    linkinfo: { info_kind: 'veth' },
    address: underlayMac(address),
    addr_info: [{ family: 'inet', local: address, prefixlen: 24 }],
  });
  const vxlan = (local: string) => ({
    ifindex: 9,
    ifname: 'vx0',
    flags: ['UP', 'LOWER_UP'],
    address: `02:00:00:00:09:0${local === ONE ? 1 : 2}`,
    linkinfo: { info_kind: 'vxlan', info_data: { id: 5, port: 4789, local, link: 'eth0' } },
  });
  const machine = (id: string, devices: readonly object[], routes: readonly object[], more: object = {}) => ({
    'ip -d -j link': devices,
    'ip -j addr': devices,
    'ip -j route': routes,
    'ip -j netns list-id': id.split(' ').map((name, nsid) => ({ nsid, name })),
    'nft -j list ruleset': { nftables: [{ metainfo: {} }] },
    ...more,
  });
  const onLink = (dst: string, dev: string) => ({ dst, dev });
  const end = (own: string, gateway: string, index: number, peer: number) =>
    machine(
      'r',
      [cable(index, 'eth0', peer, 0, own), vxlan(own)],
      [onLink(`${own.slice(0, -2)}.0/24`, 'eth0'), { dst: 'default', gateway, dev: 'eth0' }],
    );
  const routes = [onLink('10.1.1.0/24', 'r1'), onLink('10.1.2.0/24', 'r2')];
  return parseContext({
    namespaces: {
      one: end(ONE, AT_ONE, 2, 3),
      two: end(FAR, AT_TWO, 5, 4),
      r: machine('one two', [cable(3, 'r1', 2, 0, AT_ONE), cable(4, 'r2', 5, 1, AT_TWO)], routes, {
        'nft -j list ruleset': { nftables: nft },
        sysctl: { 'net.ipv4.ip_forward': forwarding },
      }),
    },
  });
}

const way = { from: ONE, to: FAR };
const asked = () => {
  const capture = new Capture();
  for (let i = 0; i < 3; i++) tunnelled(capture.at(1 + i), arpRequest(B, '192.168.5.1', '192.168.5.2'), way);
  return tunnelled(capture.at(9), arpRequest(B, '192.168.5.1', '192.168.5.9'), way);
};
const told = async (nft: readonly object[], vantage = { namespace: 'one', interface: 'eth0' }, forwarding = '1') =>
  (await asked().findings({ select: ['vxlan/one-way'], context: between(nft, forwarding), vantage })).filter(
    ({ severity }) => severity === 'error',
  );
const dport = when('udp dport', 4789);

describe('vxlan/one-way where a router between the endpoints drops it', () => {
  it('names the router and its rule, and lets both ways through', async () => {
    const [finding] = await told(rules([dport, { counter: { packets: 3, bytes: 300 } }, DROP]));
    expect(finding.confidence).toBe('certain');
    expect(finding.title).toBe(
      `The router r1 in r drops the VXLAN from ${ONE} to ${FAR}: a rule of its firewall is against UDP port 4789`,
    );
    expect(finding.remedy[1].commands).toEqual([
      `ip netns exec r nft insert rule inet f c handle 2 ip saddr ${ONE} ip daddr ${FAR} udp dport 4789 accept`,
      `ip netns exec r nft insert rule inet f c handle 2 ip saddr ${FAR} ip daddr ${ONE} udp dport 4789 accept`,
    ]);
    const [policy] = await told(rules(null, { policy: 'drop' }));
    expect(policy).toMatchObject({ confidence: 'likely', caveats: [expect.stringContaining('does not count')] });
  });

  it('knows what comes back from what goes there', async () => {
    const [finding] = await told(rules([when('ip saddr', FAR), dport, DROP]));
    expect(finding.title).toContain(`drops the VXLAN from ${FAR} to ${ONE}`);
  });

  it('keeps silent of other ports, where it is seen behind the router, and where that does not forward', async () => {
    expect(await told(rules([when('udp dport', 8472), DROP]))).toEqual([]);
    expect(await told(rules([when('ip saddr', ONE), dport, DROP]), { namespace: 'two', interface: 'eth0' })).toEqual(
      [],
    );
    expect(await told(rules([dport, DROP]), undefined, '0')).toEqual([]);
  });

  it('tells of a router that translates the source', async () => {
    const nat = rules([{ masquerade: null }], { hook: 'postrouting', type: 'nat', prio: 100 });
    const [finding] = await asked().findings({
      select: ['vxlan/one-way'],
      context: between(nat),
      vantage: { namespace: 'one', interface: 'eth0' },
    });
    expect(finding.cause).toContain('r2 in r, on the way, writes its own source address');
    expect(finding.remedy[0].commands[0]).toBe('ip netns exec r nft insert rule inet f c udp dport 4789 accept');
  });
});
