import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACCEPT, chain, counter, DROP, filtering, rule, when } from '../../support/nft.js';
import { ping } from '../../support/ping.js';
import { synAck, syns } from '../../support/tcp.js';
import { Capture } from '../../support/wire.js';

/** PEER, whose rules they are, pings HOST and is answered. */
const answered = () => ping(new Capture(), 5, { from: PEER, to: HOST, answered: () => true });
const input = (more: object = {}) => chain('in', { type: 'filter', hook: 'input', prio: 0, policy: 'accept', ...more });
const here = { namespace: 'box', interface: 'eth0' };
const select = ['icmp/echo-unanswered', 'tcp/synack-repeated'];
const ask = (items: readonly object[], capture = answered(), vantage = here) =>
  capture.findings({ select, context: filtering(items), vantage });
const replies = [when('icmp type', 'echo-reply'), counter(5), DROP];

describe('the firewall of who asks', () => {
  it('is named where it drops the replies to its own pings', async () => {
    const [finding, ...others] = await ask([input(), rule('in', replies, { handle: 4 })]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'icmp/echo-unanswered', confidence: 'certain', count: 5, caveats: [] });
    expect(finding.title).toBe(`The firewall of ${PEER.ip} drops the replies to its own pings of ${HOST.ip}`);
    expect(finding.cause).toContain(
      'the rule `icmp type echo-reply counter packets 5 bytes 420 drop` in chain inet fw in, handle 4',
    );
    expect(finding.remedy[1].commands).toEqual([
      `ip netns exec box nft insert rule inet fw in handle 4 ip saddr ${HOST.ip} ip daddr ${PEER.ip} ct state established accept`,
    ]);
    expect(finding.evidence.map(({ frame }) => frame)).toEqual([2, 4, 8]);
  });

  it('is likely where nothing is counted', async () => {
    const policy = [input({ policy: 'drop' }), rule('in', [when('tcp dport', 22), ACCEPT])];
    const [finding] = await ask(policy);
    expect(finding).toMatchObject({ confidence: 'likely', caveats: [expect.stringContaining('do not count')] });
  });

  it('is not named for what it lets in, may let in, or has not counted', async () => {
    for (const items of [
      [input({ policy: 'drop' }), rule('in', [when('ct state', 'established', 'in'), ACCEPT])],
      [input(), rule('in', [when('icmp type', 'echo-request'), DROP])],
      [input(), rule('in', [when('ct state', 'new', 'in'), DROP])],
      [input(), rule('in', [when('icmp type', 'echo-reply'), counter(0), DROP])],
      [input(), rule('in', [when('iifname', 'eth1'), DROP])],
      [input(), rule('in', [{ limit: { rate: 5, per: 'second', inv: true } }, DROP])],
      [chain('out', { type: 'filter', hook: 'output', prio: 0, policy: 'drop' })],
    ])
      expect(await ask(items), JSON.stringify(items)).toEqual([]);
    // Replies that come in by another device than the one with the address meet other rules.
    const drops = [input(), rule('in', replies)];
    expect(await ask(drops, answered(), { namespace: 'box', interface: 'eth1' })).toEqual([]);
    expect(await ask(drops, ping(new Capture(), 5, { from: HOST, to: PEER, answered: () => true }))).toEqual([]);
  });

  it('is named where it drops SYN-ACKs', async () => {
    const capture = syns(new Capture(), 3, {}, 1, PEER, HOST);
    for (const i of [0, 1, 2]) synAck(capture.at(1.01 + i), { id: 50 + i }, HOST, PEER);
    const [finding] = await ask([input(), rule('in', [when('tcp sport', 80), DROP])], capture);
    expect(finding).toMatchObject({ rule: 'tcp/synack-repeated', confidence: 'certain' });
    expect(finding.title).toBe(`The firewall of ${PEER.ip} drops the SYN-ACKs of ${HOST.ip} port 80`);
    expect(finding.remedy[1].commands[0]).toContain('ct state established accept');
    const [other] = await ask([input(), rule('in', [when('tcp dport', 22), DROP])], capture);
    expect(other.title).toContain('ignores the SYN-ACKs');
  });
});
