import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { bridged, H1, H2 } from '../../support/bridge.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';

const tagged = (vlan: number, vni?: number) => (vni === undefined ? { vlan } : { vlan, vni });

/** A asks for B three times; after each request `after` adds what comes. */
function asking(capture: Capture, way: { vlan?: number; vni?: number }, after: (capture: Capture) => void): Capture {
  for (const time of [1, 2.02, 3.04]) {
    capture
      .at(time)
      .ask(A, '10.0.0.1', '10.0.0.2', way)
      .at(time + 0.001);
    after(capture);
  }
  return capture;
}

const mismatches = async (capture: Capture, options = {}) =>
  inShort((await capture.findings(options)).filter(({ rule }) => rule === 'vlan/tag-mismatch'));

/** A switch with two ports; A was learned on p1 in VLAN 100. Behind p2 is a machine with a device for VLAN 100. */
const switched = (vlansOfP2: object[]) =>
  parseContext({
    namespaces: {
      sw: {
        'ip -d -j link': [
          {
            ifindex: 2,
            ifname: 'br0',
            flags: ['UP'],
            linkinfo: { info_kind: 'bridge', info_data: { vlan_filtering: 1 } },
          },
          { ifindex: 3, ifname: 'p1', flags: ['UP'], master: 'br0', linkinfo: { info_slave_kind: 'bridge' } },
          {
            ifindex: 4,
            ifname: 'p2',
            flags: ['UP'],
            master: 'br0',
            link_index: 2,
            linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
          },
        ],
        'bridge -j fdb': [{ mac: A, ifname: 'p1', vlan: 100, flags: [], master: 'br0', state: '' }],
        'bridge -d -j vlan': [
          { ifname: 'p1', vlans: [{ vlan: 100, vlanEnd: 101 }] },
          { ifname: 'p2', vlans: vlansOfP2 },
        ],
      },
      node: {
        'ip -d -j link': [
          { ifindex: 2, ifname: 'eth1', flags: ['UP'], link_index: 4, linkinfo: { info_kind: 'veth' } },
          {
            ifindex: 3,
            ifname: 'eth1.100',
            link: 'eth1',
            flags: ['UP'],
            linkinfo: { info_kind: 'vlan', info_data: { id: 100 } },
          },
        ],
      },
    },
  });

describe('vlan/tag-mismatch, of a VLAN in which nothing is heard', () => {
  const C = '02:00:00:00:00:03';
  /** A asks in VLAN 10 in vain; in `other` it talks with C; the capture ends `end` seconds after the first request. */
  const pruned = (end = 31, other: Way = { vlan: 20 }, way: Way = { vlan: 10 }, between = (_: Capture) => {}) => {
    const capture = new Capture()
      .ask(A, '10.0.20.1', '10.0.20.3', other)
      .answer(C, '10.0.20.3', A, '10.0.20.1', other)
      .at(1)
      .askAgain(3, A, '10.0.10.1', '10.0.10.2', way);
    between(capture.at(20));
    return capture
      .at(1 + end)
      .ask(A, '10.0.20.1', '10.0.20.3', other)
      .answer(C, '10.0.20.3', A, '10.0.20.1', other);
  };
  /** B speaks in VLAN 10. */
  const speaking = (way: Way) => (capture: Capture) => capture.ask(B, '10.0.10.9', '10.0.10.8', { vlan: 10, ...way });

  it('hints that the port does not carry it', async () => {
    const found = await pruned().findings();
    const [finding] = found.filter(({ rule }) => rule === 'vlan/tag-mismatch');
    expect([finding.confidence, finding.segment.vlans]).toEqual(['hint', [10]]);
    expect(finding.cause).toContain('not allowed on the trunk');
    expect(found.map(({ rule }) => rule)).toContain('arp/unanswered');
    const [access] = await pruned(31, {}).findings({ select: ['vlan/tag-mismatch'] });
    expect(access.cause).toContain('access port');
  });

  it('waits for 30 s, and a configuration can set that', async () => {
    expect(await mismatches(pruned(29))).toEqual([]);
    const options = { thresholds: { 'vlan/tag-mismatch': { quiet: 20 } } };
    expect(await mismatches(pruned(29), options)).toHaveLength(1);
  });

  it('keeps silent where anybody is heard in the VLAN, or no other VLAN is alive', async () => {
    expect(await mismatches(pruned(31, { vlan: 20 }, { vlan: 10 }, speaking({})))).toEqual([]);
    const alone = new Capture().askAgain(3, A, '10.0.10.1', '10.0.10.2', { vlan: 10 });
    expect(await mismatches(alone.at(40).ask(A, '10.0.20.1', '10.0.20.3', { vlan: 20 }))).toEqual([]);
  });

  it('takes what only goes out for the own machine, where directions are known', async () => {
    const [inside, out] = [{ vlan: 20, direction: 'in' } as const, { vlan: 10, direction: 'out' } as const];
    expect(await mismatches(pruned(31, inside, out, speaking({ direction: 'out' })))).toHaveLength(1);
    expect(await mismatches(pruned(31, inside, out, speaking({ direction: 'in' })))).toEqual([]);
  });

  it('says nothing of untagged questions and of tunnels', async () => {
    expect(await mismatches(pruned(31, { vlan: 20 }, {}))).toEqual([]);
    expect(await mismatches(pruned(31, { vlan: 20, vni: 7 }, { vlan: 10, vni: 7 }))).toEqual([]);
  });
});

