import { describe, expect, it } from 'vitest';
import { HOST, type Host, PEER, packet } from '../../support/icmp.js';
import { ACCEPT, chain, counter, DROP, filtering, forward, rule, when } from '../../support/nft.js';
import { ipv4 } from '../../support/tunnel.js';
import { Capture, inShort, u16 } from '../../support/wire.js';

/** A name server behind the machine PEER, by its default route. */
const SERVER = { mac: PEER.mac, ip: '203.0.113.53' };
const only = { select: ['ip/not-forwarded'] };

const datagram = (capture: Capture, from: Host, to: Host, sport: number, dport: number) =>
  packet(capture, from, to, ipv4(from.ip, to.ip, 17, [...u16(sport), ...u16(dport), 0, 12, 0, 0, 1, 2, 3, 4]));
/** Questions at these times, for both families at once, and an answer at another time. */
const asks = (times: readonly number[], { to = SERVER, port = 53, answer = 0, end = 30 } = {}) => {
  const capture = new Capture();
  const say = (at: number) => {
    for (const sport of [5000, 5001]) datagram(capture.at(at), HOST, to, sport, port);
  };
  for (const at of times.filter((each) => answer === 0 || each < answer)) say(at);
  if (answer > 0) datagram(capture.at(answer), to, HOST, port, 5000);
  for (const at of times.filter((each) => answer > 0 && each > answer)) say(at);
  return capture.at(end).ask(HOST.mac, HOST.ip, '10.0.0.99');
};
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
