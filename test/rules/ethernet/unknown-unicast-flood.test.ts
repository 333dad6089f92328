import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, type Way } from '../../support/wire.js';

const US = '02:00:00:00:00:03';
const GW = '02:00:00:00:00:04';
const A = '02:00:00:00:00:01';
const B = '02:00:00:00:00:02';
const RULE = 'ethernet/unknown-unicast-flood';
const only = { select: [RULE] };
const IN: Way = { direction: 'in' };
const OUT: Way = { direction: 'out' };

/** A datagram whose end addresses follow from the last digits of the MACs. */
function send(capture: Capture, from: string, to: string, id: number, way: Way = {}, destination?: string): Capture {
  const [source, other] = [from, to].map((mac) => `10.0.0.${Number(mac.slice(-2))}`);
  return capture.ipv4({ from, to, source, destination: destination ?? other, id }, way);
}

/** We speak once, so that the capture shows which station is ours. */
function start(own: readonly string[] = [US], way: Way = {}): Capture {
  const capture = new Capture();
  for (const [i, mac] of own.entries()) send(capture, mac, GW, 5000 + i, { ...OUT, ...way });
  return capture;
}

/** `count` datagrams from A to `to` at this rate. */
function stream(
  capture: Capture,
  count: number,
  rate: number,
  { to = B, way = IN, destination = undefined as string | undefined } = {},
): Capture {
  for (let i = 0; i < count; i++) send(capture.at(1 + i / rate), A, to, i, way, destination);
  return capture;
}

const confidences = async (capture: Capture, options = {}) =>
  (await capture.findings({ ...only, ...options })).map(({ confidence }) => confidence);

const up = { link_type: 'ether', flags: ['UP', 'LOWER_UP'] };
const host = (extra: object = {}, more: object[] = []) =>
  parseContext({
    kernel: '6.18',
    namespaces: { h3: { 'ip -d -j link': [{ ...up, ifindex: 2, ifname: 'eth0', address: US, ...extra }, ...more] } },
  });
const at = { vantage: { namespace: 'h3', interface: 'eth0' } };

describe(RULE, () => {
  it('is likely where one MAC sends from here and frames for a silent one keep coming in', async () => {
    const findings = await stream(start(), 150, 25).findings(only);
    expect(findings.map(({ confidence, subject, count }) => [confidence, subject, count])).toEqual([
      ['likely', { mac: B, sender: A }, 150],
    ]);
    expect(findings[0].evidence[0].frame).toBe(2);
  });

  it('needs five seconds', async () => {
    expect(await confidences(stream(start(), 126, 25))).toEqual(['likely']);
    expect(await confidences(stream(start(), 124, 25))).toEqual([]);
  });

  it('needs twenty frames a second', async () => {
    expect(await confidences(stream(start(), 200, 21))).toEqual(['likely']);
    expect(await confidences(stream(start(), 200, 19))).toEqual([]);
  });

  it('counts from the start after a pause of more than a second', async () => {
    const capture = start();
    for (let i = 0; i < 200; i++) send(capture.at(1 + i / 40 + (i >= 100 ? 2 : 0)), A, B, i, IN);
    expect(await confidences(capture)).toEqual([]);
  });

  it('keeps still once the receiver speaks, by broadcast too', async () => {
    const capture = start();
    for (let i = 0; i < 200; i++) {
      if (i === 100) capture.at(1 + i / 25).ask(B, '10.0.0.2', '10.0.0.1', IN);
      send(capture.at(1 + i / 25), A, B, i, IN);
    }
    expect(await confidences(capture)).toEqual([]);
  });

  it('is a hint where several MACs send from here, and keeps still where none does', async () => {
    expect(await confidences(stream(start([US, '02:00:00:00:00:07']), 150, 25))).toEqual(['hint']);
    expect(await confidences(stream(start([]), 150, 25))).toEqual([]);
  });

  it('keeps still about what this machine sends, and about files without directions', async () => {
    expect(await confidences(stream(start(), 150, 25, { way: OUT }))).toEqual([]);
    expect(await confidences(stream(start(), 150, 25, { way: {} }))).toEqual([]);
  });

  it('keeps still about a second MAC of this machine: a virtual router, or one for an address it sends from', async () => {
    expect(await confidences(stream(start(), 150, 25, { to: '00:00:5e:00:01:07' }))).toEqual([]);
    expect(await confidences(stream(start(), 150, 25, { to: '02:bf:0a:00:00:09', destination: '10.0.0.3' }))).toEqual(
      [],
    );
    expect(await confidences(stream(start([US, B]), 150, 25))).toEqual([]);
  });

  it('keeps still about groups', async () => {
    expect(await confidences(stream(start(), 150, 25, { to: '01:00:5e:00:00:09' }))).toEqual([]);
  });

  it('keeps still at a mirror: others are seen talking in both directions', async () => {
    const talk = (times: number) => {
      const capture = start();
      for (let i = 0; i < 150; i++) {
        send(capture.at(1 + i / 25), A, B, i, IN);
        if (i < times) send(send(capture, A, GW, 1000 + i, IN), GW, A, 2000 + i, IN);
      }
      return capture;
    };
    expect(await confidences(talk(22))).toEqual([]);
    expect(await confidences(talk(19))).toEqual(['likely']);
  });

  it('needs no directions with a host context', async () => {
    expect(await confidences(stream(start(), 150, 25, { way: {} }), { context: host(), ...at })).toEqual(['likely']);
  });

  it('keeps still where the host context knows the sender or the receiver as its own', async () => {
    const child = (address: string) => ({
      ...up,
      ifindex: 3,
      ifname: 'mv1',
      link: 'eth0',
      address,
      linkinfo: { info_kind: 'macvlan', info_data: { mode: 'bridge' } },
    });
    for (const address of [A, B])
      expect(await confidences(stream(start(), 150, 25), { context: host({}, [child(address)]), ...at })).toEqual([]);
  });

  it('keeps still at a bridge port: what comes in is passed on', async () => {
    const bridge = { ...up, ifindex: 9, ifname: 'br0', address: US, linkinfo: { info_kind: 'bridge' } };
    const context = host({ master: 'br0', linkinfo: { info_slave_kind: 'bridge' } }, [bridge]);
    expect(await confidences(stream(start(), 150, 25), { context, ...at })).toEqual([]);
  });

  it('sees it in a VLAN, and adds nothing up over two', async () => {
    const inVlan = (vlan: number): Way => ({ direction: 'in', vlan });
    expect(await confidences(stream(start(), 150, 25, { way: inVlan(10) }))).toEqual(['likely']);
    const capture = start();
    for (let i = 0; i < 150; i++) send(capture.at(1 + i / 25), A, B, i, inVlan(10 + (i % 2)));
    expect(await confidences(capture)).toEqual([]);
  });
});
