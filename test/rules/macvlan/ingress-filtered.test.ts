import { describe, expect, it } from 'vitest';
import type { AnalyzeOptions } from '../../../src/analyze.js';
import { ONE, PARENT, siblings, TWO } from '../../support/siblings.js';
import { Capture } from '../../support/wire.js';

const RULE = 'macvlan/ingress-filtered';
const OUTSIDE = '02:00:00:00:00:77';
const context = siblings({ kind: 'macvlan', mode: 'bridge', hairpin: false });
const SWITCH = { namespace: 'sw', interface: 'p-host' };
const short = async (capture: Capture, options: AnalyzeOptions = { context, vantage: SWITCH }) =>
  (await capture.findings(options)).map(({ rule, confidence }) => `${rule} ${confidence}`);

/** Asked three times and answered each time, by the child; once, by its parent. */
const lost = (hostTimes = 1) => {
  const capture = new Capture();
  const rounds: [string, string, number, number][] = [
    [ONE, '10.0.0.101', 3, 0],
    [PARENT, '10.0.0.14', hostTimes, 5],
  ];
  for (const [mac, ip, times, from] of rounds)
    for (let i = 0; i < times; i++)
      capture
        .at(from + i * 1.02)
        .ask(mac, ip, '10.0.0.77')
        .at(from + i * 1.02 + 0.01)
        .answer(OUTSIDE, '10.0.0.77', mac, ip);
  return capture;
};

describe('macvlan/ingress-filtered', () => {
  it('is likely where the child asks on although answered, and its parent does not', async () => {
    expect(await short(lost())).toContain(`${RULE} likely`);
  });

  it('keeps still where the parent asks on as well, or does not ask', async () => {
    expect(await short(lost(3))).not.toContain(`${RULE} likely`);
    expect(await short(lost(0))).not.toContain(`${RULE} likely`);
  });

  it('keeps still on the machine of the child, and where the place is not known', async () => {
    const vantage = { namespace: 'host', interface: 'eth0' };
    expect(await short(lost(), { context, vantage })).not.toContain(`${RULE} likely`);
    expect(await short(lost(), { context })).not.toContain(`${RULE} likely`);
    expect(await short(lost(), {})).not.toContain(`${RULE} likely`);
  });

  it('is likely at the child if its answers arrive and no unicast comes', async () => {
    const child = () =>
      new Capture()
        .askAgain(3, ONE, '10.0.0.101', '10.0.0.77')
        .at(4)
        .ask(PARENT, '10.0.0.14', '10.0.0.77')
        .answer(OUTSIDE, '10.0.0.77', PARENT, '10.0.0.14')
        .ask('02:00:00:00:00:78', '10.0.0.78', '10.0.0.101')
        .answer(ONE, '10.0.0.101', '02:00:00:00:00:78', '10.0.0.78')
        .at(9)
        .ask('02:00:00:00:00:79', '10.0.0.79', '10.0.0.80');
    expect(await short(child(), { context })).toContain(`${RULE} likely`);
    const heard = child().ipv4({ from: OUTSIDE, to: ONE, source: '10.0.0.78', destination: '10.0.0.101' });
    expect(await short(heard, { context })).not.toContain(`${RULE} likely`);
  });

  it('takes what siblings ask inside the host for no sign that frames arrive: it is the way out that is closed', async () => {
    const asked = (mac: string, ip: string) =>
      new Capture()
        .askAgain(3, ONE, '10.0.0.101', '10.0.0.77')
        .at(4)
        .ask(PARENT, '10.0.0.14', '10.0.0.77')
        .answer(OUTSIDE, '10.0.0.77', PARENT, '10.0.0.14')
        .ask(mac, ip, '10.0.0.101')
        .answer(ONE, '10.0.0.101', mac, ip)
        .at(9)
        .ask('02:00:00:00:00:79', '10.0.0.79', '10.0.0.80');
    for (const [mac, ip] of [[TWO, '10.0.0.102'] as const, [PARENT, '10.0.0.14'] as const]) {
      const said = await short(asked(mac, ip), { context });
      expect(said).not.toContain(`${RULE} likely`);
      expect(said).toContain('macvlan/egress-filtered likely');
    }
  });

  it('knows from another port of the switch that the target answers: it is the way in that is closed', async () => {
    const IN = { vlan: 10, direction: 'in' } as const;
    const seen = (answered: boolean) => {
      const capture = new Capture();
      for (let i = 0; i < 3; i++) {
        capture.at(i * 1.02).ask(ONE, '10.0.0.101', '10.0.0.77', IN);
        capture.at(i * 1.02 + 0.001).ask(ONE, '10.0.0.101', '10.0.0.77', { vlan: 20, direction: 'out' });
        const way = { vlan: 20, direction: 'in' } as const;
        if (answered) capture.at(i * 1.02 + 0.002).answer(OUTSIDE, '10.0.0.77', ONE, '10.0.0.101', way);
      }
      capture.at(4).ask(PARENT, '10.0.0.14', '10.0.0.77', IN);
      capture.answer(OUTSIDE, '10.0.0.77', PARENT, '10.0.0.14', { vlan: 10, direction: 'out' });
      return short(capture.at(9).ask('02:00:00:00:00:79', '10.0.0.79', '10.0.0.80', IN), { context });
    };
    expect(await seen(true)).toContain(`${RULE} likely`);
    expect(await seen(true)).not.toContain('macvlan/egress-filtered likely');
    expect(await seen(false)).toContain('macvlan/egress-filtered likely');
    expect(await seen(false)).not.toContain(`${RULE} likely`);
  });
});
