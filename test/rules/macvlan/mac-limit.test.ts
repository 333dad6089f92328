import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort, type Way } from '../../support/wire.js';

const RULE = 'macvlan/mac-limit';
const only = { select: [RULE] };
const PEER = '02:00:00:00:00:77';
const T = '10.0.0.77';
const mac = (n: number) => `02:00:00:00:01:0${n}`;
const spa = (n: number) => `10.0.0.10${n}`;

interface Shape {
  served?: readonly number[];
  refused?: readonly number[];
  requests?: number;
  /** The target asks for the first MAC at the end. */
  alive?: boolean;
  outward?: Way;
  inward?: Way;
}

/** One MAC after the other asks for the target: first those that are answered, then those that are not. */
function limited(shape: Shape = {}): Capture {
  const { served = [1, 2, 3], refused = [4, 5], requests = 3, alive = true } = shape;
  const { outward = { direction: 'out' }, inward = { direction: 'in' } } = shape;
  const capture = new Capture();
  for (const n of served) {
    capture.at(n).ask(mac(n), spa(n), T, outward);
    capture.at(n + 0.001).answer(PEER, T, mac(n), spa(n), inward);
  }
  for (const n of refused) capture.at(n * 5 + 10).askAgain(requests, mac(n), spa(n), T, outward);
  if (alive) capture.at(60).arp({ op: 1, from: PEER, to: mac(1), spa: T, tpa: spa(1) }, inward);
  return capture.at(70).ask(PEER, T, '10.0.0.99', inward);
}

const confidences = async (capture: Capture, options = {}) =>
  (await capture.findings({ ...only, ...options })).map(({ confidence }) => confidence);

const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
const eth0 = { ...up, ifindex: 2, ifname: 'eth0', address: mac(1) };
const child = (n: number) => ({
  ...up,
  ifindex: n + 10,
  ifname: `mv${n}`,
  link: 'eth0',
  address: mac(n),
  linkinfo: { info_kind: 'macvlan', info_data: { mode: 'bridge' } },
});
const context = (children: readonly number[]) =>
  parseContext({
    kernel: '6.18',
    namespaces: {
      host: {
        'ip -d -j link': [eth0, ...children.map(child)],
        'ip -j addr': [1, ...children].map((n) => ({
          ifindex: n === 1 ? 2 : n + 10,
          ifname: n === 1 ? 'eth0' : `mv${n}`,
          addr_info: [{ family: 'inet', local: spa(n), prefixlen: 24 }],
        })),
      },
    },
  });
const unknown = { outward: {}, inward: {} };

describe(RULE, () => {
  it('is likely where three MACs are served and two that came later are not, and explains their questions', async () => {
    const findings = await limited().findings({ ignore: ['capture/filter-too-narrow'] });
    expect(inShort(findings)).toEqual([[RULE, 'likely', [7, 8, 9, 10, 11, 12]]]);
    expect(findings[0].subject).toEqual({ mac: mac(4), ip: T });
  });

  it('is a hint with two that are served, and keeps still with one', async () => {
    expect(await confidences(limited({ served: [1, 2] }))).toEqual(['hint']);
    expect(await confidences(limited({ served: [1] }))).toEqual([]);
  });

  it('needs two that are not served, each with three requests in vain', async () => {
    expect(await confidences(limited({ refused: [4] }))).toEqual([]);
    expect(await confidences(limited({ requests: 2 }))).toEqual([]);
  });

  it('keeps still where one that came later is served', async () => {
    expect(await confidences(limited({ served: [1, 2, 3, 6], refused: [4, 5] }))).toEqual(['likely']);
    const capture = limited();
    capture.at(71).ask(mac(6), spa(6), T, { direction: 'out' });
    capture.at(71.001).answer(PEER, T, mac(6), spa(6), { direction: 'in' });
    expect(await confidences(capture)).toEqual([]);
  });

  it('keeps still where the target is not heard after the first question in vain', async () => {
    const capture = new Capture();
    for (const n of [1, 2, 3]) {
      capture.at(n).ask(mac(n), spa(n), T, { direction: 'out' });
      capture.at(n + 0.001).answer(PEER, T, mac(n), spa(n), { direction: 'in' });
    }
    for (const n of [4, 5]) capture.at(n * 5 + 10).askAgain(3, mac(n), spa(n), T, { direction: 'out' });
    capture.at(70).ask('02:00:00:00:00:78', '10.0.0.78', '10.0.0.99', { direction: 'in' });
    expect(await confidences(capture)).toEqual([]);
  });

  it('does not count MACs that are written to', async () => {
    const to = { from: PEER, to: mac(5), source: T, destination: spa(5) };
    const capture = limited().at(71).ipv4(to, { direction: 'in' });
    expect(await confidences(capture)).toEqual([]);
  });

  it('does not count MACs that come in from outside', async () => {
    expect(await confidences(limited({ outward: { direction: 'in' } }))).toEqual([]);
    expect(await confidences(limited(unknown))).toEqual([]);
  });

  it('takes the host context for directions: a device and its macvlan children', async () => {
    const findings = await limited(unknown).findings({ ...only, context: context([2, 3, 4, 5]) });
    expect(inShort(findings)).toEqual([[RULE, 'likely', [7, 8, 9, 10, 11, 12]]]);
    expect(findings[0].subject).toEqual({ mac: mac(4), ip: T, device: 'eth0 in host' });
    expect(findings[0].context).toHaveLength(2);
  });

  it('does not count MACs that the host context does not know', async () => {
    expect(await confidences(limited(unknown), { context: context([2, 3, 4]) })).toEqual([]);
    expect(await confidences(limited(unknown), { context: context([4, 5]) })).toEqual([]);
  });

  it('compares questions for one target in one VLAN only', async () => {
    const tagged = (vlan: number): Shape => ({
      outward: { direction: 'out', vlan },
      inward: { direction: 'in', vlan },
    });
    expect(await confidences(limited(tagged(10)))).toEqual(['likely']);
    const apart = limited({ ...tagged(10), refused: [] });
    for (const n of [4, 5]) apart.at(n * 5 + 80).askAgain(3, mac(n), spa(n), T, { direction: 'out', vlan: 20 });
    apart.at(120).ask(PEER, T, '10.0.0.98', { direction: 'in', vlan: 20 });
    expect(await confidences(apart)).toEqual([]);
    const others = limited({ refused: [] });
    for (const n of [4, 5]) others.at(n * 5 + 80).askAgain(3, mac(n), spa(n), '10.0.0.78', { direction: 'out' });
    others.at(120).ask('02:00:00:00:00:78', '10.0.0.78', '10.0.0.98', { direction: 'in' });
    expect(await confidences(others)).toEqual([]);
  });
});
