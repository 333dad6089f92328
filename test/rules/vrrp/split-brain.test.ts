import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Analyzer } from '../../../src/analyze.js';
import { openCapture } from '../../../src/capture/open.js';
import { CookedCapture, GROUP } from '../../support/cooked.js';
import { packet } from '../../support/icmp.js';
import { ipv4 } from '../../support/tunnel.js';
import { type Advert, advert } from '../../support/vrrp.js';
import { Capture, findingsOf, inShort, ip } from '../../support/wire.js';

const only = { select: ['vrrp/split-brain'] };
const said = async (capture: Capture) => inShort(await capture.findings(only));

const A = '10.0.0.11';
const B = '10.0.0.12';

/** Each of the two advertises `times` times, by turns, from `at` on. */
function both(
  times: number,
  { at = 1, one = {} as Advert, two = {} as Advert, b = B, capture = new Capture() } = {},
): Capture {
  const every = one.seconds ?? 1;
  for (let i = 0; i < times; i++) {
    advert(capture.at(at + i * every), A, one);
    advert(capture.at(at + i * every + 0.4), b, two);
  }
  return capture;
}

describe('vrrp/split-brain', () => {
  it('speaks when both have gone on for three intervals', async () => {
    expect(await said(both(4))).toEqual([['vrrp/split-brain', 'certain', [3, 4, 5, 6, 7, 8]]]);
    expect(await said(both(3))).toEqual([]);
  });

  it('keeps still about elections: one yields, gives up, or falls silent', async () => {
    const capture = new Capture();
    for (let i = 0; i < 5; i++) advert(capture.at(1 + i), A);
    advert(capture.at(5.5), B, { priority: 110 });
    for (let i = 0; i < 9; i++) advert(capture.at(6.5 + i), B, { priority: 110 });
    expect(await said(capture)).toEqual([]);
    const resigned = new Capture();
    for (let i = 0; i < 12; i++) {
      const [one, two] = i % 2 === 0 ? [A, B] : [B, A];
      advert(resigned.at(1 + i), one);
      advert(resigned.at(1.2 + i), one, { priority: 0 });
      advert(resigned.at(1.4 + i), two);
    }
    expect((await said(resigned)).length).toBe(0);
    const slow = new Capture();
    for (let i = 0; i < 6; i++)
      for (const [j, source] of [A, B].entries()) advert(slow.at(1 + i * 20 + j * 10), source);
    expect(await said(slow)).toEqual([]);
  });

  it('counts by the interval that is told, of version 2 and 3', async () => {
    expect(await said(both(4, { one: { seconds: 10 }, two: { seconds: 10 } }))).toHaveLength(1);
    const three = { version: 3, seconds: 10 } as const;
    expect(await said(both(4, { one: three, two: three }))).toHaveLength(1);
  });

  it('names what the two configurations must have in common and have not', async () => {
    const cause = async (one: Advert, two: Advert) => (await both(4, { one, two }).findings(only))[0]?.cause;
    expect(await cause({}, {})).toContain('224.0.0.18');
    expect(await cause({ version: 2 }, { version: 3 })).toContain('version 2 and 3');
    expect(await cause({ seconds: 1 }, { seconds: 2 })).toContain('interval 1 s and 2 s');
    expect(await cause({}, { ttl: 64 })).toContain('a TTL of 64 instead of 255');
  });

  it('tells one id that two groups use, and doubts it where they may be in two VLANs', async () => {
    const other = { two: { address: '10.0.0.200' } };
    const [finding] = await both(4, other).findings(only);
    expect(finding).toMatchObject({ confidence: 'likely' });
    expect(finding?.title).toBe('10.0.0.11 and 10.0.0.12 use the same VRRP id 51 for different addresses');
    const far = both(4, { two: { address: '10.0.20.1' }, b: '10.0.20.12' });
    expect((await said(far)).map(([, confidence]) => confidence)).toEqual(['hint']);
  });

  it('tells two ids that serve one address, from three intervals on', async () => {
    const two = (times: number, other: Advert = {}) => both(times, { two: { id: 52, ...other } });
    const [finding] = await two(5).findings(only);
    expect(finding).toMatchObject({ confidence: 'certain', subject: { ip: '10.0.0.100', first: A, second: B } });
    expect(finding?.title).toContain('under the VRRP ids 51 and 52');
    expect(finding?.remedy[0].commands).toEqual(['grep -rn virtual_router_id /etc/keepalived/']);
    expect(await said(two(4))).toEqual([]);
    expect(await said(two(5, { address: '10.0.0.200' }))).toEqual([]);
    // One group follows another: they are not up at the same time.
    const after = new Capture();
    for (let i = 0; i < 8; i++) advert(after.at(1 + i), i < 4 ? A : B, { id: i < 4 ? 51 : 52 });
    expect(await said(after)).toEqual([]);
    // One router in two groups.
    expect(await said(both(5, { two: { id: 52 }, b: A }))).toEqual([]);
  });

  it('tells two passwords, where one router becomes master again and again beside the other', async () => {
    /** One is master throughout; the other speaks at these seconds. */
    const beside = (seconds: readonly number[], password: string) => {
      const capture = new Capture();
      for (let i = 0; i < 20; i++) {
        advert(capture.at(1 + i), A, { password: 'aaaa' });
        if (seconds.includes(i)) advert(capture.at(1.4 + i), B, { password });
      }
      return capture;
    };
    const [finding] = await beside([2, 11], 'bbbb').findings(only);
    expect(finding).toMatchObject({ confidence: 'likely', subject: { ip: '10.0.0.100' } });
    expect(finding?.title).toContain('different passwords for virtual router 51');
    expect(JSON.stringify(finding)).not.toMatch(/aaaa|bbbb/);
    expect(await said(beside([2], 'bbbb'))).toEqual([]);
    expect(await said(beside([2, 11], 'aaaa'))).toEqual([]);
    const [other] = await both(4, { one: { password: 'aaaa' }, two: { password: 'bbbb' } }).findings(only);
    expect(other?.cause).toContain('the password');
  });

  it('keeps other ids and VLANs apart, and looks into VXLAN', async () => {
    expect(await said(both(5, { two: { id: 52, address: '10.0.0.200' } }))).toEqual([]);
    expect(await said(both(4, { one: { way: { vlan: 10 } }, two: { way: { vlan: 20 } } }))).toEqual([]);
    const capture = both(4, { one: { way: { vlan: 10 } }, two: { way: { vlan: 10 } } });
    both(4, { at: 20, one: { way: { vni: 5 } }, two: { way: { vni: 5 } }, capture });
    expect((await capture.findings(only)).map(({ segment }) => [segment?.vlans, segment?.vnis])).toEqual([
      [[10], []],
      [[], [5]],
    ]);
  });

  it('takes in the address that both answer for', async () => {
    const capture = new Capture();
    for (let i = 0; i < 6; i++) {
      for (const source of [A, B]) {
        advert(capture.at(1 + i + (source === A ? 0 : 0.4)), source);
        const from = `02:00:00:00:00:${ip(source)[3]}`;
        capture.answer(from, '10.0.0.100', '02:00:00:00:00:01', '10.0.0.1');
      }
    }
    const findings = await capture.findings({ select: ['vrrp', 'arp/duplicate-address', 'arp/vip-flip'] });
    expect(findings.map(({ rule, explains }) => [rule, explains.map((each) => each.rule)])).toEqual([
      ['vrrp/split-brain', ['arp/vip-flip']],
    ]);
  });

  it('keeps still about CARP, which has the same protocol number and a header of its own', async () => {
    // Version 2 type 1, vhid, advskew, authlen 7, demotion, advbase, checksum; counter of 8 bytes, digest of 20.
    const carp = (skew: number, count: number) => [
      ...[0x21, 51, skew, 7, 0, 1, 0, 0],
      ...[0, 0, 0, 0, 0, 0, 0, count],
      ...new Array(20).fill(count),
    ];
    const capture = new Capture();
    for (let i = 0; i < 8; i++) {
      const from = { mac: '00:00:5e:00:01:33', ip: A };
      const to = { mac: '01:00:5e:00:00:12', ip: '224.0.0.18' };
      packet(capture.at(1 + i), from, to, ipv4(A, '224.0.0.18', 112, carp(100, i)));
      advert(capture.at(1.4 + i), B);
    }
    expect(await said(capture)).toEqual([]);
  });

  it('only hints at IPv6 in a capture of all devices: link-local addresses may be the same in each VLAN, and tags are lost', async () => {
    const link = (end: number) => [0xfe, 0x80, ...new Array(13).fill(0), end];
    const frame = (end: number) => [
      ...[0x33, 0x33, 0, 0, 0, 0x12, 2, 0, 0, 0, 0, end, 0x86, 0xdd],
      ...[0x60, 0, 0, 0, 0, 24, 112, 255, ...link(end), 0xff, 2, ...new Array(13).fill(0), 0x12],
      ...[0x31, 51, 100, 1, 0, 100, 0, 0, ...link(100)],
    ];
    const plain = new Capture();
    const cooked = new CookedCapture();
    for (let i = 0; i < 5; i++)
      for (const [at, end] of [
        [1 + i, 11],
        [1.4 + i, 12],
      ] as const) {
        plain.at(at).raw(frame(end));
        cooked.frame(at, 2, GROUP, frame(end));
      }
    expect((await said(plain)).map(([, confidence]) => confidence)).toEqual(['likely']);
    const found = await findingsOf(cooked.file(), only);
    expect(found.map(({ confidence }) => confidence)).toEqual(['hint']);
  });

  describe('in captures of both, each of which shows its own', () => {
    interface Alone extends Advert {
      at?: number;
      times?: number;
      /** Somebody else is heard there. */
      heard?: boolean;
      /** The other router is heard too. */
      rival?: string;
    }
    const alone = (source: string, { at = 1, times = 8, heard = true, rival, ...how }: Alone = {}) => {
      const capture = new Capture();
      for (let i = 0; i < times; i++) {
        advert(capture.at(at + i), source, how);
        if (rival && i === 2) advert(capture.at(at + i + 0.4), rival, how);
      }
      if (heard) capture.at(at + times).ask('02:00:00:00:00:77', '10.0.0.77', '10.0.0.77', how.way);
      return capture;
    };
    const together = async (...captures: readonly Capture[]) => {
      const analyzer = new Analyzer({ select: ['vrrp/split-brain'] });
      for (const [index, capture] of captures.entries()) {
        const source = await openCapture('-', { stdin: Readable.from([capture.file()]) });
        await analyzer.read(Object.assign(source, { info: { ...source.info, name: `${index}.pcap` } }));
      }
      return analyzer.analysis().findings;
    };

    it('is likely where both advertise at one time', async () => {
      const [finding, ...others] = await together(alone(A), alone(B, { at: 1.5 }));
      expect([finding.confidence, others]).toEqual(['likely', []]);
      expect(finding.title).toBe(
        '10.0.0.12 and 10.0.0.11 are both master of virtual router 51: each is heard in its own capture alone',
      );
      expect(finding.evidence.map(({ capture, frame }) => [capture, frame])).toEqual([
        [0, 1],
        [0, 2],
        [0, 3],
        [0, 4],
        [1, 1],
        [1, 2],
        [1, 3],
        [1, 4],
      ]);
    });

    it.each([
      ['at two times', alone(A), alone(B, { at: 30 })],
      ['of which the times overlap by less than an election takes', alone(A), alone(B, { at: 6 })],
      ['with other addresses', alone(A), alone(B, { address: '10.0.0.101' })],
      ['of two networks', alone(A), alone('10.0.9.12')],
      ['with other ids', alone(A), alone(B, { id: 52 })],
      ['in two VLANs', alone(A), alone(B, { way: { vlan: 5 } })],
      ['where one hears the other, which yields', alone(A), alone(B, { rival: A })],
      ['that may show what goes out alone', alone(A), alone(B, { heard: false })],
      ['that speak now and then', alone(A), alone(B, { seconds: 1, times: 2 })],
    ])('keeps still about captures %s', async (_, one, two) => {
      expect(await together(one, two)).toEqual([]);
    });
  });
});
