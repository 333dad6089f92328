import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACCEPT, chain, counter, DROP, filtering, forward, rule, when } from '../../support/nft.js';
import { asks, SERVER } from '../../support/questions.js';
import { type Capture, inShort } from '../../support/wire.js';

const only = { select: ['ip/not-forwarded'] };

const drops = (count = 4) => [forward(), rule('forward', [when('udp dport', 53), counter(count), DROP], { handle: 7 })];
const find = (capture: Capture, items: readonly object[] = drops()) =>
  capture.findings({ ...only, context: filtering(items) });
const said = async (capture: Capture, items?: readonly object[]) => inShort(await find(capture, items));

describe('ip/not-forwarded, by DNS questions', () => {
  it('names the rule that drops them, and lets them through in front of it', async () => {
    const [finding] = await find(asks([1, 6]));
    expect(inShort([finding])).toEqual([['ip/not-forwarded', 'certain', [1, 3]]]);
    expect(finding.title).toContain('a rule of its firewall');
    expect(finding.remedy[1].commands).toEqual([
      `ip netns exec box nft insert rule inet fw forward handle 7 ip saddr ${HOST.ip} ip daddr ${SERVER.ip} udp dport 53 accept`,
    ]);
  });

  it('names the rule that drops the answers', async () => {
    const [finding] = await find(asks([1, 6]), [
      forward(),
      rule('forward', [when('udp sport', 53), counter(2), DROP], { handle: 7 }),
    ]);
    expect(finding).toMatchObject({ confidence: 'certain' });
    expect(finding.title).toContain(`answers of ${SERVER.ip}`);
  });

  it('wants two tries, the first of them seconds old', async () => {
    expect(await said(asks([1]))).toEqual([]);
    expect(await said(asks([1, 1.2]))).toEqual([]);
    expect(await said(asks([1, 2], { end: 3 }))).toEqual([]);
  });

  it('looks at those since the latest answer', async () => {
    expect(await said(asks([1, 6], { answer: 7 }))).toEqual([]);
    expect(await said(asks([1, 6, 11, 16], { answer: 7 }))).toEqual([['ip/not-forwarded', 'certain', [6, 8]]]);
  });

  it('keeps still where the rules let them through, have counted nothing, or are about other UDP', async () => {
    expect(await said(asks([1, 6]), [forward(), rule('forward', [when('udp dport', 53), ACCEPT])])).toEqual([]);
    expect(await said(asks([1, 6]), drops(0))).toEqual([]);
    expect(await said(asks([1, 6], { port: 123 }), [forward({ policy: 'drop' })])).toEqual([]);
    expect(inShort(await asks([1, 6]).findings(only))).toEqual([]);
  });

  it('names the rule of a server that drops them itself', async () => {
    const input = chain('input', { type: 'filter', hook: 'input', prio: 0, policy: 'drop' });
    const [finding] = await find(asks([1, 6], { to: PEER }), [input]);
    expect(finding).toMatchObject({ rule: 'ip/not-forwarded', confidence: 'certain' });
    expect(finding.summary).not.toContain('through');
    expect(finding.cause).toContain('policy');
  });
});
