import { describe, expect, it } from 'vitest';
import { askInside } from '../../support/tunnel.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['vxlan/inner-tag'] };

describe('vxlan/inner-tag', () => {
  it('is certain about a tag inside', async () => {
    const [finding, ...more] = await askInside(new Capture(), {}, { vlan: 7 }).findings(only);
    expect(inShort([finding])).toEqual([['vxlan/inner-tag', 'certain', [1, 2, 3]]]);
    expect([finding.severity, finding.count]).toEqual(['info', 3]);
    expect(more).toEqual([]);
  });

  it('keeps silent about untagged frames, and tags outside', async () => {
    expect(await askInside(new Capture(), { way: { vlan: 9 } }).findings(only)).toEqual([]);
  });

  it('keeps VNIs apart', async () => {
    const capture = askInside(askInside(new Capture(), { vni: 6 }, { vlan: 7 }), {}, { at: 9 });
    expect((await capture.findings(only)).map(({ subject }) => subject.vni)).toEqual([6]);
  });
});
