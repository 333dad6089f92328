import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { askInside, ONE, TWO } from '../../support/tunnel.js';
import { Capture } from '../../support/wire.js';

const eth0 = (address: string, local: string) => ({
  ifindex: 2,
  ifname: 'eth0',
  link_type: 'ether',
  flags: ['UP'],
  address,
  addr_info: [{ family: 'inet', local, prefixlen: 32 }],
});

/** Why nothing comes back from TWO, which has these routes, and the first command. */
async function told(routes: readonly object[] | null) {
  const machine = (device: object) => ({ 'ip -d -j link': [device], 'ip -j addr': [device] });
  const one = machine(eth0('02:00:00:00:00:01', ONE));
  const two = { ...machine(eth0('02:00:00:00:00:02', TWO)), 'ip -j route': routes };
  const context = parseContext({ namespaces: { one, two } });
  const [finding] = await askInside(new Capture()).findings({ select: ['vxlan/one-way'], context });
  return [finding.cause, finding.remedy[0].commands[0]];
}

describe('vxlan/one-way where the far end has no way back', () => {
  it('names the route that is missing, or that refuses', async () => {
    expect(await told([{ dst: '10.9.0.0/24', dev: 'eth0' }])).toEqual([
      expect.stringContaining(`has no route to ${ONE}`),
      `ip netns exec two ip route add ${ONE} via <router>`,
    ]);
    expect(await told([{ type: 'blackhole', dst: '10.0.0.0/8' }])).toEqual([
      expect.stringContaining('`blackhole 10.0.0.0/8`'),
      'ip netns exec two ip route del blackhole 10.0.0.0/8',
    ]);
  });

  it('leaves it open where there is one, or the routes are not known', async () => {
    for (const routes of [[{ dst: 'default', gateway: '10.1.1.254', dev: 'eth0' }], null])
      expect((await told(routes))[0]).toContain('A firewall, security group or hypervisor');
  });
});
