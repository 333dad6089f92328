import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { A, arpRequest, B, ONE, THREE, TWO, tunnelled } from '../../support/tunnel.js';
import { Capture } from '../../support/wire.js';

const [ASKER, TARGET] = ['192.168.5.1', '192.168.5.2'];
const [G1, G2] = ['239.1.1.1', '239.1.1.2'];
const NOBODY = '00:00:00:00:00:00';
const select = ['vxlan/no-flood-target', 'vxlan/group-mismatch', 'vxlan/one-way', 'arp/unanswered'];
const UP = { link_type: 'ether', flags: ['UP', 'LOWER_UP'], mtu: 1500 };

interface End {
  group?: string;
  isDown?: boolean;
  vni?: number;
  /** The device that carries the tunnel: eth0 is in the network of the endpoints, eth1 in another. */
  dev?: 'eth0' | 'eth1';
  fdb?: readonly string[];
  nft?: readonly object[];
  /** A second VXLAN device there: its VNI and group. */
  beside?: readonly [number, string];
  /** A group that was given to eth0 as an address (`autojoin`). */
  autojoin?: string;
  learning?: boolean;
}

/** A machine with two underlay devices, whose VXLAN device is a station itself. */
function end(own: string, station: string, ip: string, how: End): object {
  const last = own.at(-1);
  const { group, isDown = false, vni = 5, dev = 'eth0', fdb = [], nft = [], beside, autojoin, learning = true } = how;
  const vxlan = (id: number, joined?: string) => ({
    info_kind: 'vxlan',
    info_data: { id, port: 4789, link: dev, learning, ...(joined ? { group: joined } : {}) },
  });
  const down = isDown ? { ...UP, flags: [] } : UP;
  const address = (ifindex: number, ifname: string, ...locals: string[]) => ({
    ifindex,
    ifname,
    addr_info: locals.map((local) => ({
      family: local.includes(':') ? 'inet6' : 'inet',
      local,
      prefixlen: local.startsWith('239') ? 32 : 24,
    })),
  });
  return {
    'ip -d -j link': [
      { ...UP, ifindex: 2, ifname: 'eth0', address: `02:00:00:00:00:1${last}` },
      { ...UP, ifindex: 3, ifname: 'eth1', address: `02:00:00:00:01:0${last}` },
      { ...down, ifindex: 4, ifname: 'vx0', address: station, linkinfo: vxlan(vni, group) },
      ...(beside
        ? [{ ...UP, ifindex: 5, ifname: 'vx1', address: `02:00:00:00:02:0${last}`, linkinfo: vxlan(...beside) }]
        : []),
    ],
    'ip -j addr': [
      address(2, 'eth0', own, ...(autojoin ? [autojoin] : [])),
      // Each machine has its own second network.
      address(3, 'eth1', own.includes(':') ? `fd0${last}:1::1` : `10.2.${last}.1`),
      address(4, 'vx0', ip),
    ],
    'ip -j route': [{ dst: '10.1.1.0/24', dev: 'eth0' }],
    'bridge -j fdb': (group ? [group, ...fdb] : fdb).map((dst) => ({
      mac: NOBODY,
      ifname: 'vx0',
      dst,
      flags: ['self'],
    })),
    'nft -j list ruleset': { nftables: nft },
  };
}

/** What is told where A asks for the address of B in vain, captured where no tunnel is seen. */
async function told(
  one: End,
  two: End,
  { times = 3, third, seen = false, answered = false, below = [ONE, TWO] }: Asked = {},
) {
  const context = parseContext({
    namespaces: {
      one: end(below[0], A, ASKER, one),
      two: end(below[1], B, TARGET, two),
      ...(third ? { three: end(THREE, '52:54:00:00:00:0c', '192.168.5.3', third) } : {}),
    },
  });
  const capture = new Capture();
  if (seen) tunnelled(capture, arpRequest(B, TARGET, '192.168.5.9'), { from: TWO, to: ONE });
  for (let i = 0; i < times; i++) capture.at(1 + i).ask(A, ASKER, TARGET);
  if (answered) capture.at(3.1).answer(B, TARGET, A, ASKER);
  capture.at(9).ask('02:00:00:00:00:77', '192.168.5.77', ASKER);
  return (await capture.findings({ select, context })).filter(({ rule }) => rule.startsWith('vxlan/'));
}

