import { describe, expect, it } from 'vitest';
import { HOST, PEER, ping, tooBig } from '../../support/icmp.js';
import { acknowledge, data, handshake, RST, type Segment, tcp } from '../../support/tcp.js';
import { Capture, inShort } from '../../support/wire.js';

const only = { select: ['tcp/big-segments-stall'] };
const said = async (capture: Capture) => inShort(await capture.findings(only));
const BLOCK = [[1460, 1500]] as const;

/** A connection in which `first` octets arrive, and the next 1460 are sent again at `times`, waited for if `awaited`. */
function stall(
  times: readonly number[],
  { first = 100, awaited = true, size = 1460, segment = {} as Segment, capture = new Capture() } = {},
): Capture {
  handshake(capture.at(1), segment);
  if (first > 0)
    acknowledge(data(capture.at(1.1), 0, first, { id: 10, ...segment }).at(1.11), first, { id: 10, ...segment });
  data(capture.at(1.2), first, size, { id: 11, ...segment });
  data(capture.at(1.2001), first + size, 40, { id: 12, ...segment });
  const blocks = BLOCK.map(([a, b]) => [first + a, first + b] as const);
  if (awaited) acknowledge(capture.at(1.21), first, { id: 11, blocks, ...segment });
  for (const [i, second] of times.entries()) data(capture.at(second), first, size, { id: 13 + i, ...segment });
  return capture;
}
const DOUBLING = [1.4, 1.8, 2.6];

