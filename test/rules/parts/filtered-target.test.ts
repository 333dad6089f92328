import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACCEPT, chain, counter, DROP, filtering, rule, when } from '../../support/nft.js';
import { pings } from '../../support/routed.js';
import { syns } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

const input = (more: object = {}) => chain('in', { type: 'filter', hook: 'input', prio: 0, policy: 'accept', ...more });
const output = chain('out', { type: 'filter', hook: 'output', prio: 0, policy: 'accept' });
const select = ['icmp/echo-unanswered', 'tcp/syn-unanswered', 'ip/not-forwarded'];
const ask = async (items: readonly object[], capture = pings(PEER, { from: HOST })) => {
  const findings = await capture.findings({ select, context: filtering(items) });
  expect(findings).toHaveLength(1);
  return findings[0];
};

describe('the firewall of a target', () => {
  it('is named with the rule or policy that drops pings, and what lets them in', async () => {
    const finding = await ask([input(), rule('in', [when('icmp type', 'echo-request'), DROP], { handle: 4 })]);
    expect(finding.rule).toBe('icmp/echo-unanswered');
    expect(finding.confidence).toBe('certain');
    expect(finding.title).toContain(`the firewall of ${PEER.ip} drops them`);
    expect(finding.cause).toContain('the rule `icmp type echo-request drop` in chain inet fw in, handle 4');
    expect(finding.remedy[1].commands).toEqual([
      `ip netns exec box nft insert rule inet fw in handle 4 ip saddr ${HOST.ip} ip daddr ${PEER.ip} icmp type echo-request accept`,
    ]);
    const policy = await ask([input({ policy: 'drop' }), rule('in', [when('tcp dport', 22), ACCEPT])]);
    expect(policy.context).toEqual(['the policy (drop) of chain inet fw in, hook input']);
  });

  it('is named for connections, and in raw too', async () => {
    const connected = () => syns(new Capture(), 3, {}, 1, HOST, PEER).at(30).ask(HOST.mac, HOST.ip, '10.0.0.99');
    const raw = chain('raw', { type: 'filter', hook: 'prerouting', prio: -300, policy: 'accept' });
    const finding = await ask([raw, rule('raw', [when('tcp dport', 80), DROP])], connected());
    expect(finding.rule).toBe('tcp/syn-unanswered');
    expect(finding.title).toContain('the firewall of');
    expect(finding.remedy[1].commands[0]).toContain('tcp dport 80 accept');
    // Before connections are tracked nothing is known of their state.
    const early = await ask([raw, rule('raw', [when('ct state', 'new', 'in'), DROP])], connected());
    expect(early.title).not.toContain('firewall');
  });

  it('is named for answers, surer where they were counted', async () => {
    const drops = (...more: Parameters<typeof rule>[1]) => [
      output,
      rule('out', [when('oifname', 'eth0'), when('icmp type', 'echo-reply'), ...more, DROP]),
    ];
    expect((await ask(drops())).confidence).toBe('likely');
    const counted = await ask(drops(counter(4)));
    expect(counted.confidence).toBe('certain');
    expect(counted.title).toContain('drops the answers');
    expect((await ask(drops(counter(0)))).title).not.toContain('firewall');
  });

  it('is not named for what it lets through, or may', async () => {
    for (const items of [
      [input({ policy: 'drop' }), rule('in', [when('iifname', 'eth0'), ACCEPT])],
      [input(), rule('in', [when('icmp type', 'timestamp-request'), DROP])],
      [input(), rule('in', [when('icmp type', 'echo-request'), counter(0), DROP])],
      [input(), rule('in', [{ limit: { rate: 5, per: 'second', inv: true } }, DROP])],
      [chain('fwd', { hook: 'forward', policy: 'drop' })],
    ])
      expect((await ask(items)).title, JSON.stringify(items)).not.toContain('firewall');
  });

  it('is likely where the requests are seen to go to a router before', async () => {
    const beyond = { mac: '02:00:00:00:00:77', ip: PEER.ip };
    const finding = await ask([input({ policy: 'drop' })], pings(beyond, { from: HOST }));
    expect(finding.confidence).toBe('likely');
    expect(finding.caveats.join()).toContain('get to');
  });
});
