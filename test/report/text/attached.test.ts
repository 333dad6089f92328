import { describe, expect, it } from 'vitest';
import type { StationView } from '../../../src/findings/topology/station-view.js';
import { attachedLines } from '../../../src/report/text/attached.js';
import { Layout } from '../../../src/report/text/layout.js';

const layout = new Layout(100, false);

const station = (given: Partial<StationView> = {}): StationView => ({
  segment: { capture: 0, interface: 'eth0', vlans: [], vnis: [] },
  mac: '02:00:00:00:00:01',
  ips: ['10.0.0.1'],
  moreIps: 0,
  device: null,
  frames: 3,
  side: null,
  modes: [{ mode: 'router', confidence: 'likely', because: 'it routes' }],
  ...given,
});

const lines = (stations: StationView[], all = false, moreStations = 0) =>
  attachedLines({ stations, moreStations }, layout, all);

describe('how stations are attached', () => {
  it('names devices or MACs with what is likely at least', () => {
    expect(lines([station(), station({ device: 'eth0 in ns1', ips: [] })])).toEqual([
      'Attached: 02:00:00:00:00:01 (10.0.0.1): router, likely; eth0 in ns1: router, likely.',
    ]);
  });

  it('does not mention hints, nor what is plain', () => {
    const hint = { mode: 'ipvlan', confidence: 'hint', because: '' } as const;
    const plain = { mode: 'plain', confidence: 'certain', because: '' } as const;
    expect(lines([station({ modes: [hint] }), station({ modes: [plain] }), station({ modes: [] })])).toEqual([]);
  });

  it('stays one sentence when there are many', () => {
    const text = lines(Array.from({ length: 9 }, () => station())).join(' ');
    expect(text).toContain('and 5 more stations (-v)');
  });

  it('lists all of them with the reasons when asked', () => {
    const text = lines([station({ modes: [] }), station()], true, 7).join('\n');
    expect(text).toContain('router (likely: it routes)');
    expect(text).toContain('7 further stations not listed.');
  });
});
