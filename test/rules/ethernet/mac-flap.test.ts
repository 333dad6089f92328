import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { COOKED_HEADER, cookedRecord, HOST, OUTGOING } from '../../support/cooked.js';
import { root } from '../../support/fixtures.js';
import { A, B, ipv4, ONE, THREE, TWO, tunnelled, unicast } from '../../support/tunnel.js';
import { Capture, findingsOf, inShort, mac } from '../../support/wire.js';

const RULE = 'ethernet/mac-flap';
const file = () => readFileSync(join(root, 'fixtures/rules/ethernet/mac-flap/clone/capture.pcap'));
const HEADER = 24;

/** Records of a pcap file as [header and packet], so that some can be left out or changed. */
function records(bytes: Buffer): Buffer[] {
  const found = [];
  for (let at = HEADER; at < bytes.length; ) {
    const end = at + 16 + bytes.readUInt32LE(at + 8);
    found.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return found;
}
const rules = async (keep: (index: number) => boolean) => {
  const bytes = file();
  const kept = records(bytes).filter((_, i) => keep(i + 1));
  return (await findingsOf(Buffer.concat([bytes.subarray(0, HEADER), ...kept]))).map(({ rule }) => rule);
};

/** A record of the packet `id`, sent at a second, as it is seen `micros` later at a device. */
function sighting(
  second: number,
  micros: number,
  index: number,
  packetType: number,
  from = '02:00:00:00:00:01',
  id = second,
): Buffer {
  const packet = ipv4('10.0.0.1', '10.0.0.2', 17, [0, 1, 0, 2, 0, 8, 0, 0], { id });
  const cooked = [8, 0, 0, 0, 0, 0, 0, index, 0, 1, packetType, 6, ...mac(from), 0, 0, ...packet];
  return cookedRecord(second * 1e6 + micros, cooked);
}

describe('ethernet/mac-flap', () => {
  it('speaks of a MAC that goes and comes back', async () => {
    expect(await rules(() => true)).toContain(RULE);
  });

  it('keeps still about a single move, and before any', async () => {
    expect(await rules((number) => number < 20)).not.toContain(RULE);
    expect(await rules((number) => number < 14)).not.toContain(RULE);
  });

  it('keeps still where no other port passes the frames on', async () => {
    const all = records(file());
    expect(await rules((number) => all[number - 1].readUInt8(16 + 10) !== OUTGOING)).not.toContain(RULE);
  });

  it('takes a bridge and the port that it shows again at the same moment for one place', async () => {
    // 2 is the bridge, 3 and 4 ports that frames enter by, 5 the port that they leave by. Each second frame is seen at the bridge too.
    const flaps = async (portOf: (id: number) => number) => {
      const sightings = [];
      for (let id = 1; id <= 5; id++) {
        if (id % 2 === 1) sightings.push(sighting(id, 0, 2, HOST));
        sightings.push(sighting(id, 0, portOf(id), HOST), sighting(id, 9, 5, OUTGOING));
      }
      return (await findingsOf(Buffer.concat([COOKED_HEADER, ...sightings]))).map(({ rule }) => rule);
    };
    expect(await flaps(() => 3)).not.toContain(RULE);
    expect(await flaps((id) => (id % 2 === 1 ? 3 : 4))).toContain(RULE);
  });

  it('keeps still about what went out before it came in: it crossed cables between bridges of the machine, as behind Open vSwitch', async () => {
    // A router of Open vSwitch answers guests by turns: out by `qvo` (3, 6), in by `qvb` of the guest's own bridge (4, 7), out by its tap (5, 8).
    const said = async (order: number[], sent = 0) => {
      const frames = Array.from({ length: 12 }, (_, second) => {
        const at = second % 2 === 0 ? 3 : 6;
        const way = [
          sighting(second, sent, at, OUTGOING),
          sighting(second, 2, at + 1, HOST),
          sighting(second, 5, at + 2, OUTGOING),
        ];
        return order.map((each) => way[each]);
      }).flat();
      return (await findingsOf(Buffer.concat([COOKED_HEADER, ...frames]))).map(({ rule }) => rule);
    };
    expect(await said([0, 1, 2])).not.toContain(RULE);
    // Written by device, not by time.
    expect(await said([1, 2, 0])).not.toContain(RULE);
    // That it went out is seen after it came in, or is not seen at all.
    expect(await said([1, 0, 2], 3)).toContain(RULE);
    expect(await said([1, 2])).toContain(RULE);
  });

  it('keeps still where it never comes back to a port, as a container that is made anew with its MAC', async () => {
    const flaps = async (portOf: (id: number) => number) => {
      const sightings = [];
      for (let id = 1; id <= 6; id++) sightings.push(sighting(id, 0, portOf(id), HOST), sighting(id, 9, 5, OUTGOING));
      const findings = await findingsOf(Buffer.concat([COOKED_HEADER, ...sightings]), { select: [RULE] });
      return findings.map(({ count }) => count);
    };
    expect(await flaps((id) => 10 + id)).toEqual([]);
    // Three by turns.
    expect(await flaps((id) => 10 + (id % 3))).toEqual([4]);
    // Back to the first one at last.
    expect(await flaps((id) => [11, 12, 13, 14, 13, 14][id - 1])).toEqual([3]);
  });

  it('only hints where it stays at each port for seconds, as a guest that is migrated there and back', async () => {
    // By port 3 until 7 s, by 4 until 14 s, by 3 again: 6.5 s at each. In turns at each second: 1 s.
    const told = async (portOf: (id: number) => number) => {
      const sightings = [];
      for (let id = 1; id <= 20; id++) sightings.push(sighting(id, 0, portOf(id), HOST), sighting(id, 9, 5, OUTGOING));
      const findings = await findingsOf(Buffer.concat([COOKED_HEADER, ...sightings]), { select: [RULE] });
      return findings.map(({ confidence, count }) => `${confidence} ${count}`);
    };
    expect(await told((id) => (id > 7 && id <= 14 ? 4 : 3))).toEqual(['hint 2']);
    expect(await told((id) => 3 + (id % 2))).toEqual(['likely 19']);
  });

  it('keeps still about a station behind a port that is not captured, whose frames leave by two others and show at the bridge', async () => {
    // 2 is the bridge. What comes in by 3 and 4 it shows at the same moment; what comes in elsewhere, some microseconds before or after.
    const known = ['02:00:00:00:00:03', '02:00:00:00:00:04'];
    const flaps = async (later: number) => {
      const sightings = [];
      for (const [i, from] of known.entries())
        sightings.push(sighting(i + 1, 0, 3 + i, HOST, from), sighting(i + 1, 0, 2, HOST, from));
      for (let id = 10; id <= 30; id++)
        sightings.push(sighting(id, 0, 3 + (id % 2), HOST), sighting(id, later, 2, HOST));
      const findings = await findingsOf(Buffer.concat([COOKED_HEADER, ...sightings]), { select: [RULE] });
      return findings.map(({ confidence }) => confidence);
    };
    expect(await flaps(3)).toEqual([]);
    // It does come in by the two.
    expect(await flaps(0)).toEqual(['hint']);
  });

  describe('a bond whose switch spreads the frames of one sender over its members', () => {
    /** Frames for the bond (2) come in by its members 3 and 4, in turns; the bond and what leans on it show them once more. */
    const frames = (above: readonly number[]) => {
      const sightings = [];
      for (let id = 1; id <= 20; id++)
        for (const index of [3 + (id % 2), ...above]) sightings.push(sighting(id, 0, index, HOST));
      return sightings;
    };
    const context = (bond: string) => {
      const link = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
      const port = { ...link, master: 'master0', linkinfo: { info_slave_kind: bond } };
      const links = [
        { ...link, ifindex: 2, ifname: 'master0', linkinfo: { info_kind: bond } },
        { ...port, ifindex: 3, ifname: 'eth0' },
        { ...port, ifindex: 4, ifname: 'eth1' },
      ];
      return parseContext({ namespaces: { host: { 'ip -d -j link': links } } });
    };
    const told = async (records: readonly Buffer[], options = {}) =>
      (await findingsOf(Buffer.concat([COOKED_HEADER, ...records]), { select: [RULE], ...options })).map(
        ({ confidence, caveats }) => [confidence, caveats],
      );

    it('is a hint without a context: a bridge with two ports looks alike', async () => {
      for (const above of [[2], [2, 6], [6, 2]])
        expect(await told(frames(above))).toEqual([['hint', [expect.stringContaining('bond')]]]);
    });

    it('keeps still where the context shows a bond, and is likely where it shows a bridge', async () => {
      expect(await told(frames([2]), { context: context('bond') })).toEqual([]);
      expect(await told(frames([2]), { context: context('bridge') })).toEqual([['likely', []]]);
    });

    it('keeps still where LACP joined the two ports', async () => {
      const lacp = (index: number, key: number, state = 0x3d) => {
        const end = (system: string, port: number) => [
          0x80,
          0,
          ...mac(system),
          0,
          key,
          0,
          255,
          0,
          port,
          state,
          0,
          0,
          0,
        ];
        const body = [1, 1, 1, 20, ...end('02:00:00:00:0a:0a', index), 2, 20, ...end('02:00:00:00:0b:0b', index)];
        const padding = new Array(110 - body.length).fill(0);
        const cooked = [
          0x88,
          9,
          0,
          0,
          0,
          0,
          0,
          index,
          0,
          1,
          2,
          6,
          ...mac('02:00:00:00:0a:01'),
          0,
          0,
          ...body,
          ...padding,
        ];
        return cookedRecord(index, cooked);
      };
      const flaps = [];
      for (let id = 1; id <= 20; id++) flaps.push(sighting(id, 0, 3 + (id % 2), HOST), sighting(id, 9, 5, OUTGOING));
      expect(await told([lacp(3, 7), lacp(4, 7), ...flaps])).toEqual([]);
      // Two channels; and ports that no partner answered.
      expect(await told([lacp(3, 7), lacp(4, 8), ...flaps])).toEqual([['likely', []]]);
      expect(await told([lacp(3, 7, 0x45), lacp(4, 7, 0x45), ...flaps])).toEqual([['likely', []]]);
    });
  });

  it.each(['00:00:5e:00:01:33', '00:00:0c:07:ac:01', '00:05:73:a0:00:01', '00:07:b4:00:01:01'])(
    'keeps still about the MAC of a virtual router, %s',
    async (virtual) => {
      const sightings = [];
      for (let id = 1; id <= 20; id++)
        sightings.push(sighting(id, 0, 3 + (id % 2), HOST, virtual), sighting(id, 9, 5, OUTGOING, virtual));
      expect((await findingsOf(Buffer.concat([COOKED_HEADER, ...sightings]))).map(({ rule }) => rule)).not.toContain(
        RULE,
      );
    },
  );

  it('only hints where directions are not known: files of several machines that were merged look alike', async () => {
    const A = '02:00:00:00:00:01';
    const B = '02:00:00:00:00:02';
    // The clocks differ by less than the frames take, so now the one machine shows them first and now the other.
    const capture = (isTold: boolean) => {
      const made = new Capture();
      for (let i = 0; i < 10; i++) {
        const packet = { from: A, to: B, source: '10.0.0.1', destination: '10.0.0.2', id: 1 + i };
        for (const [late, port] of [i % 2, 1 - (i % 2)].entries())
          made.at(i + late * 1e-5).ipv4(packet, { port, ...(isTold ? { direction: 'in' } : {}) });
      }
      return made;
    };
    const told = async (isTold: boolean) =>
      (await capture(isTold).findings({ select: [RULE] })).map(({ confidence, caveats }) => [confidence, caveats]);
    expect(await told(false)).toEqual([['hint', [expect.stringContaining('merged')]]]);
    expect(await told(true)).toEqual([['likely', []]]);
  });

  it('has nothing to say of a capture of one port', async () => {
    const one = new Capture();
    for (let i = 0; i < 6; i++) one.at(i).ask('02:00:00:00:00:01', `10.0.0.${i % 2}`, '10.0.0.9');
    expect((await one.findings()).map(({ rule }) => rule)).not.toContain(RULE);
  });

  describe('between two tunnel endpoints', () => {
    interface Clone {
      mac?: string;
      ips?: readonly [string, string];
      ttl?: number;
      endpoints?: readonly string[];
      apart?: number;
    }
    /** A station that is now behind the one endpoint, now behind the other, in each frame. */
    const byTurns = (frames: number, clone: Clone = {}) => {
      const { mac = A, ips = ['192.168.5.1', '192.168.5.9'], ttl = 64, endpoints = [ONE, TWO], apart = 1 } = clone;
      const capture = new Capture();
      for (let i = 0; i < frames; i++) {
        const inner = unicast(mac, B, ips[i % 2]);
        inner[14 + 8] = ttl;
        tunnelled(capture.at(i * apart), inner, { from: endpoints[i % endpoints.length], to: '10.1.1.9', id: 50 + i });
      }
      return capture;
    };
    const told = async (capture: Capture) => inShort(await capture.findings({ select: [RULE] }));

    it('is likely where it changes three times, and has an address of its own behind each', async () => {
      expect(await told(byTurns(3))).toEqual([]);
      expect(await told(byTurns(4))).toEqual([[RULE, 'likely', [2, 3, 4]]]);
      const [finding] = await byTurns(4).findings({ select: [RULE] });
      expect(finding.subject).toEqual({ mac: A, first: ONE, second: TWO });
      expect(finding.summary).toContain(
        `from ${ONE}, where it is 192.168.5.1, and now from ${TWO}, where it is 192.168.5.9`,
      );
      expect(finding.segment.vnis).toEqual([5]);
    });

    it('is the cause of pings to it that get no reply', async () => {
      const pinged = byTurns(4);
      for (let i = 0; i < 5; i++) {
        const request = ipv4('192.168.5.2', '192.168.5.1', 1, [8, 0, 0, 0, 0, 9, 0, i, 1, 2, 3, 4]);
        const inner = [...mac(A), ...mac(B), 8, 0, ...request];
        tunnelled(pinged.at(3.5 + i), inner, { from: '10.1.1.9', to: TWO, id: 80 + i });
      }
      const found = await pinged.at(20).ask(B, '10.1.1.9', '10.1.1.77').findings();
      expect(found.map(({ rule }) => rule)).toEqual([RULE]);
      expect(found[0].explains.map(({ rule }) => rule)).toEqual(['icmp/echo-unanswered']);
    });

    it('is a hint where it stays for seconds', async () => {
      expect((await told(byTurns(6, { apart: 4 }))).map(([, confidence]) => confidence)).toEqual(['hint']);
    });

    it('counts within a minute', async () => {
      expect(await told(byTurns(4, { apart: 40 }))).toEqual([]);
    });

    it.each<[string, Clone]>([
      ['one address behind both: multihoming, or a relay between endpoints', { ips: ['192.168.5.1', '192.168.5.1'] }],
      ['packets of others that routers pass on from one MAC at every endpoint', { ttl: 63 }],
      ['the MAC of a virtual router', { mac: '00:00:5e:00:01:33' }],
      ['three endpoints', { endpoints: [ONE, TWO, THREE] }],
    ])('keeps still over %s', async (_, clone) => {
      expect(await told(byTurns(12, clone))).toEqual([]);
    });
  });

  it('takes frames that are under way at once for what they are, however many', async () => {
    const under = (second: number, index: number, type: number, micros: number) =>
      Array.from({ length: 800 }, (_, i) =>
        sighting(second, micros + i, index, type, '02:00:00:00:00:01', (second * 800 + i) * 25),
      );
    // Each enters by 2, is seen at 3 when all have entered, and leaves by 4.
    const sightings = [1, 2].flatMap((second) => [
      sighting(second, 0, 5, HOST, '02:00:00:00:00:02'),
      ...under(second, 2, HOST, 0),
      ...under(second, 3, HOST, 1000),
      ...under(second, 4, OUTGOING, 2000),
    ]);
    const said = await findingsOf(Buffer.concat([COOKED_HEADER, ...sightings]));
    expect(said.map(({ rule }) => rule)).not.toContain(RULE);
  });
});
