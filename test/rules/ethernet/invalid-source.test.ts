import { describe, expect, it } from 'vitest';
import { Capture, inShort, type Way } from '../../support/wire.js';

const only = { select: ['ethernet/invalid-source'] };
const asks = (mac: string, times: number, way?: Way, capture = new Capture()) => {
  for (let i = 1; i <= times; i++) capture.at(i).ask(mac, '10.0.0.1', `10.0.0.${i + 1}`, way);
  return capture;
};

describe('ethernet/invalid-source', () => {
  it.each(['03:42:ac:11:00:02', '01:00:5e:00:00:01', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00'])(
    'is certain of three frames from %s',
    async (mac) => {
      const findings = await asks(mac, 3).findings(only);
      expect(inShort(findings)).toEqual([['ethernet/invalid-source', 'certain', [1, 2, 3]]]);
      expect(findings[0].subject).toEqual({ mac });
    },
  );

  it('gives a hint about two, which may be damaged', async () => {
    const [finding, ...rest] = await asks('03:42:ac:11:00:02', 2).findings(only);
    expect([finding.confidence, rest]).toEqual(['hint', []]);
    expect(finding.wouldRaise).not.toEqual([]);
  });

  it.each(['02:42:ac:11:00:02', '00:00:00:00:00:01', 'fe:ff:ff:ff:ff:ff'])('keeps still about %s', async (mac) => {
    expect(await asks(mac, 3).findings(only)).toEqual([]);
  });

  it('keeps still about the loopback device, where both addresses are zero', async () => {
    const capture = new Capture();
    const zero = '00:00:00:00:00:00';
    for (let i = 1; i <= 5; i++)
      capture.at(i).ipv4({ from: zero, to: zero, source: '127.0.0.1', destination: '127.0.0.1', id: i });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('speaks inside VXLAN, and of each interface’s segment on its own', async () => {
    const mac = '03:42:ac:11:00:02';
    const capture = asks(mac, 3, { vni: 7 });
    asks(mac, 3, { vni: 8 }, capture);
    expect(inShort(await capture.findings(only))).toEqual([
      ['ethernet/invalid-source', 'certain', [1, 2, 3]],
      ['ethernet/invalid-source', 'certain', [4, 5, 6]],
    ]);
  });
});
