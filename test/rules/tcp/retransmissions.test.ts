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

  describe('after a rest', () => {
    /** Four segments that are acknowledged, and after `rest` seconds one of `size` octets that is sent five times. */
    function rested(rest: number, size = 100): Capture {
      const capture = stream(4, []);
      const [begin, id] = [2.3 + rest, 20];
      for (const [i, late] of [0, 0.2, 0.6, 1.4, 3].entries())
        data(capture.at(begin + late), 400, size, { id: id + i });
      return capture;
    }
    const titles = async (capture: Capture) => (await capture.findings(only)).map(({ title }) => title);
    const dead = 'TCP from 10.0.0.2 to 10.0.0.1 is not acknowledged any more after 80.0 s of rest';

    it('says that what keeps state may have forgotten the connection', async () => {
      expect(await titles(rested(80))).toEqual([dead]);
      const [{ cause }] = await rested(80).findings(only);
      expect(cause).toMatch(/; or 10\.0\.0\.1, or the way to it, went away meanwhile\.$/);
    });

    it('knows that the other end is there by connections that come up after', async () => {
      const capture = handshake(rested(80).at(86), { sport: 41000 });
      const [{ title, cause }] = await capture.findings(only);
      expect([title, cause.endsWith('10.0.0.1 is there, as new connections come up.')]).toEqual([dead, true]);
    });

    it('says nothing of it where there was no rest, or what was sent is acknowledged after all', async () => {
      expect(await titles(rested(40))).toEqual(['TCP from 10.0.0.2 to 10.0.0.1: 4 segments are sent again']);
      const healed = acknowledge(rested(80).at(86), 500, { id: 90 });
      expect(await titles(healed)).toEqual(['TCP from 10.0.0.2 to 10.0.0.1: 4 segments are sent again']);
    });

    it('does not call it dead when its data went through in smaller pieces', async () => {
      const capture = rested(80, 1400);
      data(capture.at(88), 400, 500, { id: 40 });
      acknowledge(capture.at(88.1), 900, { id: 90 });
      expect((await titles(capture)).join()).toMatch(/segments are sent again$/);
    });

    it('only hints at a black hole for its size, also where other connections come up', async () => {
      const stall = { select: ['tcp/big-segments-stall'] };
      const told = async (capture: Capture) =>
        (await capture.findings(stall)).map(({ confidence, caveats }) => [confidence, caveats.length]);
      expect(await told(rested(80, 1400))).toEqual([['hint', 2]]);
      const between = handshake(rested(80, 1400).at(84), { sport: 41000 });
      data(between.at(86), 400, 1400, { id: 50 });
      expect(await told(between)).toEqual([['hint', 1]]);
    });
  });
});
