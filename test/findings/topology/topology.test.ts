import { describe, expect, it } from 'vitest';
import { MAX_IPS, MAX_STATIONS } from '../../../src/findings/topology/inventory.js';
import { solicitation } from '../../support/nd.js';
import { ONE, PARENT, siblings } from '../../support/siblings.js';
import { analysisOf, Capture } from '../../support/wire.js';

const A = '26:10:84:17:90:d1';
const B = '26:10:84:17:90:d2';
const GATEWAY = '00:50:56:e1:91:02';

const OUT = { direction: 'out' } as const;
const IN = { direction: 'in' } as const;

async function stationsOf(capture: Capture, options = {}) {
  return (await analysisOf(capture.file(), options)).topology.stations;
}

async function modesOf(capture: Capture, mac: string) {
  const station = (await stationsOf(capture)).find((each) => each.mac === mac);
  return station?.modes.map(({ mode, confidence }) => `${mode}: ${confidence}`);
}

const packet = (from: string, to: string, source = '10.0.0.1', id = 1) => ({
  from,
  to,
  source,
  destination: '10.0.0.2',
  id,
});

describe('stations', () => {
  it('are those that sent, busiest first, each in its segment', async () => {
    const capture = new Capture()
      .ask(A, '10.0.0.1', '10.0.0.2')
      .ask(A, '10.0.0.1', '10.0.0.3')
      .ask(A, '10.0.0.9', '10.0.0.3', { vlan: 7 });
    capture.answer(B, '10.0.0.2', A, '10.0.0.1');
    expect(
      (await stationsOf(capture)).map(({ mac, segment, ips, frames }) => [mac, segment.vlans, ips, frames]),
    ).toEqual([
      [A, [], ['10.0.0.1'], 2],
      [A, [7], ['10.0.0.9'], 1],
      [B, [], ['10.0.0.2'], 1],
    ]);
  });

  it('have no address as long as they send from 0.0.0.0', async () => {
    const capture = new Capture()
      .ask(A, '0.0.0.0', '10.0.0.1')
      .ipv4(packet(B, 'ff:ff:ff:ff:ff:ff', '0.0.0.0'))
      .ipv4(packet(GATEWAY, B, '0.0.0.0'))
      .ipv4(packet(GATEWAY, B, '10.0.0.1'));
    expect((await stationsOf(capture)).map(({ mac, ips, moreIps }) => [mac, ips, moreIps])).toEqual([
      [GATEWAY, ['10.0.0.1'], 0],
      [A, [], 0],
      [B, [], 0],
    ]);
  });

  it('are told with the side they are on where directions are known', async () => {
    const capture = new Capture().ask(A, '10.0.0.1', '10.0.0.2', OUT).answer(B, '10.0.0.2', A, '10.0.0.1', IN);
    expect((await stationsOf(capture)).map(({ mac, side }) => [mac, side])).toEqual([
      [A, 'here'],
      [B, 'there'],
    ]);
  });

  it('are bounded, as are their addresses, and what is left out is counted', async () => {
    const capture = new Capture();
    for (let i = 0; i < MAX_STATIONS + 3; i++)
      capture.ask(
        `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
        '10.0.0.1',
        '10.0.0.2',
      );
    for (let i = 0; i < MAX_IPS + 4; i++) capture.ask(A, `10.0.1.${i + 1}`, '10.0.0.2');
    const { topology } = await analysisOf(capture.file());
    expect(topology.stations).toHaveLength(MAX_STATIONS);
    expect(topology.moreStations).toBe(4);
    expect(topology.stations[0]).toMatchObject({ mac: A, moreIps: 4 });
    expect(topology.stations[0].ips).toHaveLength(MAX_IPS);
  });
});

describe('modes from frames', () => {
  it('names a router by the networks whose addresses it carries and never claims', async () => {
    const capture = new Capture();
    for (const source of ['8.8.8.8', '9.9.9.9', '1.1.1.1']) capture.ipv4(packet(GATEWAY, A, source));
    expect(await modesOf(capture, GATEWAY)).toEqual(['router: likely']);
    const two = new Capture();
    for (const source of ['8.8.8.8', '9.9.9.9']) two.ipv4(packet(GATEWAY, A, source));
    expect(await modesOf(two, GATEWAY)).toEqual([]);
  });

  it('names a tunnel end', async () => {
    const capture = new Capture().ask(A, '10.0.0.1', '10.0.0.2', { vni: 42 });
    const stations = await stationsOf(capture);
    expect(stations.filter(({ modes }) => modes.some(({ mode }) => mode === 'vtep'))).toHaveLength(1);
    expect(stations.find(({ mac }) => mac === A)).toMatchObject({ segment: { vnis: [42] }, modes: [] });
  });

  it('knows bridge mode by unicast that only comes in from a station that sends out here', async () => {
    const capture = new Capture().ask(A, '10.0.0.1', '10.0.0.2', OUT).at(0.1).ipv4(packet(A, B), IN);
    expect(await modesOf(capture, A)).toEqual(['macvlan bridge: likely']);
    const foreign = new Capture().ask(A, '10.0.0.1', '10.0.0.2', IN).at(0.1).ipv4(packet(A, B), IN);
    expect(await modesOf(foreign, A)).toEqual([]);
  });

  it('knows VEPA with a relay by unicast that goes out and comes in', async () => {
    const capture = new Capture().ipv4(packet(A, B), OUT).at(0.001).ipv4(packet(A, B), IN);
    expect(await modesOf(capture, A)).toEqual(['macvlan vepa: likely']);
    const universal = new Capture().ipv4(packet(GATEWAY, B), OUT).at(0.001).ipv4(packet(GATEWAY, B), IN);
    expect(await modesOf(universal, GATEWAY)).toEqual(['macvlan or ipvlan vepa: hint']);
  });

  it('takes a reflected broadcast alone for no mode: every mode sends broadcasts out', async () => {
    const capture = new Capture().ask(A, '10.0.0.1', '10.0.0.2', OUT).at(0.001).ask(A, '10.0.0.1', '10.0.0.2', IN);
    expect(await modesOf(capture, A)).toEqual([]);
  });

  it('knows ipvlan by frames to the own address, VEPA only if they come back', async () => {
    const lonely = new Capture().ipv4(packet(GATEWAY, GATEWAY), OUT);
    expect(await modesOf(lonely, GATEWAY)).toEqual(['ipvlan: hint']);
    const reflected = new Capture().ipv4(packet(GATEWAY, GATEWAY), OUT).at(0.001).ipv4(packet(GATEWAY, GATEWAY), IN);
    expect(await modesOf(reflected, GATEWAY)).toEqual(['ipvlan l2 vepa: likely']);
  });

  it('knows ipvlan by a link-local address with a device number, and not by what is like it', async () => {
    const told = (address: string) => modesOf(new Capture().raw(solicitation(A, address, 'fd00::1')), A);
    expect(await told('fe80::2610:8400:117:90d1')).toEqual(['ipvlan: likely']);
    for (const other of [
      'fe80::2410:84ff:fe17:90d1',
      'fe80::2610:8400:17:90d1',
      'fe80::2610:8400:117:90d2',
      'fd00::2610:8400:117:90d1',
    ])
      expect(await told(other)).toEqual([]);
  });

  it('gives many addresses on one MAC as a hint', async () => {
    const capture = new Capture();
    for (const spa of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) capture.ask(A, spa, '10.0.0.9');
    expect(await modesOf(capture, A)).toEqual(['ipvlan, macvlan passthru or several addresses: hint']);
  });
});

describe('modes from the host context', () => {
  it('are certain and name the device', async () => {
    const capture = new Capture().ask(ONE, '10.0.0.101', '10.0.0.102').ask(PARENT, '10.0.0.14', '10.0.0.1');
    const context = siblings({ kind: 'macvlan', mode: 'private', otherMode: 'bridge' });
    expect((await stationsOf(capture, { context })).map(({ device, modes }) => [device, modes])).toEqual([
      ['child1 in ns1', [{ mode: 'macvlan private', confidence: 'certain', because: 'ip -d link: child1 in ns1' }]],
      [
        'eth0 in host',
        [
          {
            mode: 'parent of macvlan private, macvlan bridge',
            confidence: 'certain',
            because: 'ip -d link: eth0 in host',
          },
        ],
      ],
    ]);
  });

  it('tell ipvlan children, who share a MAC, by their address', async () => {
    const context = siblings({ kind: 'ipvlan', mode: 'l2', flag: 'private' });
    const child = new Capture().ask(PARENT, '10.0.0.101', '10.0.0.1');
    expect((await stationsOf(child, { context })).map(({ device, modes }) => [device, modes[0]?.mode])).toEqual([
      ['child1 in ns1', 'ipvlan l2 private'],
    ]);
    const both = child.ask(PARENT, '10.0.0.102', '10.0.0.1');
    const because = 'ip -d link: child1 in ns1, child2 in ns2';
    expect((await stationsOf(both, { context })).map(({ device, modes }) => [device, modes])).toEqual([
      [null, [{ mode: 'ipvlan l2 private', confidence: 'certain', because }]],
    ]);
  });
});
