import { describe, expect, it } from 'vitest';
import type { NetworkEvents } from '../../src/network/events.js';
import { Network } from '../../src/network/network.js';
import { KeyTable } from '../../src/network/rows/key-table.js';
import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame } from '../../src/wire/frame.js';
import { ipv4 } from '../support/tunnel.js';
import { FLOODS, type Flood, host, inIpv4, ONE, station, TWO, u32 } from './floods.js';

/** Events that nobody handles, but those that are given. */
const listening = (events: Partial<NetworkEvents>) =>
  new Proxy(events, { get: (given, name) => Reflect.get(given, name) ?? (() => {}) }) as NetworkEvents;
const GAP_NS = 1e6;

/** Runs a flood through the network model; at two ports in turn where `ports` is 2. */
function flooded({ packets, frames }: Flood, ports = 1, listener = listening({})): Network {
  const network = new Network({ context: null, vantage: null, listener });
  const target = new Frame();
  target.udpPorts = udpPortTable();
  target.linkType = 1;
  const buffer = new Uint8Array(2048);
  target.useBuffer(buffer);
  let time = 0;
  for (let i = 0; i < packets; i++) {
    for (const bytes of frames(i)) {
      buffer.set(bytes);
      target.end = bytes.length;
      target.wireLength = bytes.length;
      for (let port = 0; port < ports; port++) {
        target.number++;
        target.interface = port;
        time += GAP_NS;
        target.setTime(1_700_000_000 + Math.floor(time / 1e9), time % 1e9);
        decode(target);
        network.observe(target);
      }
    }
  }
  network.endCapture(0);
  return network;
}

/** All tables of the network model, by the names of the fields that lead to them. */
function tablesOf(of: object, path: readonly string[] = [], seen = new Set<object>()): Map<string, KeyTable> {
  const found = new Map<string, KeyTable>();
  // A table goes by the name of its owner, who may have lent it to what he has besides.
  const own = Object.entries(of).sort(([, a], [, b]) => Number(b instanceof KeyTable) - Number(a instanceof KeyTable));
  for (const [name, value] of own) {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue;
    seen.add(value);
    const names = [...path, name];
    if (value instanceof KeyTable) found.set(names.join('.'), value);
    else for (const [inner, table] of tablesOf(value, names, seen)) found.set(inner, table);
  }
  return found;
}

it('knows whose ping a stranger replies to, however many there are', () => {
  const strange = new Set<number>();
  const listener = listening({ strangeReply: (row) => strange.add(row) });
  const frames = (i: number) => [
    inIpv4(ipv4(host(i), '10.255.0.1', 1, [8, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3, 4])),
    inIpv4(ipv4('10.255.0.2', host(i), 1, [0, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3, 4]), TWO, ONE),
  ];
  flooded({ says: '', fills: [], packets: 1000, frames }, 1, listener);
  expect(strange.size).toBe(1000);
});

describe('a flood of', { timeout: 300_000 }, () => {
  const filled = new Set<string>();

  it.each(FLOODS)('$says', (flood) => {
    const tables = tablesOf(flooded(flood));
    for (const name of flood.fills) {
      const table = tables.get(name);
      expect([name, table?.rowCount]).toEqual([name, table?.maxRows ?? 'no such table']);
      // Segments are never given up, as rows of all other tables refer to them: further ones are not looked at.
      expect([name, (table?.evicted ?? 0) > 0]).toEqual([name, name !== 'segments.table']);
      filled.add(name);
    }
  });

  it('stations at two ports of a bridge', () => {
    const frames = (i: number) => [inIpv4(ipv4('10.0.0.1', '10.0.0.2', 253, u32(i)), station(i))];
    const tables = tablesOf(flooded({ says: '', fills: [], packets: 20_000, frames }, 2));
    const table = tables.get('locations.table');
    expect(table?.evicted).toBeGreaterThan(1000);
    filled.add('locations.table');
  });

  it('some kind fills each table that there is', () => {
    const all = tablesOf(new Network({ context: null, vantage: null, listener: listening({}) }));
    expect([...all.keys()].filter((name) => !filled.has(name))).toEqual([]);
    expect(all.size).toBeGreaterThan(35);
  });
});
