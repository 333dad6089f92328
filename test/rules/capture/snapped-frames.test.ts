import { describe, expect, it } from 'vitest';
import { Capture, inShort, mac } from '../../support/wire.js';

const ethernet = [...mac('02:00:00:00:00:02'), ...mac('02:00:00:00:00:01'), 0x88, 0xb5];
const bytes = [...ethernet, ...new Array(46).fill(0)];

describe('capture/snapped-frames', () => {
  it('lists the frames that were cut', async () => {
    const capture = new Capture().raw(bytes).at(1).raw(bytes, {}, 1500);
    const findings = await capture.findings();
    expect(inShort(findings)).toEqual([['capture/snapped-frames', 'certain', [2]]]);
    expect(findings[0].title).toContain('to 60 bytes');
  });

  it('keeps still when all frames are whole', async () => {
    expect(await new Capture().raw(bytes).at(1).raw(bytes).findings()).toEqual([]);
  });
});
