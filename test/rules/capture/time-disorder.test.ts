import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openCapture } from '../../../src/capture/open.js';
import { Frame } from '../../../src/wire/frame.js';
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

  it('takes packets without time, with none before them that has one, for those of the begin of 1970, and for no loop', async () => {
    const file = new Blocks(true).section().interface(1, 0);
    const request = `${'ff'.repeat(6)}020000000001080600010800060400010200000000010a0000010000000000000a000002`;
    const bare = file.bytes().u32(42).padded(Buffer.from(request, 'hex')).done();
    for (let n = 0; n < 6; n++) file.block(3, bare);
    const findings = await findingsOf(file.done());
    expect(findings.map(({ rule, title }) => [rule, title])).toEqual([
      ['capture/time-disorder', '6 of 6 frames carry no time'],
    ]);
    expect(await findingsOf(file.done(), { select: ['arp/unanswered', 'bridge/loop'] })).toEqual([]);
    const source = await openCapture('-', { stdin: Readable.from([file.done()]) });
    const times: number[] = [];
    await source.run(new Frame(), ({ time }) => times.push(time));
    expect(times).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
