import { describe, expect, it } from 'vitest';
import {
  A,
  arpReply,
  arpRequest,
  askInside,
  B,
  endpoints,
  ipv4,
  ONE,
  type Outer,
  refuse,
  THREE,
  TWO,
  tcpSegment,
  tunnelled,
  underlayMac,
  unicast,
} from '../../support/tunnel.js';
import { Capture, inShort, mac, u16 } from '../../support/wire.js';

const only = { select: ['vxlan/one-way', 'arp/unanswered'] };
const back = { from: TWO, to: ONE };
/** Another station behind TWO. */
const OTHER = '02:00:00:00:0b:03';
const own = arpRequest(B, '192.168.5.2', '192.168.5.9');

async function rules(capture: Capture, options = {}) {
  return (await capture.findings({ ...only, ...options })).map(({ rule, confidence }) => `${rule} ${confidence}`);
}

describe('vxlan/one-way', () => {
  /** B answered A before, on the same machine; then it is asked for behind another. */
  const known = (capture = new Capture()) =>
    tunnelled(capture, arpReply(B, '192.168.5.2', A, '192.168.5.1'), { from: ONE, to: TWO });

  it('is likely where questions for somebody known stay unanswered and nothing comes back', async () => {
    const [finding, ...more] = await askInside(known().at(1), {}, { at: 1 }).findings(only);
    expect(inShort([finding])).toEqual([['vxlan/one-way', 'likely', [1, 2, 3, 4]]]);
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['arp/unanswered']);
    expect(more).toEqual([]);
  });

  it('keeps silent about copies for a collector, in which stations of one side answer each other', async () => {
    const toOther = unicast(A, OTHER, '192.168.5.1', '192.168.5.3');
    const toA = unicast(OTHER, A, '192.168.5.3', '192.168.5.1');
    const answer = arpReply(OTHER, '192.168.5.3', A, '192.168.5.1');
    // One way alone may be a station that moved to the other endpoint.
    const moved = [answer, toOther, toOther];
    const mirrored = [answer, toOther, toA];
    const asked = (copies: number[][]) => {
      const capture = known();
      for (const each of copies) tunnelled(capture, each, { from: ONE, to: TWO });
      return rules(askInside(capture.at(1), {}, { at: 1 }));
    };
    expect(await asked(moved)).toEqual(['vxlan/one-way likely']);
    expect((await asked(mirrored)).join()).not.toContain('vxlan');
  });

  it('keeps silent of questions where a connection inside goes on without its other way: that passes elsewhere', async () => {
    const beside = (flags: number) => {
      const capture = known();
      for (let i = 0; i < 6; i++) tcpInside(capture.at(i / 8), '192.168.5.2', { flags, sequence: 1000 + i });
      return rules(askInside(capture.at(1), {}, { at: 1 }));
    };
    expect((await beside(16)).join()).not.toContain('vxlan');
    expect(await beside(2)).toContain('vxlan/one-way likely');
  });

  it('keeps silent at a port that is shown what a switch floods, where another port shows the answers', async () => {
    const asked = (answered: boolean) => {
      const capture = askInside(known().at(1), {}, { at: 1 });
      if (answered) tunnelled(capture, unicast(B, A, '192.168.5.2', '192.168.5.1'), { ...back, way: { port: 1 } });
      return rules(capture);
    };
    expect(await asked(false)).toContain('vxlan/one-way likely');
    expect((await asked(true)).join()).not.toContain('vxlan');
  });

  it('only hints where nothing shows that somebody has the address: a dead host looks alike', async () => {
    expect(await rules(askInside(new Capture()))).toEqual(['arp/unanswered likely', 'vxlan/one-way hint']);
  });

  it('says whether anything shows that somebody has the address', async () => {
    const select = ['vxlan/one-way'];
    const [blind] = await askInside(new Capture()).findings({ select });
    expect(blind.caveats.join()).toContain('nothing here shows that somebody has 192.168.5.2');
    const [seen] = await askInside(tunnelled(new Capture(), own, back)).findings({ select });
    expect(seen.caveats).toEqual([]);
  });

  it('only hints where all questions are in VLANs inside: that VLAN may be what is missing there', async () => {
    expect(await rules(askInside(new Capture(), {}, { vlan: 7 }))).toContain('vxlan/one-way hint');
  });

  it('only hints where the endpoint sends broadcasts of its own', async () => {
    expect(await rules(askInside(tunnelled(new Capture(), own, back)))).toContain('vxlan/one-way hint');
  });

  it('only hints where the capture shows no frame that comes in at all', async () => {
    const out = { way: { direction: 'out' } } as const;
    expect(await rules(askInside(new Capture(), out))).toContain('vxlan/one-way hint');
    const heard = new Capture().ask('02:00:00:00:00:77', '10.1.1.7', '10.1.1.1', { direction: 'in' });
    expect(await rules(askInside(known(heard), out))).toContain('vxlan/one-way likely');
  });

  it('is likely where the endpoint asks, is answered through the tunnel, and asks again and again', async () => {
    const capture = askInside(new Capture());
    for (const second of [0, 1.02, 2.04]) {
      tunnelled(capture.at(10 + second), arpRequest(B, '192.168.5.2', '192.168.5.1'), back);
      tunnelled(capture.at(10.0002 + second), arpReply(A, '192.168.5.1', B, '192.168.5.2'));
    }
    const select = [...only.select, 'arp/reply-not-accepted', 'macvlan/egress-filtered'];
    const findings = await tunnelled(capture.at(20), own, back).findings({ select });
    expect(findings.map(({ rule, confidence }) => `${rule} ${confidence}`)).toEqual(['vxlan/one-way likely']);
    expect(findings[0].explains.map(({ rule }) => rule).sort()).toEqual(['arp/reply-not-accepted', 'arp/unanswered']);
  });

  it('says so at the sender too, where another endpoint answers', async () => {
    const capture = askInside(new Capture());
    tunnelled(capture.at(5), arpReply(B, '192.168.5.22', A, '192.168.5.1'), { from: THREE, to: ONE });
    for (const second of [0, 1.02, 2.04]) {
      tunnelled(capture.at(10 + second), arpRequest(OTHER, '192.168.5.3', '192.168.5.1'), back);
      tunnelled(capture.at(10.0002 + second), arpReply(A, '192.168.5.1', OTHER, '192.168.5.3'));
    }
    expect(await rules(tunnelled(capture.at(20), own, back))).toEqual(['vxlan/one-way likely']);
  });

  it('is certain at the endpoint whose device received nothing', async () => {
    const context = endpoints([{ name: 'two', address: TWO, received: 0 }]);
    const options = { context, vantage: { namespace: 'two', interface: 'eth0' } };
    expect(await rules(askInside(tunnelled(new Capture(), own, back)), options)).toEqual(['vxlan/one-way certain']);
  });

  it('is not certain where packets were received', async () => {
    const context = endpoints([{ name: 'two', address: TWO, received: 9 }]);
    const options = { context, vantage: { namespace: 'two', interface: 'eth0' } };
    expect(await rules(askInside(tunnelled(new Capture(), own, back)), options)).toContain('vxlan/one-way hint');
  });

  it.each([
    ['right after the questions', 4.2, []],
    ['two seconds later', 6, ['vxlan/one-way hint']],
  ])('waits for answers: three questions within half a second, and the capture ends %s', async (_, end, expected) => {
    const capture = new Capture();
    tunnelled(capture.at(1), arpRequest(A, '192.168.5.1', '192.168.5.77'));
    for (const at of [3.6, 3.8, 4]) askInside(capture, {}, { at, times: 1 });
    tunnelled(capture.at(end), unicast(A, B));
    expect(await rules(capture)).toEqual(expected);
  });

  it('keeps silent after two questions', async () => {
    expect(await rules(askInside(new Capture(), {}, { times: 2 }))).toEqual(['arp/unanswered hint']);
  });

  it('keeps silent where the endpoint ever answered a station', async () => {
    const capture = askInside(new Capture());
    tunnelled(capture.at(5), arpReply(B, '192.168.5.22', A, '192.168.5.1'), back);
    expect(await rules(capture)).toEqual(['arp/unanswered certain']);
  });

  it('keeps silent where another endpoint answers', async () => {
    const capture = askInside(new Capture());
    tunnelled(capture.at(5), arpReply(B, '192.168.5.22', A, '192.168.5.1'), { from: THREE, to: ONE });
    expect(await rules(capture)).toEqual(['arp/unanswered certain']);
  });

  it.each([
    [2, ['hint', 'hint']],
    [9, []],
  ])('does not blame each of %i endpoints that are all silent', async (count, expected) => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++)
      for (let peer = 0; peer < count; peer++)
        askInside(capture, { to: `10.1.1.${10 + peer}` }, { at: 1 + i * 1.02, times: 1 });
    const findings = (await capture.findings(only)).filter(({ rule }) => rule === 'vxlan/one-way');
    expect(findings.map(({ confidence }) => confidence)).toEqual(expected);
  });

  it('keeps silent where an error tells why', async () => {
    const capture = refuse(askInside(new Capture()).at(3.2), {});
    expect((await rules(capture)).join()).not.toContain('one-way');
  });

  it('keeps silent about a multicast group', async () => {
    expect((await rules(askInside(new Capture(), { to: '239.1.1.1' }))).join()).not.toContain('one-way');
  });

  it('keeps VNIs and VLANs apart', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++)
      for (const outer of [{ vni: 5 }, { vni: 6 }, { vni: 5, way: { vlan: 9 } }])
        askInside(capture, outer, { at: 1 + i * 1.02, times: 1 });
    const findings = (await capture.findings(only)).filter(({ rule }) => rule === 'vxlan/one-way');
    expect(findings.map(({ subject, segment }) => [subject.vni, segment.vlans])).toEqual([
      [5, []],
      [6, []],
      [5, [9]],
    ]);
  });
});

