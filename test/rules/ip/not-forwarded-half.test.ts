import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { chain, counter, DROP, filtering, forward, hidden, rule, when } from '../../support/nft.js';
import { pings } from '../../support/routed.js';
import { syns } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const BEYOND = { mac: PEER.mac, ip: '203.0.113.5' };
const OFF = { 'net.ipv4.ip_forward': '0' };
/** The machine forwards what comes in at eth0, not what comes in where the requests leave. */
const HALF = { 'net.ipv4.conf.eth1.forwarding': '0' };
const published = [
  chain('pre', { type: 'nat', hook: 'prerouting', prio: -100 }),
  rule('pre', [when('tcp dport', 80), { dnat: { family: 'ip', addr: '198.51.100.9', port: 8080 } }]),
];

const connected = () => syns(new Capture(), 3, {}, 1, HOST, PEER).at(30).ask(HOST.mac, HOST.ip, '10.0.0.99');
const find = (capture: Capture, items: readonly object[], sysctl: Readonly<Record<string, string>>) =>
  capture.findings({ select: ['ip/not-forwarded'], context: filtering(items, { sysctl }) });

describe('ip/not-forwarded, of half of the way', () => {
  it('tells that a published port needs forwarding, though the address is its own', async () => {
    const [finding] = await find(connected(), published, OFF);
    expect(inShort([finding])).toEqual([['ip/not-forwarded', 'certain', [1, 2, 3]]]);
    expect(finding.summary).toContain('translate to 198.51.100.9 (DNAT)');
    expect(finding.remedy[0].commands).toEqual(['ip netns exec box sysctl -w net.ipv4.ip_forward=1']);
    // What is for forwarded packets comes behind it, and has counted nothing.
    const unasked = [forward(), rule('forward', [when('ip daddr', '198.51.100.9'), counter(0), DROP])];
    expect(await find(connected(), [...published, ...unasked], OFF)).toHaveLength(1);
  });

  it('keeps still where the packets stay on the machine, or may', async () => {
    const [pre] = published;
    const other = rule('pre', [when('tcp dport', 81), { dnat: { family: 'ip', addr: '198.51.100.9', port: 8080 } }]);
    expect(await find(connected(), [pre, other], OFF)).toEqual([]);
    const own = rule('pre', [when('tcp dport', 80), { dnat: { family: 'ip', addr: '198.51.100.2', port: 8080 } }]);
    expect(await find(connected(), [pre, own], OFF)).toEqual([]);
    expect(await find(connected(), [pre, rule('pre', [hidden('DNAT', 'target')])], OFF)).toEqual([]);
    expect(await find(connected(), published, {})).toEqual([]);
    const early = [chain('raw', { type: 'filter', hook: 'prerouting', prio: -300, policy: 'drop' })];
    expect(await find(connected(), [...early, ...published], OFF)).toEqual([]);
  });

  it('tells where the answers come in to a device that does not forward', async () => {
    for (const rules of [[], [forward()], published]) {
      const [finding] = await find(pings(BEYOND, { from: HOST }), rules, HALF);
      expect(inShort([finding])).toEqual([['ip/not-forwarded', 'likely', [1, 2, 3, 4]]]);
      expect(finding.title).toContain(`answers of ${BEYOND.ip} to ${HOST.ip}`);
      expect(finding.remedy[0].commands).toEqual(['ip netns exec box sysctl -w net.ipv4.conf.eth1.forwarding=1']);
    }
    const [guest] = await find(connected(), published, HALF);
    expect(guest.confidence).toBe('likely');
    expect(await find(pings(BEYOND, { from: HOST }), [], { 'net.ipv4.conf.lo.forwarding': '0' })).toEqual([]);
    // The firewall comes first.
    const [dropped] = await find(pings(BEYOND, { from: HOST }), [forward({ policy: 'drop' })], HALF);
    expect(dropped.context[0]).toContain('policy');
  });
});
