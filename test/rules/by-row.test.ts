import { expect, it } from 'vitest';
import { ByRow } from '../../src/rules/by-row.js';

it('finds objects by row as a Map does, and keeps their order', () => {
  const byRow = new ByRow<string>();
  const byMap = new Map<number, string>();
  for (const row of [0, 63, 64, 5, 131_071]) {
    expect(byRow.get(row)).toBeUndefined();
    byRow.add(row, `row ${row}`);
    byMap.set(row, `row ${row}`);
  }
  for (const row of [-1, 0, 1, 5, 62, 63, 64, 65, 131_070, 131_071, 131_072])
    expect(byRow.get(row)).toBe(byMap.get(row));
  expect(byRow.values).toEqual([...byMap.values()]);
});
