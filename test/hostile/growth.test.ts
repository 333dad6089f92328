import { describe, expect, it } from 'vitest';
import { captureOf, contextOf, expectationOf, fixtureCases } from '../support/fixtures.js';
import { Replay, takeGrown, watchGrowth } from './growth.js';

/**
 * How often each fault is shown, every time at ports of its own, so that segments, and all that is keyed by them, are new.
 * What grows with the number of places is shown more often: bounds are 256, 1000, 1024 or 4096 as a rule.
 */
const STEPS = [40, 1100, 4500];

watchGrowth();

interface Fault {
  readonly name: string;
  readonly replay: Replay;
}

/** One fault of each rule, the shortest. */
async function faults(): Promise<Fault[]> {
  const shortest = new Map<string, Fault>();
  for (const each of fixtureCases()) {
    if (expectationOf(each).kind !== 'fault') continue;
    const replay = await Replay.of(captureOf(each), contextOf(each));
    const before = shortest.get(each.rule);
    if (replay.length > 0 && (before === undefined || replay.length < before.replay.length))
      shortest.set(each.rule, { name: `${each.rule}/${each.name}`, replay });
  }
  return [...shortest.values()];
}

/** What grew as often as a fault was shown, with its size, by fault. */
type Growing = Map<Fault, Map<string, number>>;

async function growing(candidates: Iterable<Fault>, times: number): Promise<Growing> {
  const found: Growing = new Map();
  for (const fault of candidates) {
    takeGrown();
    await fault.replay.run(times);
    found.set(fault, new Map([...takeGrown()].filter(([, size]) => size >= times)));
  }
  return found;
}

/** Few faults that together make all of it grow: always the one that adds most, of equal ones the shortest. */
function few(found: Growing): Fault[] {
  const chosen: Fault[] = [];
  const covered = new Set<string>();
  const byLength = [...found].sort(([a], [b]) => a.replay.length - b.replay.length);
  for (;;) {
    const added = byLength.map(([, sites]) => [...sites.keys()].filter((site) => !covered.has(site)));
    const most = added.reduce((best, { length }, i) => (length > added[best].length ? i : best), 0);
    if (added.length === 0 || added[most].length === 0) return chosen;
    chosen.push(byLength[most][0]);
    for (const site of added[most]) covered.add(site);
  }
}

describe('what rules remember beside the tables', () => {
  it('does not grow with the number of places where a fault is seen', { timeout: 600_000 }, async () => {
    let candidates = await faults();
    let left: string[] = [];
    for (const times of STEPS) {
      const found = await growing(candidates, times);
      left = [...found].flatMap(([{ name }, sites]) =>
        [...sites].map(([site, size]) => `${site}: ${size} entries after ${times} times ${name}`),
      );
      candidates = few(found);
      const sites = new Set([...found.values()].flatMap((each) => [...each.keys()]));
      if (times === STEPS[0]) expect(sites.size).toBeGreaterThan(30);
    }
    expect(left).toEqual([]);
  });
});
