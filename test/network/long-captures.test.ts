import { expect, test } from 'vitest';
import { Gaps } from '../../src/network/flows/gaps.js';
import { FrameLists } from '../../src/network/rows/frame-lists.js';
import { Frame } from '../../src/wire/frame.js';

test('frames behind the 2,147,483,647th of a live capture keep their numbers', () => {
  const gaps = new Gaps(new FrameLists());
  const connection = Int32Array.of(0, 1, 2, 3);
  const frame = new Frame();
  frame.number = 3_000_000_000;
  gaps.opened(connection, 0, 0, 1000, 2000, true);
  gaps.acked(frame, 0, connection, 0, 0, 3000);
  gaps.finish(() => true);
  expect(gaps.places(0).map((place) => place.frame)).toEqual([3_000_000_000]);
});
