import { describe, expect, it } from 'vitest';
import { Blocks } from '../../capture/build.js';
import { Capture, findingsOf, inShort } from '../../support/wire.js';

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

  it('tells of packets that carry no time', async () => {
    const file = new Blocks(true).section().interface(1, 0);
    const question = Buffer.concat([Buffer.alloc(6, 255), Buffer.from('0200000000010806', 'hex'), Buffer.alloc(46)]);
    const bare = file.block(3, file.bytes().u32(60).padded(question).done()).done();
    const [finding, ...more] = await findingsOf(bare, { select: ['capture/time-disorder'] });
    expect([finding.title, more]).toEqual(['1 of 1 frames carry no time', []]);
  });
});
