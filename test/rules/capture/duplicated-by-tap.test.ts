import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, type Way } from '../../support/wire.js';

/** Two hosts that talk, each frame doubled after `apart` seconds, but for the first `single` ones. */
function doubled({
  apart = 0.00002,
  single = 0,
  macs = ['00:0c:29:00:00:01', '00:50:56:00:00:02'],
  ways = [{}, {}] as Way[],
}) {
  const capture = new Capture();
  for (let i = 0; i < 20; i++) {
    const [from, to] = i % 2 === 0 ? macs : [...macs].reverse();
    const packet = { from, to, source: `10.0.0.${1 + (i % 2)}`, destination: `10.0.0.${2 - (i % 2)}`, id: i };
    capture.at(i).ipv4(packet, ways[0]);
    if (i >= single) capture.at(i + apart).ipv4(packet, ways[1]);
  }
  return capture;
}
const rules = async (capture: Capture) =>
  (await capture.findings()).map(({ rule, confidence }) => `${rule} ${confidence}`);
const RELAY = {
  namespaces: {
    host: {
      'ip -d -j link': [
        { ifindex: 2, ifname: 'ens34', link_type: 'ether', flags: ['UP'], address: '00:0c:29:00:00:01' },
        {
          ifindex: 3,
          ifname: 'p1',
          link_type: 'ether',
          flags: ['UP'],
          linkinfo: { info_slave_kind: 'bridge', info_slave_data: { hairpin: true } },
        },
      ],
    },
  },
};
const TAP = 'capture/duplicated-by-tap likely';

describe('capture/duplicated-by-tap', () => {
  it('finds it likely when every frame of machines near and far is there twice', async () => {
    expect(await rules(doubled({}))).toEqual([TAP]);
  });

  it.each([
    ['p1', false],
    ['ens34', true],
  ])('keeps still where the host context shows that the port reflects: %s', async (name, isTold) => {
    const findings = await doubled({}).findings({
      context: parseContext(RELAY),
      vantage: { namespace: 'host', interface: name },
    });
    expect(findings.some(({ rule }) => rule === 'capture/duplicated-by-tap')).toBe(isTold);
  });

  it.each([
    ['some frames are not doubled', { single: 8 }],
    ['the copy comes after more than a millisecond', { apart: 0.002 }],
    [
      'only locally administered MACs are doubled, as behind a reflecting switch',
      { macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'] },
    ],
    ['the frames go out and come in', { ways: [{ direction: 'out' }, { direction: 'in' }] as Way[] }],
  ])('keeps still when %s', async (_, how) => {
    expect(await rules(doubled(how))).not.toContain(TAP);
  });
});
