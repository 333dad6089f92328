import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { advertisement } from '../../support/nd.js';
import { echo } from '../../support/ping.js';
import { Capture, type Way } from '../../support/wire.js';

const US = '02:00:00:00:00:0a';
const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const RULE = 'bridge/promiscuous-duplicates';
const only = { select: [RULE] };
const IN: Way = { direction: 'in' };
const OUT: Way = { direction: 'out' };

interface Shape {
  pairs?: number;
  /** Broadcasts that come in once, besides. */
  single?: number;
  senders?: readonly string[];
  /** Seconds between the two of a pair. */
  gap?: number;
  /** Unicast that comes in, and how often each. */
  unicast?: number;
  times?: number;
  inward?: Way;
  outward?: Way;
}

/** Broadcasts that come in twice, and unicast that does not. */
function doubled(shape: Shape = {}): Capture {
  const { pairs = 4, single = 0, senders = [A, B], gap = 0.0001, unicast = 2, times = 1 } = shape;
  const { inward = IN, outward = OUT } = shape;
  const capture = new Capture();
  for (let i = 0; i < pairs; i++)
    for (const copy of [0, 1])
      capture
        .at(i + copy * gap)
        .ask(senders[i % senders.length], `10.0.0.${1 + (i % senders.length)}`, `10.0.1.${i}`, inward);
  for (let i = 0; i < single; i++) capture.at(100 + i).ask(A, '10.0.0.1', `10.0.2.${i}`, inward);
  for (let i = 0; i < unicast; i++) {
    capture.at(200 + i).arp({ op: 1, from: US, to: B, spa: '10.0.0.10', tpa: `10.0.0.${20 + i}` }, outward);
    for (let copy = 0; copy < times; copy++)
      capture.at(200.001 + i + copy * 0.0001).answer(B, `10.0.0.${20 + i}`, US, '10.0.0.10', inward);
  }
  return capture;
}

const confidences = async (shape: Shape, options = {}) =>
  (await doubled(shape).findings({ ...only, ...options })).map(({ confidence }) => confidence);

