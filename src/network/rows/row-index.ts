import type { KeyTable } from './key-table.js';

/** Rows that are looked at for one key, the oldest: what an address is known for in more places than that tells no more. */
const MAX_LOOKED = 1 << 12;

/**
 * Finds rows of a large table by something else than their key, for rules that ask now and then: made when first asked for, and
 * brought up to date when asked again, so that packets pay nothing for it. Only for tables that give up the row that came
 * first, as those do that do not know which rows are needed.
 */
export class RowIndex {
  /** First and last row and 1 of each chain, by the low bits of the hash. */
  private heads = new Int32Array(0);
  private tails = new Int32Array(0);
  /** Of each row, the next in its chain and 1, and its chain. */
  private next = new Int32Array(0);
  private chains = new Int32Array(0);
  /** Rows that were added to the table when this was last brought up to date. */
  private known = 0;

  constructor(
    private readonly table: KeyTable,
    /** Of a row that begins at `cells[at]`, of what never changes in it. */
    private readonly hashOf: (cells: Int32Array, at: number) => number,
  ) {}

  /** Rows that may have this hash, the oldest first; others have it too. The table must not change meanwhile. */
  *rows(hash: number): Generator<number> {
    this.update();
    let row = this.heads[hash & (this.heads.length - 1)] - 1;
    for (let looked = 0; row >= 0 && looked < MAX_LOOKED; looked++) {
      yield row;
      row = this.next[row] - 1;
    }
  }

  private update(): void {
    const { rowCount, evicted, maxRows } = this.table;
    const added = rowCount + evicted;
    if (this.next.length === 0) {
      this.heads = new Int32Array(1 << (32 - Math.clz32(maxRows - 1)));
      this.tails = new Int32Array(this.heads.length);
      this.next = new Int32Array(maxRows);
      this.chains = new Int32Array(maxRows);
    }
    if (added - this.known >= maxRows) {
      this.heads.fill(0);
      this.known = added - rowCount;
    }
    for (; this.known < added; this.known++) {
      const row = this.known % maxRows;
      // What stood there came before all that are left of its chain.
      if (this.known >= maxRows && this.heads[this.chains[row]] === row + 1)
        this.heads[this.chains[row]] = this.next[row];
      this.append(row);
    }
  }

  private append(row: number): void {
    const { cells, stride } = this.table;
    const chain = this.hashOf(cells, row * stride) & (this.heads.length - 1);
    if (this.heads[chain] === 0) this.heads[chain] = row + 1;
    else this.next[this.tails[chain] - 1] = row + 1;
    this.tails[chain] = row + 1;
    this.next[row] = 0;
    this.chains[row] = chain;
  }
}

/** Spreads an address, or another number that counts up, over all bits. */
export function spread(value: number): number {
  const mixed = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

/** The same of two, whichever comes first. */
export function spreadPair(a: number, b: number): number {
  return (spread(a) + spread(b)) | 0;
}
