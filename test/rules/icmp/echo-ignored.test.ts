import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { FAR, HOST, PEER } from '../../support/icmp.js';
import { ping } from '../../support/ping.js';
import { Capture } from '../../support/wire.js';

/** What is said of PEER, whose kernel has these settings, and of FAR, which is elsewhere. */
async function told(sysctl: Readonly<Record<string, string>>, to = PEER) {
  const device = { ifindex: 2, ifname: 'eth0', link_type: 'ether', flags: ['UP'], address: PEER.mac };
  const own = {
    ...device,
    addr_info: [
      { local: PEER.ip, prefixlen: 24 },
      { local: '10.8.0.1', prefixlen: 24 },
    ],
  };
  const context = parseContext({ namespaces: { b: { 'ip -d -j link': [device], 'ip -j addr': [own], sysctl } } });
  const capture = ping(new Capture().ask(FAR.mac, FAR.ip, HOST.ip), 3, { to });
  const [finding] = await capture.findings({ select: ['icmp/echo-unanswered'], context });
  return [finding.confidence, finding.title.split(': ')[1], finding.remedy[0].commands[0]];
}

describe('pings that a kernel ignores', () => {
  it('are told by its setting', async () => {
    expect(await told({ 'net.ipv4.icmp_echo_ignore_all': '1' })).toEqual([
      'certain',
      `${PEER.ip} is told to answer no pings`,
      'ip netns exec b sysctl -w net.ipv4.icmp_echo_ignore_all=0',
    ]);
    // It holds that address as well, but the requests go to another MAC.
    expect((await told({ 'net.ipv4.icmp_echo_ignore_all': '1' }, { ...FAR, ip: '10.8.0.1' }))[0]).toBe('likely');
  });

  it('are not where it says otherwise, or somebody else is asked', async () => {
    for (const [sysctl, to] of [
      [{ 'net.ipv4.icmp_echo_ignore_all': '0' }, PEER],
      [{ 'net.ipv6.icmp.echo_ignore_all': '1' }, PEER],
      [{ 'net.ipv4.icmp_echo_ignore_all': '1' }, FAR],
    ] as const)
      expect((await told(sysctl, to))[1], JSON.stringify(sysctl)).toBeUndefined();
  });
});
