import { describe, expect, it } from 'vitest';
import { PARENT, siblings } from '../../support/siblings.js';
import { Capture } from '../../support/wire.js';

interface How {
  mode?: string;
  flag?: string;
  hairpin?: boolean;
}

const rules = async (capture: Capture, { mode = 'l2', flag = 'bridge', hairpin = false }: How = {}) => {
  const findings = await capture.findings({ context: siblings({ kind: 'ipvlan', mode, flag, hairpin }) });
  return findings.map(({ rule, confidence }) => `${rule} ${confidence}`);
};
const childAsks = (times = 3) => new Capture().askAgain(times, PARENT, '10.0.0.101', '10.0.0.14');
const hostAsks = () => new Capture().askAgain(3, PARENT, '10.0.0.14', '10.0.0.101');

describe('ipvlan/host-isolation', () => {
  it.each(['bridge', 'private'])('is certain with flag %s, whoever of the two asks', async (flag) => {
    expect(await rules(childAsks(), { flag })).toEqual(['ipvlan/host-isolation certain']);
    expect(await rules(hostAsks(), { flag })).toEqual(['ipvlan/host-isolation certain']);
  });

  it('gives a cure with the names and addresses of this host', async () => {
    const context = siblings({ kind: 'ipvlan', mode: 'l2', flag: 'bridge' });
    const [finding] = await childAsks().findings({ context });
    expect(finding.remedy[0].commands).toContain('ip link add iv-host link eth0 type ipvlan mode l2');
    expect(finding.remedy[0].commands).toContain('ip route add 10.0.0.101/32 dev iv-host src <free address>');
  });

  it('keeps still in VEPA and l3 modes, and behind a switch that reflects', async () => {
    for (const how of [{ flag: 'vepa' }, { mode: 'l3' }, { hairpin: true }])
      expect(await rules(childAsks(), how)).not.toContain('ipvlan/host-isolation certain');
  });

  it('keeps still after two requests, and when answered', async () => {
    expect(await rules(childAsks(2))).not.toContain('ipvlan/host-isolation certain');
    const answered = childAsks().answer(PARENT, '10.0.0.14', PARENT, '10.0.0.101');
    expect(await rules(answered)).not.toContain('ipvlan/host-isolation certain');
  });
});
