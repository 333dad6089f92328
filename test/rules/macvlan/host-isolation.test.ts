import { describe, expect, it } from 'vitest';
import { ONE, PARENT, siblings } from '../../support/siblings.js';
import { Capture } from '../../support/wire.js';

const rules = async (mode: string, capture: Capture) => {
  const findings = await capture.findings({ context: siblings({ kind: 'macvlan', mode, hairpin: false }) });
  return findings.map(({ rule, confidence }) => `${rule} ${confidence}`);
};
const childAsks = () => new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.14');
const hostAsks = () => new Capture().askAgain(3, PARENT, '10.0.0.14', '10.0.0.101');

describe('macvlan/host-isolation', () => {
  it.each(['bridge', 'private'])('is certain in mode %s, whoever of the two asks', async (mode) => {
    expect(await rules(mode, childAsks())).toEqual(['macvlan/host-isolation certain']);
    expect(await rules(mode, hostAsks())).toEqual(['macvlan/host-isolation certain']);
  });

  it('leaves VEPA mode to the missing reflection', async () => {
    expect(await rules('vepa', childAsks())).toEqual(['macvlan/vepa-no-reflection certain']);
  });

  it('gives a cure with the names and addresses of this host', async () => {
    const [finding] = await childAsks().findings({ context: siblings({ kind: 'macvlan', mode: 'bridge' }) });
    expect(finding.remedy[0].commands).toContain('ip link add mv-host link eth0 type macvlan mode bridge');
    expect(finding.remedy[0].commands).toContain('ip route add 10.0.0.101/32 dev mv-host');
  });

  it('routes to the guest behind a tap, whose address only the frames tell', async () => {
    const context = siblings({ kind: 'macvtap', mode: 'bridge', withoutAddresses: 'link-local' });
    const [finding] = await childAsks().findings({ context });
    expect(finding.remedy[0].commands).toContain('ip addr add 10.0.0.14/32 dev mv-host');
    expect(finding.remedy[0].commands).toContain('ip route add 10.0.0.101/32 dev mv-host');
  });

  it('keeps still between siblings, and about two requests', async () => {
    expect(await rules('bridge', new Capture().askAgain(3, ONE, '10.0.0.101', '10.0.0.102'))).toEqual([
      'arp/unanswered likely',
    ]);
    expect(await rules('bridge', new Capture().askAgain(2, ONE, '10.0.0.101', '10.0.0.14'))).toEqual([
      'arp/unanswered hint',
    ]);
  });
});
