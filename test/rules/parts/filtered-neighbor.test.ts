import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { advertisement, solicitation } from '../../support/nd.js';
import { ACCEPT, DROP, when } from '../../support/nft.js';
import { Capture } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const ASK = solicitation(A, 'fd00::1', 'fd00::2');
const ANSWER = advertisement(B, 'fd00::2', { mac: A, ip: 'fd00::1' });
const [NEAR, FAR] = [
  { namespace: 'h1', interface: 'eth0' },
  { namespace: 'h2', interface: 'eth0' },
];
const select = ['nd/unanswered', 'arp/reply-not-accepted'];

type Rulesets = Readonly<Record<string, readonly object[]>>;

/** A chain `f` on a hook, with one rule. */
function one(family: string, hook: string, expr: readonly object[] | null, policy = 'accept'): object[] {
  const where = { family, table: 'fw' };
  const base = { chain: { ...where, name: 'f', type: 'filter', hook, prio: 0, policy } };
  return expr ? [base, { rule: { ...where, chain: 'f', handle: 2, expr } }] : [base];
}

/** fd00::1 and fd00::2 on the ports of a bridge, with what `nft` says of each machine. */
function bridged(rulesets: Rulesets, sysctl: object = {}, { far = '', routes = [] as object[] } = {}) {
  const base = { link_type: 'ether', flags: ['UP', 'LOWER_UP'], linkinfo: { info_kind: 'veth' } };
  const nft = (name: string) => ({
    'nft -j list ruleset': { nftables: [{ metainfo: {} }, ...(rulesets[name] ?? [])] },
  });
  const host = (name: string, address: string, ifindex: number, link_netnsid: number, local: string) => {
    const device = { ...base, ifindex, ifname: 'eth0', link_index: ifindex + 10, link_netnsid, address };
    return {
      'ip -d -j link': [device],
      'ip -j addr': [{ ...device, addr_info: [{ family: 'inet6', local, prefixlen: 64 }] }],
      ...nft(name),
    };
  };
  const port = (ifindex: number, link_netnsid: number) => ({
    ...base,
    ifindex: ifindex + 10,
    ifname: `p-h${ifindex - 1}`,
    link_index: ifindex,
    link_netnsid,
    master: 'br0',
    address: `02:00:00:00:01:0${ifindex}`,
    linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
  });
  const bridge = {
    ...base,
    ifindex: 8,
    ifname: 'br0',
    address: '02:00:00:00:02:08',
    linkinfo: { info_kind: 'bridge' },
  };
  return parseContext({
    namespaces: {
      h1: { ...host('h1', A, 2, 0, 'fd00::1'), 'ip -6 -j route': routes },
      ...(far ? { far: host('far', '02:00:00:00:00:07', 7, 0, far) } : {}),
      h2: host('h2', B, 3, 0, 'fd00::2'),
      sw: { 'ip -d -j link': [bridge, port(2, 1), port(3, 2)], sysctl, ...nft('sw') },
    },
  });
}

const asks = (isAnswered = false) => {
  const capture = new Capture();
  for (let i = 0; i < 4; i++) {
    capture.at(i * 1.02).raw(ASK);
    if (isAnswered) capture.at(i * 1.02 + 0.001).raw(ANSWER);
  }
  return capture;
};
const told = async (rulesets: Rulesets, { vantage = NEAR, capture = asks(), sysctl = {} } = {}) => {
  const findings = await capture.findings({ select, context: bridged(rulesets, sysctl), vantage });
  expect(findings).toHaveLength(1);
  return findings[0];
};
const SOLICITS = [when('icmpv6 type', 'nd-neighbor-solicit'), DROP];
const ADVERTS = [when('icmpv6 type', 136), DROP];

