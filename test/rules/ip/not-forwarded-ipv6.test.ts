import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { icmpv6, solicitation } from '../../support/nd.js';
import { Capture, u16 } from '../../support/wire.js';

const A = { mac: '02:00:00:00:00:01', ip: 'fd00:1::1' };
const B = { mac: '02:00:00:00:00:02', ip: 'fd00:1::2' };
const ALL = '33:33:00:00:00:01';

/** A pings beyond B, which may advertise itself before with a lifetime. */
function scene(lifetime: number | null): Capture {
  const capture = new Capture();
  const message = [134, 0, 0, 0, 64, 0, ...u16(lifetime ?? 0), 0, 0, 0, 0, 0, 0, 0, 0];
  if (lifetime !== null) capture.raw(icmpv6(B.mac, ALL, 'fe80::2', 'ff02::1', message));
  const body = new Array(48).fill(0);
  for (let i = 1; i <= 4; i++)
    capture.at(i).raw(icmpv6(A.mac, B.mac, A.ip, 'fd00:9::9', [128, 0, 0, 0, 0, 7, ...u16(i), ...body]));
  return capture.at(40).raw(solicitation(A.mac, A.ip, 'fd00:1::3'));
}

function context(accept: string, isLed = true) {
  const link = (address: string) => ({ ifindex: 2, ifname: 'eth0', link_type: 'ether', address, flags: ['UP'] });
  const holding = (address: string, local: string) => ({
    'ip -d -j link': [link(address)],
    'ip -j addr': [{ ifindex: 2, ifname: 'eth0', addr_info: [{ family: 'inet6', local, prefixlen: 64 }] }],
  });
  return parseContext({
    namespaces: {
      a: { ...holding(A.mac, A.ip), 'ip -6 -j route': [{ dst: 'default', gateway: 'fe80::2', dev: 'eth0' }] },
      b: {
        ...holding(B.mac, B.ip),
        'ip -6 -j route': isLed ? [{ dst: 'default', gateway: 'fe80::fe', dev: 'eth0' }] : [],
        sysctl: { 'net.ipv6.conf.all.forwarding': '0', 'net.ipv6.conf.eth0.accept_ra': accept },
      },
    },
  });
}

const commands = async (capture: Capture, ...how: Parameters<typeof context>) => {
  const [finding] = await capture.findings({ select: ['ip/not-forwarded'], context: context(...how) });
  return finding.remedy.flatMap((remedy) => remedy.commands);
};
const FORWARD = 'ip netns exec b sysctl -w net.ipv6.conf.all.forwarding=1';
const LISTEN = 'ip netns exec b sysctl -w net.ipv6.conf.eth0.accept_ra=2';

describe('ip/not-forwarded of IPv6', () => {
  it('has a machine that begins to forward keep the router that it learned of', async () => {
    expect((await commands(scene(null), '1')).slice(0, 2)).toEqual([LISTEN, FORWARD]);
    expect((await commands(scene(null), '0'))[0]).toBe(FORWARD);
    expect((await commands(scene(null), '1', false))[0]).toBe(FORWARD);
  });

  it('keeps the advertisements of a machine from hosts that says it is their router, and has them forget it', async () => {
    const all = await commands(scene(1800), '0');
    expect(all.slice(0, 4)).toEqual([
      'nft add table bridge raguard',
      "nft add chain bridge raguard guard '{ type filter hook forward priority 0; }'",
      `nft add rule bridge raguard guard ether saddr ${B.mac} icmpv6 type nd-router-advert drop`,
      'ip netns exec a ip -6 route del default via fe80::2 dev eth0',
    ]);
    expect((await commands(scene(0), '0'))[0]).toBe(FORWARD);
  });
});
