import { describe, expect, it } from 'vitest';
import { KeyTable } from '../../../src/network/rows/key-table.js';
import { RowIndex, spread } from '../../../src/network/rows/row-index.js';

describe('RowIndex', () => {
  const table = () => {
    const keys = new KeyTable(4, 300);
    return { keys, index: new RowIndex(keys, (cells, at) => spread(cells[at + 1])) };
  };
  /** Rows whose second word is `value`, as looking at all of them finds them. */
  const scanned = (keys: KeyTable, value: number) =>
    Array.from({ length: keys.rowCount }, (_, row) => row).filter((row) => keys.cells[row * 4 + 1] === value);
  const found = (keys: KeyTable, index: RowIndex, value: number) =>
    [...index.rows(spread(value))].filter((row) => keys.cells[row * 4 + 1] === value).sort((a, b) => a - b);

  it.each([1, 7, 299, 301, 1000])('finds what a scan finds, asked every %i rows, while old rows give way', (every) => {
    const { keys, index } = table();
    for (let i = 0; i < 5000; i++) {
      keys.add(i, (i * i) % 37, 0, 0);
      if (i % every === 0)
        for (const value of [0, 1, 4, 36]) expect(found(keys, index, value)).toEqual(scanned(keys, value));
    }
    for (let value = 0; value < 37; value++) expect(found(keys, index, value)).toEqual(scanned(keys, value));
    expect(keys.evicted).toBe(4700);
  });

  it('gives the oldest first', () => {
    const { keys, index } = table();
    for (let i = 0; i < 450; i++) keys.add(i, i & 1, 0, 0);
    const firsts = [...index.rows(spread(1))].map((row) => keys.cells[row * 4]).filter((key) => key % 2 === 1);
    expect(firsts).toEqual(Array.from({ length: 150 }, (_, i) => 151 + 2 * i));
  });

  it('looks at 4096 rows of one kind at most', () => {
    const keys = new KeyTable(4, 1 << 14);
    const index = new RowIndex(keys, (cells, at) => spread(cells[at + 1]));
    for (let i = 0; i < 1 << 14; i++) keys.add(i, 5, 0, 0);
    expect([...index.rows(spread(5))].length).toBe(4096);
  });
});