interface Asked {
  times?: number;
  third?: End;
  seen?: boolean;
  answered?: boolean;
  /** Addresses of the two endpoints. */
  below?: readonly [string, string];
}

const inBrief = (findings: Awaited<ReturnType<typeof told>>) =>
  findings.map(({ rule, confidence }) => `${rule} ${confidence}`);

describe('a VXLAN device that is down', () => {
  it('is named, on either side', async () => {
    const [near, ...others] = await told({ group: G1, isDown: true }, { group: G1 });
    expect(others).toEqual([]);
    expect(near).toMatchObject({ rule: 'vxlan/no-flood-target', confidence: 'certain' });
    expect(near.title).toBe(`VXLAN device vx0 in one is down: ${ASKER} asks for ${TARGET} in vain`);
    expect(near.remedy[0].commands).toEqual(['ip netns exec one ip link set vx0 up']);
    expect(near.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
    const [far] = await told({ group: G1 }, { group: G1, isDown: true });
    expect(far.title).toBe(`VXLAN device vx0 in two is down: ${ASKER} asks for ${TARGET} in vain`);
    const [listed] = await told({ fdb: [TWO] }, { fdb: [ONE], isDown: true });
    expect(listed.subject).toEqual({ device: 'vx0 in two', ip: TARGET, vni: 5 });
  });

  it('is none where its endpoint is heard, where an answer comes, and where the VNIs differ', async () => {
    const down: End = { group: G1, isDown: true };
    expect(await told({ group: G1 }, down, { seen: true })).toEqual([]);
    expect(await told({ group: G1 }, down, { answered: true })).toEqual([]);
    expect(await told({ group: G1 }, down, { times: 2 })).toEqual([]);
    expect(await told({ group: G1 }, { ...down, vni: 6 })).toEqual([]);
  });
});

describe('a multicast group that the far end is not on', () => {
  it('is told where the far end was made without a group', async () => {
    const [finding, ...others] = await told({ group: G1 }, { fdb: [ONE] });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'vxlan/no-flood-target', confidence: 'certain' });
    expect(finding.subject).toEqual({ device: 'vx0 in one', ip: TARGET, group: G1, missing: TWO, vni: 5 });
    expect(finding.remedy.map(({ commands }) => commands)).toEqual([
      [`ip netns exec one bridge fdb append ${NOBODY} dev vx0 dst ${TWO}`],
      [
        'ip netns exec two ip link del vx0',
        `ip netns exec two ip link add vx0 address ${B} mtu 1500 type vxlan id 5 group ${G1} dev eth0 dstport 4789`,
        `ip netns exec two bridge fdb append ${NOBODY} dev vx0 dst ${ONE}`,
        `ip netns exec two ip addr add ${TARGET}/24 dev vx0`,
        'ip netns exec two ip link set vx0 up',
      ],
    ]);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
  });

  it.each<[string, End, End, Asked]>([
    ['both are on it', { group: G1 }, { group: G1 }, {}],
    ['the near end floods to the far one as well', { group: G1, fdb: [TWO] }, { fdb: [ONE] }, {}],
    ['another VXLAN device there joined it', { group: G1 }, { fdb: [ONE], beside: [9, G1] }, {}],
    ['an address joined it', { group: G1 }, { fdb: [ONE], autojoin: G1 }, {}],
    ['the VNIs differ', { group: G1 }, { fdb: [ONE], vni: 6 }, {}],
    ['it was answered', { group: G1 }, { fdb: [ONE] }, { answered: true }],
    ['it was asked twice only', { group: G1 }, { fdb: [ONE] }, { times: 2 }],
    ['neither has one', { fdb: [TWO] }, { fdb: [ONE] }, {}],
  ])('keeps silent where %s', async (_, one, two, how) => {
    expect(await told(one, two, how)).toEqual([]);
  });

  it('is told where another device there joined another group', async () => {
    expect(inBrief(await told({ group: G1 }, { fdb: [ONE], beside: [9, G2] }))).toEqual([
      'vxlan/no-flood-target certain',
    ]);
  });

  it('is another group: the odd one of three is made again, or that of the one that asks', async () => {
    const [finding, ...others] = await told({ group: G1 }, { group: G2 });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'vxlan/group-mismatch', confidence: 'certain' });
    expect(finding.title).toBe(`vx0 in one floods VNI 5 to ${G1}, vx0 in two to ${G2}: no answer for ${TARGET}`);
    const made = (name: string, mac: string, group: string) =>
      `ip netns exec ${name} ip link add vx0 address ${mac} mtu 1500 type vxlan id 5 group ${group} dev eth0 dstport 4789`;
    expect(finding.remedy[0].commands).toContain(made('one', A, G2));
    // What the new settings put into the list is not put there again.
    expect(finding.remedy[0].commands.join()).not.toContain('fdb');
    const [odd] = await told({ group: G1 }, { group: G2 }, { third: { group: G1 } });
    expect(odd.remedy[0].commands).toContain(made('two', B, G1));
    expect(await told({ group: G1 }, { group: G2, beside: [9, G1] })).toEqual([]);
  });

  it('is told once where its frames are seen beside those of the stations, as with -i any', async () => {
    const context = parseContext({
      namespaces: { one: end(ONE, A, ASKER, { group: G1 }), two: end(TWO, B, TARGET, { group: G2 }) },
    });
    const capture = new Capture();
    for (let i = 0; i < 3; i++) {
      capture.at(1 + i).ask(A, ASKER, TARGET);
      tunnelled(capture, arpRequest(A, ASKER, TARGET), { to: G1 });
    }
    capture.at(9).ask('02:00:00:00:00:77', '192.168.5.77', ASKER);
    const findings = await capture.findings({ select, context });
    expect(findings.filter(({ rule }) => rule.startsWith('vxlan/')).map(({ title }) => title)).toEqual([
      `${ONE} floods VNI 5 to ${G1}, two to ${G2}`,
    ]);
  });

  it('is joined in another network: likely, with the device that is in the right one', async () => {
    const [finding, ...others] = await told({ group: G1 }, { group: G1, dev: 'eth1' });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'vxlan/no-flood-target', confidence: 'likely' });
    expect(finding.title).toContain(
      `floods VNI 5 to ${G1} by eth0, and vx0 in two joined it by eth1, in another network`,
    );
    expect(finding.remedy[0].commands[1]).toContain(`group ${G1} dev eth0 dstport 4789`);
    const [near] = await told({ group: G1, dev: 'eth1' }, { group: G1 });
    expect(near.remedy[0].commands[1]).toContain(`ip netns exec one ip link add vx0`);
    // Routers of multicast may be between two networks that no machine has both of.
    expect(await told({ group: G1, dev: 'eth1' }, { group: G1, dev: 'eth1' })).toEqual([]);
  });
});

