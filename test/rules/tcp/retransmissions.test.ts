import { describe, expect, it } from 'vitest';
import { HOST, PEER } from '../../support/icmp.js';
import { ACK, acknowledge, data, handshake, type Segment, tcp6 } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['tcp/retransmissions'] };
const said = async (capture: Capture) => inShort(await capture.findings(only));

/** `count` segments of 100 octets, each acknowledged; those in `lost` are sent again 10 ms later, when `id` has gone on. */
function stream(count: number, lost: readonly number[], segment: Segment = {}, capture = new Capture()): Capture {
  handshake(capture.at(1), segment);
  let id = 10;
  for (let i = 0; i < count; i++) {
    data(capture.at(2 + i / 10), i * 100, 100, { ...segment, id: id++ });
    if (lost.includes(i)) data(capture.at(2.01 + i / 10), i * 100, 100, { ...segment, id: id++ });
    acknowledge(capture.at(2.02 + i / 10), (i + 1) * 100, { ...segment, id });
  }
  return capture;
}

describe('tcp/retransmissions', () => {
  it('speaks at the third segment that is sent again', async () => {
    expect(await said(stream(10, [1, 3, 5]))).toEqual([['tcp/retransmissions', 'certain', [7, 12, 17]]]);
    expect(await said(stream(10, [1, 3]))).toEqual([]);
  });

  it('passes over what is less than one in a hundred', async () => {
    expect(await said(stream(310, [10, 20, 30]))).toEqual([]);
    expect(await said(stream(290, [10, 20, 30]))).toHaveLength(1);
  });

  it('tells overtaken segments, and such that are seen twice, by their identification', async () => {
    const overtaken = handshake(new Capture().at(1));
    for (let i = 0; i < 10; i += 2) {
      data(overtaken.at(2 + i), (i + 1) * 100, 100, { id: 11 + i });
      data(overtaken.at(2.1 + i), i * 100, 100, { id: 10 + i });
    }
    expect(await said(overtaken)).toEqual([]);
    const twice = handshake(new Capture().at(1));
    for (let i = 0; i < 10; i++) for (const ttl of [64, 63]) data(twice.at(2 + i), i * 100, 100, { id: 10 + i, ttl });
    expect(await said(twice)).toEqual([]);
  });

  it('tells them by time where there is no identification', async () => {
    const repeat = (gap: number) => {
      const capture = new Capture();
      for (let i = 0; i < 5; i++)
        for (const late of [0, gap])
          tcp6(capture.at(1 + i + late), PEER, HOST, ACK, { seq: 5001 + 10 * i, length: 10 });
      return capture;
    };
    expect(await said(repeat(0.2))).toHaveLength(1);
    expect(await said(repeat(0.002))).toEqual([]);
  });

  it('takes out what the receiver had already', async () => {
    const capture = stream(10, [1, 3, 5]);
    acknowledge(capture.at(9), 1000, { id: 80, blocks: [[100, 200]] });
    expect(await said(capture)).toEqual([]);
  });

  it('is no keep-alive and no probe of a closed window', async () => {
    const capture = handshake(new Capture().at(1));
    acknowledge(data(capture.at(2), 0, 100, { id: 10 }).at(2.01), 100);
    for (let i = 0; i < 5; i++) data(capture.at(3 + i), 99, 1, { id: 20 + i });
    acknowledge(capture.at(8), 100, { window: 0, id: 30 });
    for (let i = 0; i < 5; i++) data(capture.at(9 + i), 0, 100, { id: 40 + i });
    expect(await said(capture)).toEqual([]);
  });

  it('begins anew where ports are used again, in a capture that missed the SYN as well', async () => {
    const capture = stream(5, []);
    for (let i = 0; i < 5; i++) data(capture.at(20 + i), 1_000_000_000 - 50_000_000 * i, 100, { id: 100 + i });
    expect(await said(capture)).toEqual([]);
    const again = stream(5, []);
    handshake(again.at(20), { seq: 900 });
    for (let i = 0; i < 5; i++) data(again.at(21 + i), i * 100, 100, { id: 100 + i });
    expect(await said(again)).toEqual([]);
  });

  it('says it once for two hosts, and keeps VLANs apart', async () => {
    const capture = stream(10, [1, 3, 5, 7], {});
    stream(10, [1, 3, 5], { sport: 41000 }, capture);
    const [finding, ...rest] = await capture.findings(only);
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({ count: 4 });
    const vlans = stream(10, [1, 3, 5], { way: { vlan: 10 } });
    stream(20, [11, 13, 15], { way: { vni: 5 } }, vlans);
    expect((await vlans.findings(only)).map(({ segment }) => [segment?.vlans, segment?.vnis])).toEqual([
      [[10], []],
      [[], [5]],
    ]);
  });
});
