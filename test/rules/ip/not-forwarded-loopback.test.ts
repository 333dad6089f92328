import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACCEPT, chain, DROP, filtering, hidden, rule, when } from '../../support/nft.js';
import { syns } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const ONE = 'net.ipv4.conf.eth0.route_localnet';
const ALL = 'net.ipv4.conf.all.route_localnet';
const CLOSED = { [ALL]: '0', [ONE]: '0' };

/** A client asks for port 80 of PEER, whose rules translate it. */
const connected = () => syns(new Capture(), 3, {}, 1, HOST, PEER).at(30).ask(HOST.mac, HOST.ip, '10.0.0.99');
const toAddress = (addr: string, dport = 80) => [
  chain('pre', { type: 'nat', hook: 'prerouting', prio: -100, policy: 'accept' }),
  rule('pre', [when('tcp dport', dport), { dnat: { family: 'ip', addr, port: 8080 } }]),
];
const find = (items: readonly object[], sysctl: Readonly<Record<string, string>> = CLOSED) =>
  connected().findings({ select: ['ip/not-forwarded'], context: filtering(items, { sysctl }) });

describe('ip/not-forwarded, of what is translated to a loopback address', () => {
  it('names the setting that keeps such packets out', async () => {
    const [finding] = await find(toAddress('127.0.0.1'));
    expect(inShort([finding])).toEqual([['ip/not-forwarded', 'certain', [1, 2, 3]]]);
    expect(finding.summary).toContain('translate to 127.0.0.1 (DNAT)');
    expect(finding.remedy.flatMap(({ commands }) => commands)).toEqual([
      "ip netns exec box ss -lntup 'sport = :8080'",
      `ip netns exec box sysctl -w ${ONE}=1`,
    ]);
    expect(await find(toAddress('127.9.8.7'))).toHaveLength(1);
  });

  it.each([
    ['the device lets them in', { ...CLOSED, [ONE]: '1' }],
    ['all devices do', { ...CLOSED, [ALL]: '1' }],
    ['the file does not tell', {}],
  ])('keeps still where %s', async (_, sysctl) => {
    expect(await find(toAddress('127.0.0.1'), sysctl)).toEqual([]);
  });

  it.each([
    ['others are translated', toAddress('127.0.0.1', 81)],
    ['they are translated to an address of the machine', toAddress('198.51.100.2')],
    [
      'another rule may take them first',
      [toAddress('127.0.0.1')[0], rule('pre', [hidden('set'), ACCEPT]), toAddress('127.0.0.1')[1]],
    ],
  ])('keeps still where %s', async (_, items) => {
    expect(await find(items)).toEqual([]);
  });

  it('names what drops them before they are translated', async () => {
    const early = [
      chain('raw', { type: 'filter', hook: 'prerouting', prio: -300, policy: 'accept' }),
      rule('raw', [when('tcp dport', 80), DROP]),
    ];
    expect((await find([...early, ...toAddress('127.0.0.1')])).map(({ title }) => title)).toEqual([]);
  });
});
