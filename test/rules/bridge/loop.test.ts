import { describe, expect, it } from 'vitest';
import { advertisement, icmpv6, solicitation } from '../../support/nd.js';
import {
  arpRequest,
  ipv4,
  ONE,
  type Outer,
  THREE,
  TWO,
  tunnelled,
  underlayMac,
  unicast,
} from '../../support/tunnel.js';
import { Capture, inShort, mac, u16 } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const ALL = 'ff:ff:ff:ff:ff:ff';
const only = { select: ['bridge/loop'] };

/** The same request, `times` times, `apart` seconds from one to the next. */
function circling(times: number, apart = 0.0001, way = {}): Capture {
  const capture = new Capture();
  for (let i = 0; i < times; i++) capture.at(i * apart).ask(A, '10.0.0.1', '10.0.0.2', way);
  return capture;
}

describe('bridge/loop', () => {
  it.each([
    [4, []],
    [5, ['likely']],
    [19, ['likely']],
    [20, ['certain']],
  ])('judges %i sightings of one broadcast as %j', async (times, confidence) => {
    const findings = await circling(times).findings(only);
    expect(inShort(findings).map(([, each]) => each)).toEqual(confidence);
  });

  it('lists the sightings', async () => {
    expect(inShort(await circling(6).findings(only))).toEqual([['bridge/loop', 'likely', [1, 5, 6]]]);
  });

  it('keeps still when they are further apart than 100 ms', async () => {
    expect(await circling(10, 0.11).findings(only)).toEqual([]);
  });

  it('keeps still where all have the same time: the file has none', async () => {
    expect(await circling(50, 0).findings(only)).toEqual([]);
  });

  it('keeps still about a burst of announcements', async () => {
    const capture = new Capture();
    for (let i = 0; i < 10; i++) capture.at(i / 1000).ask(A, '10.0.0.1', '10.0.0.1');
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about a burst of neighbor advertisements to all, as VRRP sends for IPv6', async () => {
    const burst = (times: number, message: readonly number[]) => {
      const capture = new Capture();
      for (let i = 0; i < times; i++) capture.at(i / 1e4).raw(message);
      return capture.findings(only);
    };
    const announced = advertisement(A, 'fe80::1:1', null);
    expect(await burst(10, announced)).toEqual([]);
    expect(inShort(await burst(20, announced)).map(([, each]) => each)).toEqual(['certain']);
    expect(inShort(await burst(5, solicitation(A, 'fe80::1', 'fe80::2'))).map(([, each]) => each)).toEqual(['likely']);
  });

  it('keeps still about a burst of reports of groups, which a host sends when it comes up', async () => {
    const report = icmpv6(A, '33:33:00:00:00:16', 'fe80::1', 'ff02::16', [143, 0, 0, 0, 0, 0, 0, 0]);
    const burst = (times: number) => {
      const capture = new Capture();
      for (let i = 0; i < times; i++) capture.at(i / 100).raw(report);
      return capture.findings(only);
    };
    expect(await burst(6)).toEqual([]);
    expect(inShort(await burst(20)).map(([, each]) => each)).toEqual(['certain']);
  });

  it('keeps still about a program that sends one datagram again and again', async () => {
    const payload = [...u16(137), ...u16(137), ...u16(9), 0, 0, 7];
    const capture = new Capture();
    for (let i = 0; i < 50; i++)
      capture
        .at(i / 2000)
        .ipv4({ from: A, to: ALL, source: '10.0.0.1', destination: '10.0.0.255', protocol: 17, payload });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still where unicast is seen as often: captures of several places were merged', async () => {
    const merged = (places: number) => {
      const capture = circling(6);
      for (let i = 0; i < places; i++)
        capture
          .at(1 + i / 1e4)
          .ipv4({ from: A, to: '02:00:00:00:00:02', source: '10.0.0.1', destination: '10.0.0.2', protocol: 6 });
      return capture;
    };
    expect(await merged(3).findings(only)).toEqual([]);
    expect(inShort(await merged(2).findings(only)).map(([, each]) => each)).toEqual(['likely']);
  });

  it('keeps still about a burst of three where a mirror doubles all', async () => {
    const mirrored = (times: number) => {
      const capture = new Capture();
      for (let i = 0; i < 24; i++)
        capture
          .at(Math.floor(i / 2) + (i % 2) * 2e-5)
          .ipv4({ from: A, to: '02:00:00:00:00:02', source: '10.0.0.1', destination: '10.0.0.2', id: i >> 1 });
      for (let i = 0; i < times; i++) capture.at(12 + i / 1e4).ask(A, '10.0.0.1', '10.0.0.2');
      return capture.findings(only);
    };
    expect(await mirrored(6)).toEqual([]);
    expect(inShort(await mirrored(8)).map(([, each]) => each)).toEqual(['likely']);
  });

  it('keeps still about a mirror of many ports, which shows each broadcast once a port, and then no more', async () => {
    const mirrored = (broadcasts: number, isUnicastDoubled = false) => {
      const capture = new Capture();
      for (let i = 0; i < broadcasts * 24; i++)
        capture.at(Math.floor(i / 24) + (i % 24) * 2e-5).ask(A, '10.0.0.1', `10.0.0.${2 + Math.floor(i / 24)}`);
      for (let i = 0; i < 24 && isUnicastDoubled; i++)
        capture
          .at(10 + Math.floor(i / 2) + (i % 2) * 2e-5)
          .ipv4({ from: A, to: '02:00:00:00:00:02', source: '10.0.0.1', destination: '10.0.0.2', id: i >> 1 });
      return capture.findings(only);
    };
    expect(await mirrored(4)).toEqual([]);
    expect(inShort(await mirrored(3)).map(([, each]) => each)).toEqual(['certain']);
    expect(await mirrored(1, true)).toEqual([]);
  });

  it('needs as many sightings as of announcements where the capture cut frames off', async () => {
    expect(inShort(await circling(6).cut(40).findings(only))).toEqual([]);
    expect(inShort(await circling(22).cut(40).findings(only)).map(([, each]) => each)).toEqual(['certain']);
  });

  it('keeps still about unicast', async () => {
    const capture = new Capture();
    for (let i = 0; i < 30; i++)
      capture.at(i / 2000).ipv4({ from: A, to: '02:00:00:00:00:02', source: '10.0.0.1', destination: '10.0.0.2' });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still about the same question in each of many VLANs', async () => {
    const capture = new Capture();
    for (let round = 0; round < 4; round++)
      for (let vlan = 2; vlan < 62; vlan++) capture.at(round + vlan * 1e-5).ask(A, '10.0.0.1', '10.0.0.2', { vlan });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('tells a loop of one VLAN amidst the same question in others', async () => {
    const capture = new Capture();
    for (let i = 0; i < 40; i++) capture.at(i * 1e-4).ask(A, '10.0.0.1', '10.0.0.2', { vlan: i % 2 ? 7 : 10 + i });
    expect(inShort(await capture.findings(only)).map(([, each]) => each)).toEqual(['certain']);
  });

  it('tells a VLAN’s copies from another VLAN’s only by the port', async () => {
    const [finding] = await circling(20, 0.0001, { vlan: 7 }).findings(only);
    expect(finding.confidence).toBe('certain');
  });

  describe('inside VXLAN, where the outer header is new each time', () => {
    /** An inner frame, `times` times, each in an outer packet of its own. */
    const inside = (inner: readonly number[], times: number, outer = (_: number): Outer => ({}), apart = 1e-4) => {
      const capture = new Capture();
      for (let i = 0; i < times; i++) tunnelled(capture.at(i * apart), inner, { id: 100 + i, ...outer(i) });
      return capture;
    };
    const question = arpRequest(A, '10.0.0.1', '10.0.0.2');

    it.each([
      [4, []],
      [5, ['likely']],
      [20, ['certain']],
    ])('judges %i sightings between two endpoints as %j', async (times, confidence) => {
      const findings = await inside(question, times).findings(only);
      expect(findings.map((each) => each.confidence)).toEqual(confidence);
      for (const { title, summary } of findings) {
        expect(title).toContain('in VXLAN');
        expect(summary).toContain(`inside VXLAN (VNI 5) from ${ONE} to ${TWO}`);
      }
    });

    it.each<[string, Capture]>([
      ['one copy for each of many endpoints', inside(question, 60, (i) => ({ to: `10.1.2.${i + 1}` }))],
      ['one from each of many endpoints', inside(question, 60, (i) => ({ from: `10.1.2.${i + 1}` }))],
      ['one in each of many VNIs', inside(question, 60, (i) => ({ vni: 100 + i }))],
      ['questions that are further apart than 100 ms', inside(question, 30, undefined, 0.11)],
      ['a burst of announcements', inside(arpRequest(A, '10.0.0.1', '10.0.0.1'), 10)],
      ['unicast', inside(unicast(A, '02:00:00:00:00:02'), 30)],
      [
        'datagrams, which programs do send again and again',
        inside(
          [
            ...mac(ALL),
            ...mac(A),
            8,
            0,
            ...ipv4('10.0.0.1', '10.0.0.255', 17, [...u16(137), ...u16(137), ...u16(9), 0, 0, 7]),
          ],
          50,
        ),
      ],
    ])('keeps still about %s', async (_, capture) => {
      expect(await capture.findings(only)).toEqual([]);
    });

    it('counts each pair of endpoints for itself', async () => {
      const findings = await inside(question, 12, (i) => ({ to: i % 3 === 0 ? THREE : TWO })).findings(only);
      expect(findings.map(({ confidence, count }) => [confidence, count])).toEqual([['likely', 8]]);
    });
  });

  describe('inside Geneve and GRE', () => {
    const question = arpRequest(A, '10.0.0.1', '10.0.0.2');
    const inGeneve = (inner: readonly number[], vni: number) => {
      const geneve = [0, 0, 0x65, 0x58, 0, 0, vni, 0, ...inner];
      return [17, [0xc0, 0, ...u16(6081), ...u16(geneve.length + 8), 0, 0, ...geneve]] as const;
    };
    const inGre = (inner: readonly number[], type = 0x6558) => [47, [0, 0, ...u16(type), ...inner]] as const;
    /** As often as `times`, in an outer packet of its own each, whose identification `id` may be 0 for all. */
    const inside = (times: number, packet: (i: number) => readonly [number, readonly number[]], id = 100) => {
      const capture = new Capture();
      for (let i = 0; i < times; i++) {
        const [protocol, payload] = packet(i);
        const outer = ipv4(ONE, TWO, protocol, payload, { id: id && id + i });
        capture.at(i * 1e-4).raw([...mac(underlayMac(TWO)), ...mac(underlayMac(ONE)), 8, 0, ...outer]);
      }
      return capture.findings(only);
    };

    it('counts in Geneve as in VXLAN', async () => {
      expect(await inside(4, () => inGeneve(question, 5))).toEqual([]);
      expect((await inside(5, () => inGeneve(question, 5))).map(({ confidence }) => confidence)).toEqual(['likely']);
      const [finding] = await inside(20, () => inGeneve(question, 5));
      expect(finding.confidence).toBe('certain');
      expect(finding.title).toContain('circulates in Geneve');
      expect(finding.summary).toContain(`inside Geneve (VNI 5) from ${ONE} to ${TWO}`);
      expect(finding.segment.vnis).toEqual([5]);
    });

    it('keeps still about one in each of many VNIs', async () => {
      expect(await inside(60, (i) => inGeneve(question, 1 + i))).toEqual([]);
    });

    it.each([100, 0])('asks for more in GRE, which mirrors use: identification %i', async (id) => {
      expect(await inside(99, () => inGre(question), id)).toEqual([]);
      const [finding, ...others] = await inside(100, () => inGre(question), id);
      expect(others).toEqual([]);
      expect(finding.confidence).toBe('certain');
      expect(finding.summary).toContain(`inside GRE from ${ONE} to ${TWO}`);
    });

    it('keeps still about ERSPAN', async () => {
      expect(await inside(200, () => inGre(question, 0x88be))).toEqual([]);
    });
  });
});
