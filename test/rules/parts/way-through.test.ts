import { describe, expect, it } from 'vitest';
import type { HostContext } from '../../../src/network/context/host-context.js';
import { DROP, field, when } from '../../support/nft.js';
import { ping } from '../../support/ping.js';
import { syns } from '../../support/tcp.js';
import { ASKER, BEYOND, behindRouter, NEAR, TARGET } from '../../support/way.js';
import { Capture } from '../../support/wire.js';

/** A ruleset with one rule, in the chain `f` on a hook. */
function one(family: string, hook: string, statements: readonly object[]): object[] {
  const where = { family, table: 'fw' };
  return [
    { table: { family, name: 'fw' } },
    { chain: { ...where, name: 'f', type: 'filter', hook, prio: 0, policy: 'accept' } },
    { rule: { ...where, chain: 'f', handle: 2, expr: statements } },
  ];
}

const near = { mac: NEAR.mac, ip: TARGET.ip };
const pings = () => ping(new Capture(), 4, { from: ASKER, to: near }).at(20).ask(ASKER.mac, ASKER.ip, '10.1.0.99');
const AT_ASKER = { namespace: 'a', interface: 'eth0' };
const select = ['icmp/echo-unanswered', 'tcp/syn-unanswered', 'bridge/filter-drops-ip', 'ip/not-forwarded'];
const told = async (context: HostContext, vantage = AT_ASKER, capture = pings()) => {
  const findings = await capture.findings({ select, context, vantage });
  expect(findings).toHaveLength(1);
  return findings[0];
};
const requests = [when('icmp type', 'echo-request'), DROP];
const replies = [when('icmp type', 'echo-reply'), DROP];

describe('a firewall on the way', () => {
  it('of a bridge behind a router is named, with what lets both ways through', async () => {
    const drops = behindRouter({ sw: one('bridge', 'forward', [when('ip protocol', 'icmp'), DROP]) });
    const finding = await told(drops);
    expect(finding).toMatchObject({ rule: 'icmp/echo-unanswered', confidence: 'likely' });
    expect(finding.title).toContain('the firewall of the bridge br0 in sw drops them');
    expect(finding.caveats).toContain('that the requests get to the bridge br0 in sw is not in this capture');
    expect(finding.remedy[1].commands).toEqual([
      `ip netns exec sw nft insert rule bridge fw f handle 2 ip saddr ${ASKER.ip} ip daddr ${TARGET.ip} icmp type echo-request accept`,
      `ip netns exec sw nft insert rule bridge fw f handle 2 ip saddr ${TARGET.ip} ip daddr ${ASKER.ip} icmp type echo-reply accept`,
    ]);
    const connects = syns(new Capture(), 4, {}, 1, ASKER, near).at(30).ask(ASKER.mac, ASKER.ip, '10.1.0.99');
    const closed = behindRouter({ sw: one('bridge', 'forward', [when('tcp dport', 80), DROP]) });
    expect((await told(closed, AT_ASKER, connects)).title).toContain('the firewall of the bridge br0 in sw drops them');
  });

  it('is named for answers, on their way back', async () => {
    const finding = await told(behindRouter({ sw: one('bridge', 'forward', replies) }));
    expect(finding.title).toContain('the firewall of the bridge br0 in sw drops the answers');
    expect(finding.confidence).toBe('likely');
  });

  it('of the host of a bridge counts where bridged packets are handed to it', async () => {
    const rules = { sw: one('ip', 'forward', requests) };
    expect((await told(behindRouter(rules))).title).not.toContain('firewall');
    const called = { 'net.bridge.bridge-nf-call-iptables': '1' };
    expect((await told(behindRouter(rules, called))).title).toContain('the bridge br0 in sw');
  });

  it('is not named for what it lets through, where requests were seen behind it, or where its rules are not known', async () => {
    const other = one('bridge', 'forward', [when('ip saddr', '10.9.0.1'), DROP]);
    const marked = one('bridge', 'forward', [{ limit: { rate: 5, per: 'second', inv: true } }, DROP]);
    for (const rules of [
      {},
      { sw: other },
      { sw: marked },
      { t: one('inet', 'output', [{ match: { op: '==', left: field('icmp type'), right: 'echo-request' } }, DROP]) },
    ])
      expect((await told(behindRouter(rules))).title, JSON.stringify(rules)).not.toContain('firewall');
    const behind = ping(new Capture(), 4, { from: { ...ASKER, mac: BEYOND.mac }, to: TARGET, ttl: 63 })
      .at(20)
      .ask(BEYOND.mac, BEYOND.ip, '10.2.0.99');
    const drops = behindRouter({ sw: one('bridge', 'forward', requests) });
    expect((await told(drops, { namespace: 't', interface: 'eth0' }, behind)).title).not.toContain('firewall');
    // Replies are lacking where they were seen to have passed already.
    const back = behindRouter({
      r: one('inet', 'forward', [when('icmp type', 'echo-reply'), when('iifname', 'eth9'), DROP]),
    });
    expect((await told(back)).title).not.toContain('firewall');
  });
});