describe('a multicast group of IPv6', () => {
  const [NEAR, FAR] = ['fd09::1', 'fd09::2'];
  const below = [NEAR, FAR] as const;
  const [group, other] = ['ff05::777', 'ff05::778'];

  it('is told as one of IPv4', async () => {
    const [lacks, ...more] = await told({ group }, { fdb: [NEAR] }, { below });
    expect(more).toEqual([]);
    expect(lacks.subject).toEqual({ device: 'vx0 in one', ip: TARGET, group, missing: FAR, vni: 5 });
    expect(inBrief(await told({ group }, { group: other }, { below }))).toEqual(['vxlan/group-mismatch certain']);
    expect(inBrief(await told({ group }, { group, dev: 'eth1' }, { below }))).toEqual(['vxlan/no-flood-target likely']);
    expect(await told({ group }, { group }, { below })).toEqual([]);
    const nft = [
      { chain: { family: 'inet', table: 'f', name: 'c', type: 'filter', hook: 'input', prio: 0, policy: 'drop' } },
    ];
    const [dropped] = await told({ group }, { group, nft }, { below });
    expect(dropped.title).toContain(`${FAR} drops the VXLAN from ${NEAR} to ${group}`);
    expect(dropped.remedy[1].commands[0]).toContain(`ip6 saddr ${NEAR} ip6 daddr ${group} udp dport 4789 accept`);
  });
});

