import { describe, expect, it } from 'vitest';
import { solicitation } from '../../support/nd.js';
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
  it.each(['bridge', 'private', 'vepa'])('is certain with flag %s, whoever of the two asks', async (flag) => {
    expect(await rules(childAsks(), { flag })).toEqual(['ipvlan/host-isolation certain']);
    expect(await rules(hostAsks(), { flag })).toEqual(['ipvlan/host-isolation certain']);
  });

  it('stands alone where the MAC speaks for both: the host context knows that they are no siblings', async () => {
    const both = childAsks().at(10).askAgain(3, PARENT, '10.0.0.14', '10.0.0.101');
    expect(await rules(both)).toEqual(['ipvlan/host-isolation certain', 'ipvlan/host-isolation certain']);
  });

  it('gives a cure with the names and addresses of this host', async () => {
    const context = siblings({ kind: 'ipvlan', mode: 'l2', flag: 'bridge' });
    const [finding] = await childAsks().findings({ context });
    expect(finding.remedy[0].commands).toContain('ip link add iv-host link eth0 type ipvlan mode l2 bridge');
    expect(finding.remedy[0].commands).toContain('ip route add 10.0.0.101/32 dev iv-host src <free address>');
  });

  it.each(['l3', 'l3s'])(
    'is certain where the host asks for its child in mode %s, and gives it a child in that mode',
    async (mode) => {
      expect(await rules(hostAsks(), { mode })).toEqual(['ipvlan/host-isolation certain']);
      const [finding] = await hostAsks().findings({ context: siblings({ kind: 'ipvlan', mode, flag: 'bridge' }) });
      expect(finding.remedy[0].commands).toContain(`ip link add iv-host link eth0 type ipvlan mode ${mode} bridge`);
      expect(finding.summary).toContain(`in mode ${mode} what it sends does come to the host`);
    },
  );

  it('says that the cure takes the flag private from all children', async () => {
    const told = async (flag: string) => {
      const [finding] = await hostAsks().findings({ context: siblings({ kind: 'ipvlan', mode: 'l2', flag }) });
      return finding.remedy[0].text;
    };
    expect(await told('private')).toContain('takes the flag private from all children');
    expect(await told('bridge')).not.toContain('takes the flag');
  });

  it('finds an address of IPv6 free before it makes it the source of a route', async () => {
    const context = siblings({ kind: 'ipvlan', mode: 'l2', flag: 'bridge', isDual: true });
    const capture = new Capture();
    for (let i = 0; i < 3; i++) capture.at(i * 1.02).raw(solicitation(PARENT, 'fd00::14', 'fd00::101'));
    const [finding] = await capture.findings({ context });
    expect(finding.remedy[0].commands).toContain('ip -6 addr add <free address>/128 dev iv-host nodad');
    expect(finding.remedy[0].commands).toContain('ip -6 route add fd00::101/128 dev iv-host src <free address>');
  });

  it('leaves the flag vepa to others where the switch is unknown', async () => {
    const context = siblings({ kind: 'ipvlan', mode: 'l2', flag: 'vepa' });
    expect((await hostAsks().findings({ context })).map(({ rule }) => rule)).not.toContain('ipvlan/host-isolation');
  });

  it('leaves the flag vepa in l3 to others, and keeps still behind one that reflects', async () => {
    for (const how of [{ flag: 'vepa', mode: 'l3', hairpin: false }, { hairpin: true }])
      expect(await rules(childAsks(), how)).not.toContain('ipvlan/host-isolation certain');
  });

  it('keeps still after two requests, and when answered', async () => {
    expect(await rules(childAsks(2))).not.toContain('ipvlan/host-isolation certain');
    const answered = childAsks().answer(PARENT, '10.0.0.14', PARENT, '10.0.0.101');
    expect(await rules(answered)).not.toContain('ipvlan/host-isolation certain');
  });
});
