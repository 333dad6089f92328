import { describe, expect, it } from 'vitest';
import { Stations } from '../../src/network/link/stations.js';
import { Bindings } from '../../src/network/neighbors/bindings.js';
import { ResolutionRows } from '../../src/network/neighbors/resolution-rows.js';
import { captureOf, contextOf, expectationOf, fixtureCases } from '../support/fixtures.js';
import { Capture } from '../support/wire.js';
import { Replay } from './growth.js';

/** How often each fault is shown, few times and many, every time at ports of its own. */
const FEW = 4;
const MANY = 24;
/** Hosts that were seen before, and questions among them. */
const CROWD = 500;

/** Loops over a whole table that are run for few ports or VLANs only, however many faults there are: with the bound on them. */
const FOR_PORTS = [
  'rules/ethernet/reflection.ts',
  'rules/bridge/parts/spanning-tree.ts',
  'rules/ip/duplicate-datagrams.ts',
  'rules/vlan/parts/mirrored.ts',
];

/** Reads of the number of rows of the large tables, by where: a loop over all rows reads it once for each. */
const reads = new Map<string, number>();
let isWatching = false;
let all = 0;
for (const { prototype } of [Bindings, ResolutionRows, Stations]) {
  const getter = Object.getOwnPropertyDescriptor(prototype, 'count')?.get;
  if (!getter) throw new Error('a table without a count');
  Object.defineProperty(prototype, 'count', {
    configurable: true,
    get() {
      all++;
      if (isWatching) {
        const [, place = '?'] = /\/src\/([^:]+)/.exec(new Error().stack ?? '') ?? [];
        reads.set(place, (reads.get(place) ?? 0) + 1);
      }
      return getter.call(this);
    },
  });
}

/** Hosts that ask their neighbours, and are answered. */
function crowd(): Buffer {
  const capture = new Capture();
  const host = (i: number) => ({
    mac: `0a:00:00:00:${hex(i >> 8)}:${hex(i & 255)}`,
    ip: `100.64.${i >> 8}.${i & 255}`,
  });
  for (let i = 1; i < CROWD; i++) {
    const [a, b] = [host(i), host(i - 1)];
    capture
      .at(i / 1000)
      .ask(a.mac, a.ip, b.ip)
      .answer(b.mac, b.ip, a.mac, a.ip);
  }
  return capture.file();
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}

describe('what a fault costs', () => {
  it('does not grow with what else is in the tables', { timeout: 300_000 }, async () => {
    const before = await Replay.of(crowd(), null);
    const costly: string[] = [];
    for (const each of fixtureCases()) {
      if (expectationOf(each).kind !== 'fault') continue;
      const replay = await Replay.of(captureOf(each), contextOf(each));
      if (replay.length === 0) continue;
      const readsFor = async (times: number, crowded?: Replay) => {
        all = 0;
        await replay.run(times, crowded);
        return all;
      };
      // Loops at the end of the capture, however many faults there are, cost the same in both.
      const alone = (await readsFor(MANY)) - (await readsFor(FEW));
      const amongMany = (await readsFor(MANY, before)) - (await readsFor(FEW, before));
      if ((amongMany - alone) / (MANY - FEW) < CROWD / 4) continue;
      reads.clear();
      isWatching = true;
      await replay.run(MANY, before);
      isWatching = false;
      for (const [place, count] of reads)
        if (count > (CROWD * MANY) / 4 && !FOR_PORTS.includes(place))
          costly.push(`${place}: ${each.rule}/${each.name}`);
    }
    expect(costly).toEqual([]);
  });
});