describe('the firewall of the far end, and what is flooded to a group', () => {
  const where = { family: 'inet', table: 'f' };
  const chain = (policy: string) => ({
    chain: { ...where, name: 'c', type: 'filter', hook: 'input', prio: 0, policy },
  });
  const rule = (...expr: object[]) => ({ rule: { ...where, chain: 'c', handle: 7, expr } });
  const match = (left: object, right: unknown) => ({ match: { op: '==', left, right } });
  const groups = match({ payload: { protocol: 'ip', field: 'daddr' } }, { prefix: { addr: '224.0.0.0', len: 4 } });
  const port = match({ payload: { protocol: 'udp', field: 'dport' } }, 4789);
  const counter = { counter: { packets: 3, bytes: 300 } };
  const drops = (...expr: object[]): End => ({
    group: G1,
    nft: [chain('accept'), rule(...expr, counter, { drop: null })],
  });
  const policy = (...rules: object[]): End => ({ group: G1, nft: [chain('drop'), ...rules] });
  const near: End = { group: G1 };

  it('drops groups by a rule', async () => {
    const [finding, ...others] = await told(near, drops(groups, port));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'vxlan/one-way', confidence: 'certain' });
    expect(finding.title).toBe(
      `${TWO} drops the VXLAN from ${ONE} to ${G1}: a rule of its firewall is against UDP port 4789`,
    );
    // The rule is not against what follows by the address of the endpoint.
    expect(finding.remedy[1].commands).toEqual([
      `ip netns exec two nft insert rule inet f c handle 7 ip saddr ${ONE} ip daddr ${G1} udp dport 4789 accept`,
    ]);
    // A rule that counts other groups too.
    expect(inBrief(await told(near, drops(groups)))).toEqual(['vxlan/one-way likely']);
  });

  it('drops all of it by its policy: the cure lets both through', async () => {
    const [finding, ...others] = await told(near, policy());
    expect(others).toEqual([]);
    expect(finding.title).toBe(
      `${TWO} drops the VXLAN from ${ONE} to ${G1}: the policy of its firewall is against UDP port 4789`,
    );
    const commands = finding.remedy[1].commands.join('\n');
    expect(commands).toContain(`ip saddr ${ONE} ip daddr ${G1} udp dport 4789 accept`);
    expect(commands).toContain(`ip saddr ${ONE} ip daddr ${TWO} udp dport 4789 accept`);
  });

  it('tells them apart by what they are to the machine', async () => {
    const fib = (type: string) => match({ fib: { result: 'type', flags: 'daddr' } }, type);
    expect(inBrief(await told(near, drops(fib('multicast'))))).toEqual(['vxlan/one-way likely']);
    expect(inBrief(await told(near, drops(fib('broadcast'))))).toEqual([]);
    const packets = (type: string) => match({ meta: { key: 'pkttype' } }, type);
    expect(inBrief(await told(near, drops(packets('multicast'))))).toEqual(['vxlan/one-way likely']);
    expect(inBrief(await told(near, drops(packets('broadcast'))))).toEqual([]);
    expect(inBrief(await told(near, policy(rule(fib('multicast'), { accept: null }))))).toEqual([]);
  });

  it('refuses groups without a word', async () => {
    const refuses: End = { group: G1, nft: [chain('accept'), rule(port, counter, { reject: null })] };
    expect(inBrief(await told(near, refuses))).toEqual(['vxlan/one-way certain']);
  });

  it('keeps silent where it lets the tunnel through, and where a reply comes', async () => {
    expect(await told(near, policy(rule(port, { accept: null })))).toEqual([]);
    expect(await told(near, drops(match({ meta: { key: 'iifname' } }, 'eth1'), groups))).toEqual([]);
    expect(await told(near, drops(groups), { answered: true })).toEqual([]);
    expect(await told(near, drops(groups), { times: 2 })).toEqual([]);
  });
});
