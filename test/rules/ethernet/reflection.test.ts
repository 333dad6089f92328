import { describe, expect, it } from 'vitest';
import { Capture, inShort } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const C = '02:00:00:00:00:03';
const only = { select: ['ethernet/reflection'] };
const talk = (capture: Capture, from: string, to: string, id: number, way = {}) =>
  capture.ipv4({ from, to, source: '10.0.0.1', destination: '10.0.0.2', id }, way);

describe('ethernet/reflection', () => {
  it('is certain of a frame that goes out and comes in', async () => {
    const capture = new Capture().ask(A, '10.0.0.1', '10.0.0.2', { direction: 'out' }).at(0.00005);
    capture.ask(A, '10.0.0.1', '10.0.0.2', { direction: 'in' });
    expect(inShort(await capture.findings(only))).toEqual([['ethernet/reflection', 'certain', [1, 2]]]);
  });

  it.each([0.051, 0.2])('keeps still about a frame that comes back after %f s', async (late) => {
    const capture = new Capture().ask(A, '10.0.0.1', '10.0.0.2', { direction: 'out' }).at(late);
    expect(await capture.ask(A, '10.0.0.1', '10.0.0.2', { direction: 'in' }).findings(only)).toEqual([]);
  });

  it('finds it likely where two stations are doubled and a third is not', async () => {
    const capture = new Capture();
    for (let i = 0; i < 4; i++) {
      const [from, to] = i % 2 === 0 ? [A, B] : [B, A];
      talk(talk(capture.at(i), from, to, i).at(i + 0.0001), from, to, i);
      talk(capture.at(i + 0.5), C, A, 100 + i);
    }
    expect(inShort(await capture.findings(only)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('keeps still where some frames of a station are doubled and most are not', async () => {
    const capture = new Capture();
    for (let i = 0; i < 20; i++) {
      talk(capture.at(i), A, B, i);
      if (i < 4) talk(capture.at(i + 0.0001), A, B, i);
    }
    expect(await capture.findings(only)).toEqual([]);
  });

  it('leaves a loop to its own rule', async () => {
    const capture = new Capture();
    for (let i = 0; i < 10; i++)
      capture.at(i / 10_000).ask(A, '10.0.0.1', '10.0.0.2', { direction: i === 0 ? 'out' : 'in' });
    expect(await capture.findings(only)).toEqual([]);
  });
});
