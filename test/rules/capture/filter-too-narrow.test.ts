import { describe, expect, it } from 'vitest';
import { Capture, findingsOf, inShort } from '../../support/wire.js';

const ROUTER = '02:00:00:00:00:01';
const host = (i: number) => `02:00:00:00:01:0${i}`;

/** `count` hosts ask for their router and get an answer; the capture ends `rest` seconds later. */
function answered(count: number, rest = 1): Capture {
  const capture = new Capture();
  for (let i = 1; i <= count; i++)
    capture.ask(host(i), `10.0.0.${i + 1}`, '10.0.0.1').answer(ROUTER, '10.0.0.1', host(i), `10.0.0.${i + 1}`);
  return capture.at(rest).ask(host(9), '10.0.0.90', '10.0.0.91');
}

const confidences = async (capture: Capture) =>
  inShort((await capture.findings()).filter(({ rule }) => rule === 'capture/filter-too-narrow')).map(
    ([, each]) => each,
  );

describe('capture/filter-too-narrow', () => {
  it('is likely from three answered questions on, if no packet follows', async () => {
    expect(await confidences(answered(3))).toEqual(['likely']);
    expect(await confidences(answered(2))).toEqual([]);
  });

  it('gives the packets a second', async () => {
    expect(await confidences(answered(3, 0.99))).toEqual([]);
  });

  it('keeps still with a single IP packet', async () => {
    const capture = answered(3).ipv4({ from: host(1), to: ROUTER, source: '10.0.0.2', destination: '10.9.0.1' });
    expect(await confidences(capture)).toEqual([]);
  });

  it('keeps still where nothing is answered', async () => {
    const capture = new Capture();
    for (let i = 1; i <= 5; i++) capture.at(5 * i).askAgain(3, host(i), `10.0.0.${i + 1}`, '10.0.0.1');
    expect(await confidences(capture)).toEqual([]);
  });

  it('names the filter that a file tells, escaped', async () => {
    const file = withFilter(new Capture().ask(host(1), '10.0.0.2', '10.0.0.3').file(), 'arp\u001b[31m');
    const [finding] = (await findingsOf(file)).filter(({ rule }) => rule === 'capture/filter-too-narrow');
    expect(finding).toMatchObject({ confidence: 'certain', severity: 'info' });
    expect(finding.title).toContain('"arp');
    expect(finding.title).not.toContain('\u001b');
  });
});

/** The file with an option if_filter (11) in its interface description block. */
function withFilter(file: Buffer, expression: string): Buffer {
  const at = file.readUInt32LE(4);
  const length = file.readUInt32LE(at + 4);
  const text = Buffer.from(`\0${expression}`);
  const option = Buffer.alloc(4 + Math.ceil(text.length / 4) * 4);
  option.writeUInt16LE(11, 0);
  option.writeUInt16LE(text.length, 2);
  text.copy(option, 4);
  const block = Buffer.concat([file.subarray(at, at + 16), option, file.subarray(at + 16, at + length)]);
  block.writeUInt32LE(block.length, 4);
  block.writeUInt32LE(block.length, block.length - 4);
  return Buffer.concat([file.subarray(0, at), block, file.subarray(at + length)]);
}