describe('neighbor discovery that a firewall drops', () => {
  it('is told of the bridge between the two, with what lets both messages through', async () => {
    const finding = await told({ sw: one('bridge', 'forward', SOLICITS) });
    expect(finding.title).toBe(
      'fd00::1 looks for fd00::2 and gets no answer: the firewall of the bridge br0 in sw drops neighbor solicitations',
    );
    expect(finding.remedy[1].commands).toEqual([
      'ip netns exec sw nft insert rule bridge fw f handle 2 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
    ]);
    expect((await told({ sw: one('bridge', 'forward', ADVERTS) })).title).toContain('drops neighbor advertisements');
  });

  it('is told of the target, whose rules for established connections do not let it in', async () => {
    const established = one('inet', 'input', [when('ct state', 'established', 'in'), ACCEPT], 'drop');
    const finding = await told({ h2: established });
    expect(finding.title).toContain('the firewall of fd00::2 drops neighbor solicitations');
    expect((await told({ h2: one('inet', 'output', ADVERTS) })).title).toContain('the firewall of fd00::2 drops');
  });

  it('is told where answers are seen and do not arrive, or are not let in', async () => {
    const answered = asks(true);
    const bridge = await told({ sw: one('bridge', 'forward', ADVERTS) }, { vantage: FAR, capture: answered });
    expect(bridge).toMatchObject({ rule: 'arp/reply-not-accepted', confidence: 'likely' });
    expect(bridge.title).toContain('the firewall of the bridge br0 in sw drops neighbor advertisements');
    const own = await told({ h1: one('inet', 'input', null, 'drop') }, { capture: answered });
    expect(own.title).toContain('the firewall of fd00::1 drops neighbor advertisements');
  });

  it('is told of the host of the bridge where bridged packets are handed to it', async () => {
    const rules = { sw: one('ip6', 'forward', null, 'drop') };
    expect((await told(rules)).title).not.toContain('firewall');
    const sysctl = { 'net.bridge.bridge-nf-call-ip6tables': '1' };
    expect((await told(rules, { sysctl })).title).toContain('the firewall of the bridge br0 in sw');
  });

  it('is told of the asker where no answer is seen either', async () => {
    const { title } = await told({ h1: one('inet', 'input', ADVERTS) });
    expect(title).toContain('the firewall of fd00::1 drops neighbor advertisements');
  });

  it('is told of the one on the link where others have the address elsewhere', async () => {
    const rulesets = { h2: one('inet', 'input', SOLICITS) };
    const context = bridged(rulesets, {}, { far: 'fd00::2' });
    const [{ title }] = await asks().findings({ select, context, vantage: NEAR });
    expect(title).toContain('the firewall of fd00::2 drops neighbor solicitations');
  });

  it('is told of a gateway, with no other in its place', async () => {
    const rulesets = { h2: one('inet', 'input', SOLICITS) };
    const context = bridged(rulesets, {}, { routes: [{ dst: 'default', gateway: 'fd00::2', dev: 'eth0' }] });
    const [finding, ...others] = await asks().findings({ context, vantage: NEAR });
    expect([finding.rule, ...others.map(({ rule }) => rule)]).toEqual(['arp/gateway-unanswered']);
    expect(finding.title).toContain('its gateway fd00::2: the firewall of fd00::2 drops neighbor solicitations');
    expect(finding.remedy.flatMap(({ commands }) => commands).join()).not.toContain('route replace');
  });

  it('is not of other messages, of rules that let it through, or where it was seen behind the bridge', async () => {
    for (const expr of [
      [when('icmpv6 type', 'echo-request'), DROP],
      [when('icmpv6 type', 'nd-router-advert'), DROP],
      [when('icmp type', 135), DROP],
      [when('ip6 daddr', 'fd00::2'), when('icmpv6 type', 'nd-neighbor-solicit'), DROP],
      [{ limit: { rate: 5, per: 'second', inv: true } }, DROP],
    ])
      expect((await told({ sw: one('bridge', 'forward', expr) })).title, JSON.stringify(expr)).not.toContain(
        'firewall',
      );
    const open = one(
      'inet',
      'input',
      [when('icmpv6 type', { set: ['nd-neighbor-solicit', 'nd-neighbor-advert'] }), ACCEPT],
      'drop',
    );
    expect((await told({ h2: open })).title).not.toContain('firewall');
    const fromTheLink = one('inet', 'input', [when('ip6 hoplimit', 255), ACCEPT], 'drop');
    expect((await told({ h2: fromTheLink })).title).not.toContain('firewall');
    expect((await told({ sw: one('bridge', 'forward', SOLICITS) }, { vantage: FAR })).title).not.toContain('firewall');
  });
});
