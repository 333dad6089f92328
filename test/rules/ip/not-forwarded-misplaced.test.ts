import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { HOST, PEER } from '../../support/icmp.js';
import { ACCEPT, forward, rule, when } from '../../support/nft.js';
import { machineFile, pings } from '../../support/routed.js';
import { inShort } from '../../support/wire.js';

const BEYOND = { mac: PEER.mac, ip: '203.0.113.5' };
const DEFAULT = { dst: 'default', gateway: '198.51.100.1', dev: 'eth1' };
const THERE = { dst: '10.0.0.0/24', dev: 'docker0' };
const bridge = (kind = 'bridge') => ({
  ifindex: 9,
  ifname: 'docker0',
  flags: ['UP'],
  address: '02:00:00:00:09:09',
  linkinfo: { info_kind: kind },
});
const find = (
  routes: readonly object[],
  items: readonly object[] = [forward({ policy: 'drop' })],
  { sysctl = {}, kind = 'bridge' } = {},
) => {
  const file = machineFile({
    routes: [...routes, DEFAULT],
    sysctl: { 'net.ipv4.ip_forward': '1', ...sysctl },
    devices: [bridge(kind)],
  });
  const table = { table: { family: 'inet', name: 'fw' } };
  const box = { ...file, 'nft -j list ruleset': { nftables: [{ metainfo: {} }, table, ...items] } };
  const context = parseContext({ namespaces: { box } });
  return pings(BEYOND, { from: HOST }).findings({ select: ['ip/not-forwarded'], context });
};

describe('ip/not-forwarded, of a guest that is plugged in elsewhere', () => {
  it('names the bridge that its subnet is on rather than have the firewall let it through', async () => {
    const [finding] = await find([THERE]);
    expect(inShort([finding])).toEqual([['ip/not-forwarded', 'likely', [1, 2, 3, 4]]]);
    expect(finding.title).toContain(`${HOST.ip} comes in at eth0 in box, and its subnet is on docker0`);
    expect(finding.remedy.flatMap(({ commands }) => commands)).toEqual([
      'ip netns exec box bridge link show',
      `ip netns exec box ip route get ${HOST.ip}`,
    ]);
  });

  it('leaves the firewall its drop where answers find back, or a router is between', async () => {
    const policy = 'the policy (drop) of chain inet fw forward, hook forward';
    for (const route of [
      { dst: '10.0.0.0/24', dev: 'eth0' },
      { ...THERE, gateway: '10.7.0.1' },
    ]) {
      const [finding] = await find([route]);
      expect(finding).toMatchObject({ confidence: 'certain', context: [policy] });
    }
    const [other] = await find([THERE], [forward({ policy: 'drop' })], { kind: 'dummy' });
    expect(other).toMatchObject({ confidence: 'certain' });
  });

  it('keeps still where the firewall lets it through', async () => {
    const accept = rule('forward', [when('ip saddr', HOST.ip), ACCEPT]);
    const back = rule('forward', [when('ip daddr', HOST.ip), ACCEPT]);
    expect(await find([THERE], [forward({ policy: 'drop' }), accept, back])).toEqual([]);
  });
});
