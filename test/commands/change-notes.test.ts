import { expect, it } from 'vitest';
import { ChangeNotes } from '../../src/commands/live/change-notes.js';

/** What is told of changes at these times, in seconds, each with its topic. */
function told(changes: readonly (readonly [at: number, topic: string])[]): string[] {
  const lines: string[] = [];
  let now = 0;
  const notes = new ChangeNotes(
    (line) => lines.push(`${now / 1000}: ${line}`),
    () => now,
  );
  for (const [at, topic] of changes) {
    now = at * 1000;
    notes.take([{ topic, text: `${topic} ${at}` }]);
  }
  notes.end();
  return lines;
}
const every = (seconds: number, until: number, topic: string) =>
  Array.from({ length: until / seconds }, (_, i) => [i * seconds, topic] as const);

it('tells what changes now and then one by one', () => {
  expect(told([...every(20, 200, 'a')])).toHaveLength(10);
});

it('sums up what changes all the time, once a minute and at the end, and nothing else', () => {
  expect(told([...every(5, 150, 'pods'), [151, 'eth0']])).toEqual([
    '0: pods 0',
    '5: pods 5',
    '10: pods 10',
    '15: pods 15',
    '20: pods 20',
    '25: pods 25; more of this is summed up',
    '60: pods: 6 more changes in 60 s',
    '120: pods: 12 more changes in 60 s',
    '151: eth0 151',
    '151: pods: 6 more changes in 31 s',
  ]);
});

it('tells them one by one again after a quiet minute', () => {
  expect(told([...every(5, 60, 'pods'), [100, 'eth0'], [170, 'eth0'], [240, 'pods']]).at(-1)).toBe('240: pods 240');
});
