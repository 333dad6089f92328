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

/** What in rules grew as often as a fault was shown, each with the shortest such fault. */
async function growing(
  candidates: ReadonlySet<Fault>,
  times: number,
): Promise<Map<string, { by: Fault; size: number }>> {
  const found = new Map<string, { by: Fault; size: number }>();
  for (const fault of candidates) {
    takeGrown();
    await fault.replay.run(times);
    for (const [site, size] of takeGrown()) {
      const before = found.get(site);
      if (size >= times && (before === undefined || fault.replay.length < before.by.replay.length))
        found.set(site, { by: fault, size });
    }
  }
  return found;
}

describe('what rules remember beside the tables', () => {
  it('does not grow with the number of places where a fault is seen', { timeout: 600_000 }, async () => {
    let candidates: ReadonlySet<Fault> = new Set(await faults());
    let left: string[] = [];
    for (const times of STEPS) {
      const found = await growing(candidates, times);
      left = [...found].map(([site, { by, size }]) => `${site}: ${size} entries after ${times} times ${by.name}`);
      candidates = new Set([...found.values()].map(({ by }) => by));
      if (times === STEPS[0]) expect(left.length).toBeGreaterThan(30);
    }
    expect(left).toEqual([]);
  });
});
