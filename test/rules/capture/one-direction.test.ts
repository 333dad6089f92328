import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Analyzer } from '../../../src/analyze.js';
import { openCapture } from '../../../src/capture/open.js';
import { Capture, type Way } from '../../support/wire.js';

const frames = (count: number, way: Way, last: Way = way) => {
  const capture = new Capture();
  for (let i = 0; i < count; i++)
    capture.at(i).ask('02:00:00:00:00:01', '10.0.0.1', `10.0.0.${10 + i}`, i === count - 1 ? last : way);
  return capture;
};
const rules = async (capture: Capture) =>
  (await capture.findings()).map(({ rule, confidence }) => `${rule} ${confidence}`);
const ONE = ['capture/one-direction likely'];

describe('capture/one-direction', () => {
  it.each(['in', 'out'] as const)('speaks when ten frames all go %s', async (direction) => {
    expect(await rules(frames(10, { direction }))).toEqual(ONE);
  });

  it('keeps still while netdiag itself captures: it takes both directions', async () => {
    const analyzer = new Analyzer();
    const source = await openCapture('-', { stdin: Readable.from([frames(12, { direction: 'out' }).file()]) });
    source.info.format = 'live';
    await analyzer.read(source);
    expect(analyzer.analysis().findings).toEqual([]);
  });

  it('keeps still about nine', async () => {
    expect(await rules(frames(9, { direction: 'out' }))).toEqual([]);
  });

  it('keeps still when one frame goes the other way, or has no direction', async () => {
    expect(await rules(frames(12, { direction: 'out' }, { direction: 'in' }))).toEqual([]);
    expect(await rules(frames(12, { direction: 'out' }, {}))).toEqual([]);
    expect(await rules(frames(12, {}))).toEqual([]);
  });
});
