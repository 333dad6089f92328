import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Analyzer } from '../../../src/analyze.js';
import { openCapture } from '../../../src/capture/open.js';
import { HOST, PEER } from '../../support/icmp.js';
import { ACK, acknowledge, data, handshake, syns, tcp } from '../../support/tcp.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

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

/** HOST acknowledges in each connection `acks` times, 1,448 octets more a time; what it acknowledges is not there. */
function oneSided(connections: number, acks = 2): Capture {
  const capture = new Capture();
  for (let i = 0; i < connections * acks; i++)
    tcp(capture.at(1 + i / 100), HOST, PEER, ACK, {
      sport: 40000 + (i % connections),
      seq: 1001,
      ack: 5001 + Math.floor(i / connections) * 1448,
      id: 1 + i,
    });
  return capture;
}

describe('capture/one-direction, by TCP connections', () => {
  it('is certain when three acknowledge what is not there', async () => {
    const found = await oneSided(3).findings();
    expect(inShort(found)).toEqual([['capture/one-direction', 'certain', [4, 5, 6]]]);
  });

  it('keeps still about two, and about acknowledgments that stand still', async () => {
    expect(await rules(oneSided(2))).toEqual([]);
    expect(await rules(oneSided(3, 1))).toEqual([]);
  });

  it('keeps still when one connection has both sides', async () => {
    const capture = oneSided(3);
    handshake(capture.at(2), { sport: 41000 });
    data(capture, 0, 10, { sport: 41000 });
    acknowledge(capture, 10, { sport: 41000 });
    expect(await rules(capture)).toEqual([]);
  });

  it('keeps still when the other side passes in another VLAN', async () => {
    const capture = oneSided(3);
    for (let i = 0; i < 3; i++) data(capture.at(2), 0, 1448, { sport: 40000 + i, way: { vlan: 20 } });
    expect((await rules(capture)).filter((each) => each.startsWith('capture/one-direction'))).toEqual([]);
  });

  it('keeps still about connections that nobody answers', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++) syns(capture, 2, { sport: 40000 + i });
    expect((await rules(capture)).filter((each) => each.startsWith('capture/one-direction'))).toEqual([]);
  });
});
