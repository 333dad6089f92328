import { describe, expect, it } from 'vitest';
import { PEER } from '../../support/icmp.js';
import { acknowledge, handshake, RST, type Segment, tcp } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['tcp/zero-window'] };
const said = async (capture: Capture) => inShort(await capture.findings(only));

/** HOST tells a window of 0 at the `times` and opens it at `opens`, if given. */
function full(times: readonly number[], opens: number | null, segment: Segment = {}, capture = new Capture()): Capture {
  handshake(capture.at(1), segment);
  for (const [i, second] of times.entries()) acknowledge(capture.at(second), 0, { ...segment, id: 10 + i, window: 0 });
  if (opens !== null) acknowledge(capture.at(opens), 0, { ...segment, id: 50 });
  return capture;
}
const later = (capture: Capture, second: number) => capture.at(second).ask(PEER.mac, PEER.ip, '10.0.0.77');

describe('tcp/zero-window', () => {
  it('speaks of a window that is closed for 0.2 s', async () => {
    expect(await said(full([2], 2.2))).toEqual([['tcp/zero-window', 'certain', [4]]]);
    expect(await said(full([2], 2.19))).toEqual([]);
    expect(await said(full([2, 2.25], null))).toEqual([['tcp/zero-window', 'certain', [4, 5]]]);
  });

  it('speaks of one that stays closed, if it is told more than once', async () => {
    expect(await said(later(full([2, 2.1], null), 3))).toEqual([['tcp/zero-window', 'certain', [4, 5]]]);
    expect(await said(later(full([2], null), 3))).toEqual([]);
  });

  it('tells the longest time and how often', async () => {
    const capture = full([2], 2.3);
    acknowledge(capture.at(4), 0, { id: 60, window: 0 });
    acknowledge(capture.at(5.5), 0, { id: 61 });
    const [finding] = await capture.findings(only);
    expect(finding).toMatchObject({
      count: 2,
      severity: 'info',
      subject: { receiver: '10.0.0.1', sender: '10.0.0.2' },
    });
    expect(finding?.title).toContain('1.5 s');
  });

  it('pays no heed to the window of a RST', async () => {
    const capture = tcp(handshake(new Capture().at(1)).at(2), PEER, { mac: '02:00:00:00:00:01', ip: '10.0.0.1' }, RST, {
      sport: 80,
      dport: 40000,
      seq: 5001,
      window: 0,
    });
    expect(await said(later(capture, 5))).toEqual([]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const capture = full([2], 3, { way: { vlan: 10 } });
    full([5], 6, { way: { vni: 5 } }, capture);
    expect((await capture.findings(only)).map(({ segment }) => [segment?.vlans, segment?.vnis])).toEqual([
      [[10], []],
      [[], [5]],
    ]);
  });
});
