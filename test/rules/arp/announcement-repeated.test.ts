import { describe, expect, it } from 'vitest';
import { Capture, inShort, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';

const announce = (times: readonly number[], arp: object = {}) => {
  const capture = new Capture();
  for (const time of times) capture.at(time).arp({ op: 1, from: A, spa: '10.0.0.1', tpa: '10.0.0.1', ...arp });
  return capture;
};

describe('arp/announcement-repeated', () => {
  it('tells the second announcement within ten seconds', async () => {
    expect(inShort(await announce([0, 1.001]).findings())).toEqual([['arp/announcement-repeated', 'certain', [1, 2]]]);
  });

  it('is information, and says that no answer is expected', async () => {
    const [finding] = await announce([0, 1.001]).findings();
    expect(finding.severity).toBe('info');
    expect(finding.title).toContain('no answer is expected');
  });

  it.each([[[0]], [[0, 11]], [[0, 0.0001]]])('keeps still about %j', async (times) => {
    expect(await announce(times).findings()).toEqual([]);
  });

  it.each([
    [[0, 2], {}, 'RFC 5227'],
    [[0, 1, 2], { tha: 'ff:ff:ff:ff:ff:ff' }, 'arping -U'],
    [[0, 1.1, 2.2, 3.3, 4.4], {}, 'MetalLB'],
    [[0, 1, 2], {}, 'Docker'],
    [[0, 1, 2], { op: 2, tha: 'ff:ff:ff:ff:ff:ff' }, 'arping -A'],
  ])('guesses the producer from its mark: %j %j %s', async (times, arp, producer) => {
    const [finding] = await announce(times, arp).findings();
    expect(finding.cause).toContain(producer);
  });

  it('asks for directions only where there are none', async () => {
    const asked = async (way: Way) => {
      const capture = new Capture();
      for (const time of [0, 1]) capture.at(time).arp({ op: 1, from: A, spa: '10.0.0.1', tpa: '10.0.0.1' }, way);
      const [{ caveats, wouldRaise }] = await capture.findings();
      return [...caveats, ...wouldRaise].join().includes('directions');
    };
    expect([await asked({}), await asked({ direction: 'in' })]).toEqual([true, false]);
  });

  const every = (pause: number, times: number) => Array.from({ length: times }, (_, i) => i * pause);

  it.each([
    ['for more than 30 s', every(0.8, 40)],
    ['more than 60 times', every(0.25, 61)],
  ])('warns where more than one a second comes %s', async (_, times) => {
    const [finding, ...others] = await announce(times).findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'arp/announcement-repeated', severity: 'warning', count: times.length });
    expect(finding.title).toContain('without end');
  });

  it.each([
    ['about a second apart, however long', every(0.97, 90), A],
    ['for less than 30 s', every(0.8, 37), A],
    ['60 times', every(0.25, 60), A],
    ['from a virtual router', every(0.25, 90), '00:00:5e:00:01:07'],
  ])('is information where they come %s', async (_, times, from) => {
    const [finding] = await announce(times, { from }).findings({ select: ['arp/announcement-repeated'] });
    expect(finding.severity).toBe('info');
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const twice = (one: Way, two: Way) =>
      new Capture().ask(A, '10.0.0.1', '10.0.0.1', one).at(1).ask(A, '10.0.0.1', '10.0.0.1', two);
    const only = { select: ['arp/announcement-repeated'] };
    expect(await twice({ vlan: 1 }, { vlan: 2 }).findings(only)).toEqual([]);
    for (const way of [{ vlan: 1 }, { vni: 5 }]) expect(await twice(way, way).findings(only)).toHaveLength(1);
  });
});