describe('vlan/tag-mismatch', () => {
  it('is certain where every answer comes in another VLAN, and explains the unanswered question', async () => {
    const capture = asking(new Capture(), tagged(100), (each) =>
      each.answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200)),
    );
    const [finding, ...others] = await capture.findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: 'vlan/tag-mismatch', severity: 'error', confidence: 'certain' });
    expect(finding.explains.map(({ rule }) => rule).sort()).toEqual(['arp/reply-not-accepted', 'arp/unanswered']);
    expect(finding.segment.vlans).toEqual([100]);
  });

  it('sees it inside VXLAN too', async () => {
    const capture = asking(new Capture(), tagged(100, 7), (each) =>
      each.answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200, 7)),
    );
    expect(await mismatches(capture)).toEqual([['vlan/tag-mismatch', 'certain', [1, 2, 3, 4, 5, 6]]]);
  });

  it('keeps still where the answer in the other VLAN is inside a tunnel and the question outside', async () => {
    const capture = asking(new Capture(), tagged(100), (each) =>
      each.answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200, 7)),
    );
    expect(await mismatches(capture)).toEqual([]);
  });

  it('is likely after one such answer', async () => {
    let answers = 0;
    const capture = asking(new Capture(), tagged(100), (each) => {
      if (++answers === 3) each.answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200));
    });
    expect(await mismatches(capture)).toEqual([['vlan/tag-mismatch', 'likely', [1, 2, 3, 4]]]);
  });

  it('is a hint after two requests', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.2', tagged(100)).answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200));
    expect(await mismatches(capture)).toEqual([['vlan/tag-mismatch', 'hint', [1, 2, 3, 4]]]);
  });

  it('keeps still where the host takes the answer of another VLAN, as in a private VLAN: it does not ask again', async () => {
    const capture = new Capture()
      .at(1)
      .ask(A, '10.0.0.1', '10.0.0.2', tagged(100))
      .answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200))
      .at(9)
      .ask(A, '10.0.0.1', '10.0.0.2', tagged(100))
      .answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200));
    expect(await mismatches(capture)).toEqual([]);
  });

  it('is a hint where the pauses are no kernel’s: a tool asks as often as it is told', async () => {
    const capture = new Capture();
    for (const time of [1, 1.5, 2, 2.5])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.2', tagged(100)).answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200));
    expect((await mismatches(capture)).map(([, confidence]) => confidence)).toEqual(['hint']);
  });

  it('keeps still where the same question was asked in the other VLAN, too', async () => {
    const capture = asking(new Capture(), tagged(100), (each) =>
      each.ask(A, '10.0.0.1', '10.0.0.2', tagged(200)).answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200)),
    );
    expect(await mismatches(capture)).toEqual([]);
  });

  it('keeps still where the answer in the other VLAN is minutes away', async () => {
    const capture = new Capture().at(1).answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200)).at(200);
    capture.askAgain(3, A, '10.0.0.1', '10.0.0.2', tagged(100));
    expect(await mismatches(capture)).toEqual([]);
  });

  it('takes an answer up to two seconds after the last request, and no later', async () => {
    const late = (seconds: number) =>
      new Capture()
        .at(1)
        .askAgain(3, A, '10.0.0.1', '10.0.0.2', tagged(100))
        .at(3.04 + seconds)
        .answer(B, '10.0.0.2', A, '10.0.0.1', tagged(200));
    expect(await mismatches(late(1.99))).toEqual([['vlan/tag-mismatch', 'likely', [1, 2, 3, 4]]]);
    expect(await mismatches(late(2.01))).toEqual([]);
  });

  it('is likely where the two look for each other in different VLANs, and says it once', async () => {
    const capture = new Capture();
    for (const time of [1, 2.02, 3.04])
      capture.at(time).ask(A, '10.0.0.1', '10.0.0.2', tagged(100)).ask(B, '10.0.0.2', '10.0.0.1', tagged(200));
    const findings = await capture.findings();
    expect(inShort(findings)).toEqual([['vlan/tag-mismatch', 'likely', [1, 2, 3, 4, 5, 6]]]);
    expect(findings[0].explains).toMatchObject([{ rule: 'arp/unanswered', count: 6 }]);
  });

  it('keeps still where another tenant has the address in its own VLAN', async () => {
    const capture = new Capture().ask(B, '10.0.0.2', '10.0.0.3', tagged(200)).at(1);
    capture.askAgain(3, A, '10.0.0.1', '10.0.0.2', tagged(100));
    expect(await mismatches(capture)).toEqual([]);
  });

  it('names a switch port that does not carry the VLAN', async () => {
    const capture = new Capture().at(1).askAgain(3, A, '10.0.0.1', '10.0.0.2', tagged(100));
    const [finding] = await capture.findings({ context: switched([{ vlan: 101 }]) });
    expect(finding).toMatchObject({ rule: 'vlan/tag-mismatch', confidence: 'likely' });
    expect(finding.remedy[0].commands).toEqual(['ip netns exec sw bridge vlan add dev p2 vid 100']);
  });

  it('keeps still where the port carries it', async () => {
    const capture = new Capture().at(1).askAgain(3, A, '10.0.0.1', '10.0.0.2', tagged(100));
    expect(await mismatches(capture, { context: switched([{ vlan: 99, vlanEnd: 101 }]) })).toEqual([]);
  });

  describe('where the host context has the switch', () => {
    const access = (vlan: number) => ({ vlan, flags: ['PVID', 'Egress Untagged'] });
    const out = (vlan: number) => ({ vlan, flags: ['Egress Untagged'] });
    const ports = (one: { vlan: number; flags?: string[] }[], two: { vlan: number; flags?: string[] }[]) =>
      bridged({ vlans: one }, { vlans: two });
    const asked = () => new Capture().askAgain(3, H1, '10.0.0.1', '10.0.0.2');
    const answered = (pause = 1.02) => {
      const capture = new Capture();
      for (const each of [0, 1, 2, 3])
        capture
          .at(each * pause)
          .ask(H1, '10.0.0.1', '10.0.0.2')
          .at(each * pause + 0.001)
          .answer(H2, '10.0.0.2', H1, '10.0.0.1');
      return capture;
    };
    const at = (namespace: string) => ({ namespace, interface: 'eth0' });

    it('is likely of two hosts at ports of different VLANs', async () => {
      const context = ports([access(10)], [access(20)]);
      expect(await mismatches(asked(), { context })).toEqual([['vlan/tag-mismatch', 'likely', [1, 2, 3]]]);
      const [finding] = await asked().findings({ context });
      expect(finding.title).toBe('10.0.0.1 is in VLAN 10 of the switch, and 10.0.0.2 in VLAN 20');
      expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
      expect(finding.remedy[0].commands).toContain('ip netns exec sw bridge vlan add dev p-h2 vid 10 pvid untagged');
      // Seen at the target, it did pass.
      expect(await mismatches(asked(), { context, vantage: at('h2') })).toEqual([]);
    });

    it('is certain of answers that go into another VLAN, where they are seen and the question comes again', async () => {
      const context = ports([access(10)], [out(10), access(20)]);
      const frames = [1, 2, 3, 4, 5, 6, 7, 8];
      expect(await mismatches(answered(), { context })).toEqual([['vlan/tag-mismatch', 'certain', frames]]);
      const [finding] = await answered().findings({ context, vantage: at('h2') });
      expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/reply-not-accepted']);
      expect(await mismatches(asked(), { context })).toEqual([['vlan/tag-mismatch', 'likely', [1, 2, 3]]]);
      // A program that asks by the clock does so though it is answered.
      expect(await mismatches(answered(1), { context })).toEqual([]);
    });

    it('keeps still where the answers come back, as where ports send several VLANs untagged', async () => {
      for (const context of [
        ports([access(10)], [access(10)]),
        ports([access(10), out(20)], [access(20), out(10)]),
        bridged({}, {}),
      ]) {
        expect(await mismatches(asked(), { context })).toEqual([]);
        expect(await mismatches(answered(), { context })).toEqual([]);
      }
    });
  });
});
