import { describe, expect, it } from 'vitest';
import { Capture, inShort } from '../../support/wire.js';

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
});