const NODE = '52:54:00:00:00:99';
const POD = '10.42.1.5';

/** An echo inside from a station behind ONE to `to`, by way of the node with `mac`. */
function pingInside(capture: Capture, sequence: number, to: string, hardware = NODE, outer: Outer = {}): Capture {
  const icmp = [8, 0, 0, 0, 0, 7, ...u16(sequence), ...new Array(56).fill(0)];
  return tunnelled(capture, [...mac(hardware), ...mac(A), 8, 0, ...ipv4(POD, to, 1, icmp, { id: sequence })], outer);
}

function tcpInside(capture: Capture, to: string, segment: Parameters<typeof tcpSegment>[2] = {}, outer: Outer = {}) {
  const inner = [...mac(NODE), ...mac(A), 8, 0, ...ipv4(POD, to, 6, tcpSegment(POD, to, segment))];
  return tunnelled(capture, inner, outer);
}

/** Pings of one second each to every one of `targets`; neighbours are known, as flannel writes them. */
function routed(targets: readonly string[], { times = 6, capture = new Capture(), alive = false } = {}): Capture {
  if (alive) capture.ipv4({ from: underlayMac(TWO), to: underlayMac(ONE), source: TWO, destination: ONE });
  for (let i = 0; i < times; i++) for (const to of targets) pingInside(capture.at(1 + i), 1 + i, to);
  return capture.at(3 + times).ask('02:00:0a:01:01:01', ONE, '10.1.1.9');
}

