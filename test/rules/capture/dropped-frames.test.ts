import { describe, expect, it } from 'vitest';
import { Capture, inShort } from '../../support/wire.js';

const capture = (dropped: number | null) => {
  const made = new Capture().ask('02:00:00:00:00:01', '10.0.0.1', '10.0.0.2');
  made.dropped = dropped;
  return made;
};

describe('capture/dropped-frames', () => {
  it('warns when the file counts drops', async () => {
    const findings = await capture(7).findings();
    expect(inShort(findings)).toEqual([['capture/dropped-frames', 'certain', []]]);
    expect([findings[0].severity, findings[0].count]).toEqual(['warning', 7]);
  });

  it.each([0, null])('keeps still when it counts %s', async (dropped) => {
    expect(await capture(dropped).findings()).toEqual([]);
  });
});
