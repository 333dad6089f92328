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
  attachedLines({ topology: { stations, moreStations }, captures: [] }, layout, all);

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
    const text = lines(Array.from({ length: 9 }, (_, i) => station({ ips: [`10.0.0.${i}`] }))).join(' ');
    expect(text).toContain('and 5 more stations (-v)');
  });

  it('names a station once that several devices of one capture show', () => {
    const second = station({ segment: { capture: 0, interface: 'eth1', vlans: [], vnis: [] } });
    expect(lines([station(), second])).toEqual(['Attached: 02:00:00:00:00:01 (10.0.0.1): router, likely.']);
  });

  it('says in the list which device shows a station, where there are several', () => {
    const behind = { capture: 0, interface: 'eth1', vlans: [100], vnis: [] };
    expect(lines([station()], true).join('\n')).not.toContain('eth0');
    const text = lines([station(), station({ segment: behind })], true);
    expect(text.find((line) => line.startsWith('eth1 VLAN 100'))).toBeDefined();
    expect(text.find((line) => line.startsWith('eth0 '))).toBeDefined();
  });

  it('lists all of them with the reasons when asked', () => {
    const text = lines([station({ modes: [] }), station()], true, 7).join('\n');
    expect(text).toContain('router (likely: it routes)');
    expect(text).toContain('7 further stations not listed.');
  });
});
