import { describe, expect, it } from 'vitest';
import { parseContext } from '../../../src/network/context/parse.js';
import { Capture, inShort, u16 } from '../../support/wire.js';

const P = '02:00:00:00:00:0a';
const OWN = '10.0.0.1';

const child = (mode: string) => ({
  context: parseContext({
    namespaces: {
      ns: {
        'ip -d -j link': [
          { ifindex: 2, ifname: 'ipvl0', address: P, linkinfo: { info_kind: 'ipvlan', info_data: { mode } } },
        ],
      },
    },
  }),
  vantage: { namespace: 'ns', interface: 'ipvl0' },
});

const packet = (capture: Capture, destination: string, source = OWN) =>
  capture.ipv4({ from: P, to: P, source, destination, payload: [1, 2, 3, 4] });

/** A TCP segment of the child with this acknowledgment number. */
const segment = (capture: Capture, ack: number, flags = 0x10, port = 40000) =>
  capture.ipv4({
    from: P,
    to: P,
    source: OWN,
    destination: '10.9.0.1',
    protocol: 6,
    payload: [...u16(port), 0, 80, 0, 0, 0, 1, ...u16(0), ...u16(ack), 0x50, flags, 1, 0, 0, 0, 0, 0],
  });

const findings = async (capture: Capture, options = {}) =>
  inShort((await capture.findings(options)).filter(({ rule }) => rule === 'capture/ipvlan-half-view'));

describe('capture/ipvlan-half-view', () => {
  it('is certain on a child in mode l3s', async () => {
    const capture = packet(packet(new Capture(), '10.9.0.1'), '10.9.0.1');
    expect(await findings(capture, child('l3s'))).toEqual([['capture/ipvlan-half-view', 'certain', [1, 2]]]);
  });

  it.each(['l2', 'l3'])('keeps still in mode %s', async (mode) => {
    expect(await findings(segment(segment(new Capture(), 1), 5000), child(mode))).toEqual([]);
  });

  it('keeps still over siblings, and over multicast', async () => {
    const both = packet(packet(new Capture(), '10.0.0.2'), OWN, '10.0.0.2');
    expect(await findings(both, child('l3s'))).toEqual([]);
    expect(await findings(packet(new Capture(), '224.0.0.251'), child('l3s'))).toEqual([]);
  });

  it('is likely without context, where acknowledgments get ahead', async () => {
    const capture = segment(segment(segment(new Capture(), 0, 2), 1).at(1), 5000);
    expect(await findings(capture)).toEqual([['capture/ipvlan-half-view', 'likely', [1, 2, 3]]]);
  });

  it('keeps still without context where they do not, or belong to different connections', async () => {
    expect(await findings(packet(new Capture(), '10.9.0.1'))).toEqual([]);
    expect(await findings(segment(segment(new Capture(), 7), 7))).toEqual([]);
    expect(await findings(segment(segment(new Capture(), 1), 5000, 0x10, 40001))).toEqual([]);
  });

  it('keeps still where another station sends: what comes in is seen', async () => {
    const capture = segment(segment(new Capture(), 1), 5000).ask('02:00:00:00:00:01', '10.0.0.7', '10.0.0.8');
    expect(await findings(capture)).toEqual([]);
  });
});
