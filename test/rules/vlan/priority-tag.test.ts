import { describe, expect, it } from 'vitest';
import { Capture } from '../../support/wire.js';
import { A, askTagged, askTaggedFrom, B } from './tagged.js';

const findings = async (capture: Capture) =>
  (await capture.findings()).filter(({ rule }) => rule === 'vlan/priority-tag');

describe('vlan/priority-tag', () => {
  it('tells who sends tags with id 0, and counts them all', async () => {
    const capture = new Capture();
    for (let i = 0; i < 5; i++) askTagged(capture.at(10 * i), [0x8100, 0xa000]);
    const [finding] = await findings(capture);
    expect(finding).toMatchObject({ severity: 'info', confidence: 'certain', count: 5, subject: { mac: A } });
    expect(finding.summary).toContain('priority 5');
    expect(finding.title).not.toContain('others');
  });

  it('says that there are others', async () => {
    const capture = askTaggedFrom(askTagged(new Capture(), [0x8100, 0]), B, [0x8100, 0]);
    expect((await findings(capture)).map(({ title }) => title)).toEqual([expect.stringContaining('and others')]);
  });

  it('keeps still over a VLAN with priority, and over no tag', async () => {
    expect(await findings(askTagged(askTagged(new Capture(), [0x8100, 0xa001])))).toEqual([]);
  });

  it('tells it for each VLAN that has one inside', async () => {
    const capture = askTagged(askTagged(new Capture(), [0x8100, 7], [0x8100, 0]), [0x8100, 8], [0x8100, 0]);
    expect((await findings(capture)).map(({ segment }) => segment.vlans)).toEqual([[7], [8]]);
  });
});
