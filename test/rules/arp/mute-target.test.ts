import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { HOST, PEER } from '../../support/icmp.js';
import { Capture } from '../../support/wire.js';

const device = (mac: string, ...addresses: string[]) => ({
  ifindex: 2,
  ifname: 'eth0',
  link_type: 'ether',
  flags: ['UP'],
  address: mac,
  addr_info: addresses.map((local) => ({ local, prefixlen: 24 })),
});

/** What is said of PEER, which does not answer HOST; `addresses` are those of PEER, `sysctl` its settings. */
async function told(addresses: readonly string[], sysctl: Readonly<Record<string, string>>) {
  const ask = (mac: string, ...list: string[]) => ({
    'ip -d -j link': [device(mac)],
    'ip -j addr': [device(mac, ...list)],
  });
  const context = parseContext({
    namespaces: { a: ask(HOST.mac, HOST.ip), b: { ...ask(PEER.mac, ...addresses), sysctl } },
  });
  const capture = new Capture().askAgain(3, HOST.mac, HOST.ip, PEER.ip);
  const [finding] = await capture.at(20).findings({ select: ['arp/unanswered'], context });
  return [finding.cause, finding.remedy[0].commands[0]];
}

const conf = (which: string, name: string, value: number) => ({ [`net.ipv4.conf.${which}.${name}`]: String(value) });

describe('a target that keeps silent', () => {
  it('is told to answer nobody, by all devices or by its own', async () => {
    for (const [all, own] of [
      [8, 0],
      [0, 8],
    ])
      expect(await told([PEER.ip], { ...conf('all', 'arp_ignore', all), ...conf('eth0', 'arp_ignore', own) })).toEqual([
        expect.stringContaining('answers no ARP'),
        'ip netns exec b sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0',
      ]);
    const usual = { ...conf('all', 'arp_ignore', 1), ...conf('eth0', 'arp_ignore', 2) };
    expect((await told([PEER.ip], usual))[0]).toContain('does not exist or is down');
  });

  it('has the address of the asker as well, and takes no packets from its own addresses', async () => {
    const strict = { ...conf('all', 'accept_local', 0), ...conf('eth0', 'accept_local', 0) };
    expect(await told([PEER.ip, HOST.ip], strict)).toEqual([
      expect.stringContaining('on two machines'),
      `ip netns exec b ip addr del ${HOST.ip}/24 dev eth0`,
    ]);
    const loose = { ...strict, ...conf('eth0', 'accept_local', 1) };
    for (const [addresses, sysctl] of [
      [[PEER.ip], strict],
      [[PEER.ip, HOST.ip], loose],
      [[PEER.ip, HOST.ip], {}],
    ] as const)
      expect((await told(addresses, sysctl))[0], JSON.stringify(sysctl)).not.toContain('on two machines');
  });
});