describe('vxlan/one-way where nothing inside asks by ARP', () => {
  const select = ['vxlan/one-way', 'icmp/echo-unanswered', 'tcp/syn-unanswered'];
  const told = async (capture: Capture) =>
    (await capture.findings({ select })).map(({ rule, confidence }) => `${rule} ${confidence}`);

  it('is likely where two stations behind an endpoint do not answer, which sends no VXLAN', async () => {
    const [finding, ...more] = await routed(['10.42.2.7', '10.42.2.8']).findings({ select });
    expect(finding).toMatchObject({ rule: 'vxlan/one-way', confidence: 'likely' });
    expect(finding.subject).toMatchObject({ endpoint: TWO, sender: ONE });
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['icmp/echo-unanswered']);
    expect(finding.evidence.length).toBeGreaterThanOrEqual(12);
    expect(more).toEqual([]);
  });

  it('only hints where it is one station, which may drop what it gets; likely if the endpoint sends other packets', async () => {
    expect(await told(routed(['10.42.2.7']))).toContain('vxlan/one-way hint');
    const [finding] = await routed(['10.42.2.7'], { alive: true }).findings({ select });
    expect(finding).toMatchObject({ rule: 'vxlan/one-way', confidence: 'likely' });
    expect(finding.summary).toContain('no VXLAN at all, but other packets do');
    expect(finding.remedy.map(({ text }) => text).join()).toContain('another port');
    expect(finding.caveats.join()).toContain('network policy');
  });

  it('is told of the endpoint that refuses, and of the other VNI that the context shows', async () => {
    const refused = refuse(routed(['10.42.2.7', '10.42.2.8']), {});
    const all = [...select, 'vxlan/port-unreachable', 'vxlan/vni-mismatch'];
    const [port, ...rest] = await refused.findings({ select: all });
    expect(port.rule).toBe('vxlan/port-unreachable');
    expect(port.explains.map(({ rule }) => rule)).toContain('icmp/echo-unanswered');
    expect(rest).toEqual([]);
    const context = endpoints([{ name: 'two', address: TWO, vni: 6 }]);
    const [vni, ...more] = await routed(['10.42.2.7']).findings({ select: all, context });
    expect([vni.rule, vni.confidence]).toEqual(['vxlan/vni-mismatch', 'likely']);
    expect(vni.summary).toContain('10.42.1.5 pings 10.42.2.7');
    expect(more).toEqual([]);
    const same = endpoints([{ name: 'two', address: TWO, vni: 5 }]);
    const others = await routed(['10.42.2.7']).findings({ select: all, context: same });
    expect(others.map(({ rule }) => rule)).not.toContain('vxlan/vni-mismatch');
  });

  it('takes connections as well', async () => {
    const capture = new Capture();
    for (let i = 0; i < 3; i++)
      for (const to of ['10.42.2.7', '10.42.2.8']) tcpInside(capture.at(1 + i * 2), to, { sourcePort: 40007 });
    capture.at(9).ask('02:00:0a:01:01:01', ONE, '10.1.1.9');
    const [finding] = await capture.findings({ select });
    expect(finding).toMatchObject({ rule: 'vxlan/one-way', confidence: 'likely' });
    expect(finding.explains.map(({ rule }) => rule)).toEqual(['tcp/syn-unanswered']);
  });

  it('takes the other nodes, which answer, for no excuse', async () => {
    const capture = tunnelled(new Capture(), unicast(B, A, '10.42.3.9', POD), { from: THREE, to: ONE });
    expect(await told(routed(['10.42.2.7', '10.42.2.8'], { capture }))).toEqual(['vxlan/one-way likely']);
  });

  it('keeps silent below five packets and four seconds, and of what was just asked', async () => {
    expect(await told(routed(['10.42.2.7'], { times: 4, alive: true }))).not.toContain('vxlan/one-way likely');
    const fast = new Capture();
    for (let i = 0; i < 10; i++) pingInside(fast.at(i / 10), i, '10.42.2.7');
    expect((await told(fast.at(9).ask('02:00:0a:01:01:01', ONE, '10.1.1.9'))).join()).not.toContain('one-way');
  });

  it('keeps silent where the endpoint sends any VXLAN to a station of the sender', async () => {
    const capture = tunnelled(new Capture(), unicast(NODE, A, '10.42.2.1', POD), back);
    expect((await told(routed(['10.42.2.7', '10.42.2.8'], { capture }))).join()).not.toContain('one-way');
  });

  it('keeps silent where a MAC is flooded to several endpoints', async () => {
    const capture = new Capture();
    for (let i = 0; i < 6; i++)
      for (const to of [TWO, THREE]) pingInside(capture.at(1 + i), 1 + i, '10.42.2.7', NODE, { to });
    capture.at(9).ask('02:00:0a:01:01:01', ONE, '10.1.1.9');
    expect((await told(capture)).join()).not.toContain('one-way');
  });

  it('keeps silent about a mirror of what is sent: connections go on without a way back', async () => {
    const capture = new Capture();
    for (let i = 0; i < 6; i++)
      tcpInside(capture.at(0.1 + i), '10.42.2.7', { flags: 16, sourcePort: 40009, sequence: 1000 + i });
    expect((await told(routed(['10.42.2.7', '10.42.2.8'], { capture, alive: true }))).join()).not.toContain('one-way');
  });
});
