import { describe, expect, it } from 'vitest';
import { Capture, inShort } from '../../support/wire.js';

const stamped = (...times: number[]) => {
  const capture = new Capture();
  for (const [i, time] of times.entries()) capture.at(time).ask('02:00:00:00:00:01', '10.0.0.1', `10.0.0.${10 + i}`);
  return capture;
};

describe('capture/time-disorder', () => {
  it('lists frames that are stamped more than 100 ms before one in front of them', async () => {
    expect(inShort(await stamped(5, 6, 5.5, 7).findings())).toEqual([['capture/time-disorder', 'certain', [3]]]);
  });

  it('keeps still about 100 ms, which receive queues explain', async () => {
    expect(await stamped(5, 6, 5.9, 7).findings()).toEqual([]);
    expect(await stamped(1, 2, 3).findings()).toEqual([]);
  });
});