describe('tcp/big-segments-stall', () => {
  it('speaks when one full segment is sent again three times, and small ones arrive', async () => {
    const [finding, ...rest] = await stall(DOUBLING).findings(only);
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({
      severity: 'error',
      confidence: 'likely',
      subject: { sender: PEER.ip, receiver: HOST.ip, fails: 1500, passes: 140 },
    });
    expect(finding?.evidence.map(({ frame }) => frame)).toEqual([9, 10, 11]);
    expect(await said(stall(DOUBLING.slice(0, 2)))).toEqual([]);
    expect(await said(stall([1.4, 1.42, 1.44]))).toEqual([]);
  });

  it('speaks where the first segment of all is lost', async () => {
    expect((await said(stall(DOUBLING, { first: 0 }))).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('only hints where the other end is not heard any more', async () => {
    expect((await said(stall(DOUBLING, { awaited: false }))).map(([, confidence]) => confidence)).toEqual(['hint']);
    const alive = acknowledge(stall(DOUBLING.slice(0, 2), { awaited: false }).at(2), 100, { id: 50 });
    const again = data(alive.at(2.6), 100, 1460, { id: 60 });
    expect((await said(again)).map(([, confidence]) => confidence)).toEqual(['likely']);
  });

  it('is likely where the two make another connection meanwhile, and a hint where they do not or the old one is reset', async () => {
    const later = (second: number) =>
      data(handshake(stall(DOUBLING, { awaited: false }).at(second), { sport: 41000 }).at(4.2), 100, 1460, { id: 60 });
    const confidences = async (capture: Capture) => (await said(capture)).map(([, confidence]) => confidence);
    expect(await confidences(later(3))).toEqual(['likely']);
    expect(await confidences(later(5))).toEqual(['hint']);
    const before = handshake(new Capture().at(0.5), { sport: 41000 });
    expect(await confidences(stall(DOUBLING, { awaited: false, capture: before }))).toEqual(['hint']);
    expect(await confidences(tcp(later(3).at(4.21), HOST, PEER, RST, { seq: 1001 }))).toEqual(['hint']);
    const elsewhere = handshake(stall(DOUBLING, { awaited: false }).at(3), { sport: 41000, dport: 443 });
    expect(await confidences(data(elsewhere.at(4.2), 100, 1460, { id: 60 }))).toEqual(['hint']);
  });

  it('is told of two new connections where packets of this size arrived before: the path has become narrow', async () => {
    const whole = () => {
      const capture = handshake(new Capture().at(0.1), { sport: 42000 });
      data(capture.at(0.2), 0, 1460, { id: 3, sport: 42000 });
      return acknowledge(capture.at(0.21), 1460, { id: 3, sport: 42000 });
    };
    const second = (capture: Capture) => stall(DOUBLING, { capture, segment: { sport: 41000 } });
    const one = stall(DOUBLING, { capture: whole() });
    expect(await said(one)).toEqual([]);
    const [finding] = await second(stall(DOUBLING, { capture: whole() })).findings(only);
    expect(finding).toMatchObject({ confidence: 'likely' });
    expect(finding.summary).toContain('something has changed since');
    // A connection that began later delivers them: the others were forgotten on their way.
    const fine = handshake(second(stall(DOUBLING, { capture: whole() })).at(5), { sport: 43000 });
    data(fine.at(5.1), 0, 1460, { id: 90, sport: 43000 });
    expect(await said(acknowledge(fine.at(5.2), 1460, { id: 91, sport: 43000 }))).toEqual([]);
    // The old connection itself hangs after packets of this size: that shows nothing.
    const old = stall(DOUBLING, { capture: new Capture(), first: 1460 });
    expect(await said(old)).toEqual([]);
  });

  it('keeps still when the segment arrives in the end, but not when only a smaller one does', async () => {
    expect(await said(acknowledge(stall(DOUBLING).at(3), 1560, { id: 50 }))).toEqual([]);
    const smaller = data(stall(DOUBLING).at(4.2), 100, 500, { id: 60 });
    const [finding] = await acknowledge(smaller.at(4.21), 600, { id: 50 }).findings(only);
    expect(finding).toMatchObject({ confidence: 'likely', subject: { passes: 540 } });
  });

  it('keeps still about small segments, and where as big ones arrived, in any connection of the two', async () => {
    expect(await said(stall(DOUBLING, { size: 1200 }))).toEqual([]);
    expect(await said(stall(DOUBLING, { first: 1460 }))).toEqual([]);
    const other = { sport: 41000 };
    const capture = handshake(new Capture().at(0.1), other);
    acknowledge(data(capture.at(0.2), 0, 1460, { id: 10, ...other }).at(0.21), 1460, { id: 10, ...other });
    expect(await said(stall(DOUBLING, { capture }))).toEqual([]);
  });

  it('leaves it to the router that tells the MTU, and to a receiver that is full', async () => {
    expect(await said(tooBig(stall(DOUBLING).at(3), PEER, HOST, { size: 1500, mtu: 1400 }))).toEqual([]);
    const full = handshake(new Capture().at(1));
    acknowledge(data(full.at(1.1), 0, 100, { id: 10 }).at(1.11), 100, { id: 10, window: 0 });
    for (const [i, second] of [1.3, 1.7, 2.5, 4].entries()) data(full.at(second), 0, 1460, { id: 11 + i });
    expect(await said(full)).toEqual([]);
  });

  it('explains the retransmissions, and is explained by pings that fail by size', async () => {
    const both = await stall([...DOUBLING, 4.2]).findings({ select: ['tcp'] });
    expect(both.map(({ rule, explains }) => [rule, explains.map((each) => each.rule)])).toEqual([
      ['tcp/big-segments-stall', ['tcp/retransmissions']],
    ]);
    const capture = stall(DOUBLING);
    ping(capture, HOST, PEER, { size: 84, at: 5, times: 4, answered: true });
    ping(capture, HOST, PEER, { size: 1500, at: 10, times: 4, answered: false, id: 9 });
    const all = await capture.findings({ select: ['tcp/big-segments-stall', 'mtu/black-hole'] });
    expect(all.map(({ rule, explains }) => [rule, explains.map((each) => each.rule)])).toEqual([
      ['mtu/black-hole', ['tcp/big-segments-stall']],
    ]);
  });

  it('keeps VLANs apart, and looks into VXLAN', async () => {
    const capture = stall(DOUBLING, { segment: { way: { vlan: 10 } } });
    stall(
      DOUBLING.map((second) => second + 10),
      { segment: { way: { vni: 5 } }, capture },
    );
    expect((await capture.findings(only)).map(({ segment }) => [segment?.vlans, segment?.vnis])).toEqual([
      [[10], []],
      [[], [5]],
    ]);
  });
});