describe(RULE, () => {
  it('is likely where broadcasts of two stations come in twice and unicast once', async () => {
    const findings = await doubled().findings(only);
    expect(findings.map(({ confidence, count }) => [confidence, count])).toEqual([['likely', 4]]);
    expect(findings[0].evidence.map(({ frame }) => frame)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('needs four pairs', async () => {
    expect(await confidences({ pairs: 3 })).toEqual([]);
  });

  it('needs that four of five broadcasts are doubled', async () => {
    expect(await confidences({ pairs: 4, single: 2 })).toEqual(['likely']);
    expect(await confidences({ pairs: 4, single: 3 })).toEqual([]);
  });

  it('does not count announcements, which VRRP and cluster managers send in bursts', async () => {
    const bursts = (capture: Capture) => {
      for (let i = 0; i < 8; i++)
        for (const copy of [0, 1]) {
          const at = 300 + i * 5 + copy * 0.0001;
          capture.at(at).ask([A, B][i % 2], `10.0.0.${1 + (i % 2)}`, `10.0.0.${1 + (i % 2)}`, IN);
          capture.raw(advertisement([A, B][i % 2], `fe80::${1 + (i % 2)}`, null), IN);
        }
      return capture;
    };
    expect(await bursts(doubled({ pairs: 0 })).findings(only)).toEqual([]);
    // Where other broadcasts are doubled they are nothing against it.
    expect((await bursts(doubled()).findings(only)).map(({ confidence, count }) => [confidence, count])).toEqual([
      ['likely', 4],
    ]);
  });

  it('takes the second within 5 ms', async () => {
    expect(await confidences({ gap: 0.0049 })).toEqual(['likely']);
    expect(await confidences({ gap: 0.0051 })).toEqual([]);
  });

  it('keeps still where unicast is doubled too: a tap', async () => {
    expect(await confidences({ times: 2 })).toEqual([]);
  });

  it('counts pings too, whatever they carry', async () => {
    const from = { mac: B, ip: '10.0.0.2' };
    const capture = doubled();
    for (const seconds of [300, 300.0001]) echo(capture.at(seconds), from, { mac: US, ip: '10.0.0.10' }, { way: IN });
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still where the own broadcasts are there twice on their way out: a tap', async () => {
    const capture = doubled();
    for (const seconds of [300, 300.0001]) capture.at(seconds).ask(US, '10.0.0.10', '10.0.3.1', OUT);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('is a hint where no unicast and no broadcast of its own shows that this is no tap', async () => {
    expect(await confidences({ unicast: 0 })).toEqual(['hint']);
    const capture = doubled({ unicast: 0 });
    for (const i of [1, 2]) capture.at(300 + i).ask(US, '10.0.0.10', `10.0.3.${i}`, OUT);
    expect((await capture.findings(only)).map(({ confidence }) => confidence)).toEqual(['likely']);
  });

  it('is a hint where one station alone is doubled, and likely if the own broadcasts come back besides', async () => {
    expect(await confidences({ senders: [A] })).toEqual(['hint']);
    const capture = doubled({ senders: [A] });
    capture.at(300).ask(US, '10.0.0.10', '10.0.3.1', OUT).at(300.0001).ask(US, '10.0.0.10', '10.0.3.1', IN);
    const findings = await capture.findings();
    expect(findings.map(({ rule, confidence }) => `${rule} ${confidence}`)).toContain(`${RULE} likely`);
    expect(findings.map(({ rule }) => rule)).not.toContain('ethernet/reflection');
  });

  it('leaves a relay to its own rule: own frames alone come back', async () => {
    const capture = new Capture();
    for (let i = 0; i < 6; i++)
      capture
        .at(i)
        .ask(US, '10.0.0.10', `10.0.3.${i}`, OUT)
        .at(i + 0.0001)
        .ask(US, '10.0.0.10', `10.0.3.${i}`, IN);
    for (const i of [10, 11]) capture.at(i).answer(B, '10.0.0.2', US, '10.0.0.10', IN);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('leaves a loop to its own rule', async () => {
    const capture = doubled();
    for (let i = 0; i < 6; i++) capture.at(300 + i / 10_000).ask(A, '10.0.0.1', '10.0.3.1', IN);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('keeps still without directions, unless a host context tells which MAC is its own', async () => {
    const shape = { inward: {}, outward: {} };
    expect(await confidences(shape)).toEqual([]);
    const eth0 = { ifindex: 2, ifname: 'eth0', link_type: 'ether', flags: ['UP'], address: US };
    const context = parseContext({ kernel: '6.18', namespaces: { vm: { 'ip -d -j link': [eth0] } } });
    const vantage = { namespace: 'vm', interface: 'eth0' };
    expect(await confidences(shape, { context, vantage })).toEqual(['likely']);
    // All is doubled, what goes out as well: without directions that may be a tap.
    const all = doubled({ ...shape, unicast: 0 });
    for (const i of [300, 300.0001, 301, 301.0001]) all.at(i).ask(US, '10.0.0.10', `10.0.3.${Math.floor(i)}`);
    expect((await all.findings({ ...only, context, vantage })).map(({ confidence }) => confidence)).toEqual(['hint']);
  });

  it('keeps still at a bridge port in hairpin mode, which sends back what comes in', async () => {
    const told = (hairpin: boolean) => {
      const port = {
        ifindex: 2,
        ifname: 'eth0',
        link_type: 'ether',
        flags: ['UP'],
        address: US,
        linkinfo: { info_slave_kind: 'bridge', info_slave_data: { hairpin } },
      };
      const context = parseContext({ kernel: '6.18', namespaces: { sw: { 'ip -d -j link': [port] } } });
      return confidences({ inward: {}, outward: {} }, { context, vantage: { namespace: 'sw', interface: 'eth0' } });
    };
    expect(await told(false)).toEqual(['likely']);
    expect(await told(true)).toEqual([]);
  });

  it('does not count datagrams, which programs do send twice', async () => {
    const capture = new Capture();
    for (let i = 0; i < 8; i++)
      for (const copy of [0, 1]) {
        const group = {
          from: i % 2 === 0 ? A : B,
          to: '01:00:5e:00:00:fb',
          source: '10.0.0.1',
          destination: '224.0.0.251',
        };
        capture.at(i + copy / 10_000).ipv4({ ...group, protocol: 17, id: i }, IN);
      }
    for (const i of [10, 11]) capture.at(i).answer(B, '10.0.0.2', US, '10.0.0.10', IN);
    expect(await capture.findings(only)).toEqual([]);
  });

  it('sees it in a VLAN, and keeps still inside VXLAN', async () => {
    expect(await confidences({ inward: { ...IN, vlan: 10 }, outward: { ...OUT, vlan: 10 } })).toEqual(['likely']);
    expect(await confidences({ inward: { ...IN, vni: 7 }, outward: { ...OUT, vni: 7 } })).toEqual([]);
  });
});
