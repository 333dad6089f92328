import { describe, expect, it } from 'vitest';
import { KeyTable } from '../../../src/network/rows/key-table.js';

/** Numbers that look random and are the same in every run (xorshift32). */
function* numbers(seed = 1): Generator<number> {
  for (let x = seed; ; ) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    yield x;
  }
}

describe('KeyTable', () => {
  it('finds what was added, by all four words, and keeps what is written behind the key', () => {
    const table = new KeyTable(6, 100);
    const row = table.add(1, 2, 3, 4);
    table.cells[row * 6 + 5] = 77;
    expect(table.add(1, 2, 3, 4)).toBe(row);
    expect(table.find(1, 2, 3, 4)).toBe(row);
    expect(table.cells[row * 6 + 5]).toBe(77);
    for (const [a, b, c, d] of [
      [0, 2, 3, 4],
      [1, 0, 3, 4],
      [1, 2, 0, 4],
      [1, 2, 3, 0],
    ])
      expect(table.find(a, b, c, d)).toBe(-1);
  });

  it('agrees with a Map through growth and thousands of evictions', () => {
    const bound = 300;
    const evictedRows: number[] = [];
    const table = new KeyTable(5, bound, (row) => evictedRows.push(row));
    const model = new Map<string, number[]>();
    const random = numbers();
    for (let i = 0; i < 20_000; i++) {
      // Few distinct values a word, so that probes collide and keys come again.
      const key = Array.from({ length: 4 }, () => (random.next().value as number) & 7);
      const before = table.evicted;
      const row = table.add(key[0], key[1], key[2], key[3]);
      const text = key.join();
      if (!model.has(text)) {
        expect(table.cells[row * 5 + 4]).toBe(0);
        // First come, first given up.
        if (table.evicted > before) model.delete(model.keys().next().value as string);
        model.set(text, key);
      } else expect(table.evicted).toBe(before);
      table.cells[row * 5 + 4] = 1;
      expect(table.rowCount).toBe(model.size);
    }
    for (const [a, b, c, d] of model.values()) expect(table.find(a, b, c, d)).toBeGreaterThanOrEqual(0);
    expect(table.evicted).toBe(evictedRows.length);
    expect(table.evicted).toBeGreaterThan(1000);
    expect(table.rowCount).toBe(bound);
  });

  it('tells its owner about room for more rows before they are used', () => {
    let room = 0;
    const table = new KeyTable(4, 1000, null, (capacity) => {
      room = capacity;
    });
    for (let i = 0; i < 1000; i++) expect(table.add(i, 0, 0, 0)).toBeLessThan(room);
    expect(room).toBe(1000);
  });
});
