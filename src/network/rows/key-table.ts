/** Words of a key; a table's rows begin with them. */
export const KEY_WORDS = 4;

const FIRST_ROWS = 64;
/**
 * A table with more rows than this gets memory for all that it may have: what is not written to yet takes none, whereas the
 * smaller arrays lie about until they are collected.
 */
const FEW_ROWS = 256;
/** Bits of an index entry that hold the row and 1; those above are the hash's own, and tell most other rows apart unseen. */
const ROW_BITS = 21;
const ROW = (1 << ROW_BITS) - 1;
/** Most rows that the index can name. */
const MOST_ROWS = ROW - 1;
/** Rows among which a full table looks for the least needed one. */
const CANDIDATES = 8;

/**
 * Rows of int32 words found by their first four, in one array so that a row and its key share cache lines:
 * open addressing with linear probing over an index of row numbers, rows dense in the order of their arrival.
 * Grows up to `maxRows`; then the row that came first is given up for the new one, and counted; where a table
 * knows which rows are needed, one that is not. The first `kept` rows are given up never.
 * Words behind the key are 0 in a new row.
 */
export class KeyTable {
  /** Row r lies at `cells[r * stride]`. Replaced when the table grows: do not keep it across `add`. */
  cells: Int32Array;
  /** The same memory as doubles, for the times in a row: with an even stride, row r lies at `doubles[r * stride / 2]`. */
  doubles: Float64Array;
  rowCount = 0;
  /** Rows given up for newer ones. */
  evicted = 0;
  /** Those of them that were needed. */
  missed = 0;
  private index: Int32Array;
  private mask: number;
  /** Rows for which the index suffices, and the cells. */
  private room = FIRST_ROWS;
  private capacity = FIRST_ROWS;
  private victim: number;

  constructor(
    /** Words a row, the key's four included. */
    readonly stride: number,
    readonly maxRows: number,
    /** Called before a row's key is overwritten, so that its owner can let go of what hangs on it. */
    private readonly onEvict: ((row: number) => void) | null = null,
    /** Called when there is room for more rows, so that columns beside the table can follow. */
    private readonly onGrow: ((capacity: number) => void) | null = null,
    /** The word of a row that says how much trouble it shows, 0 for none: it is given up after those that show less. 0: none says it. */
    private readonly need = 0,
    /** Rows that stay whatever comes: those that came first. */
    private readonly kept = 0,
  ) {
    this.victim = kept;
    this.cells = new Int32Array(FIRST_ROWS * stride);
    this.doubles = new Float64Array(this.cells.buffer);
    this.index = new Int32Array(FIRST_ROWS * 2);
    this.mask = FIRST_ROWS * 2 - 1;
    if (maxRows > MOST_ROWS) throw new RangeError(`a table of more than ${MOST_ROWS} rows`);
    onGrow?.(FIRST_ROWS);
  }

  /** The row with this key, -1 if there is none. */
  find(a: number, b: number, c: number, d: number): number {
    const { cells, index, mask, stride } = this;
    const h = hash(a, b, c, d);
    let slot = h & mask;
    for (;;) {
      const entry = index[slot];
      if (entry === 0) return -1;
      if (((entry ^ h) & ~ROW) === 0) {
        const row = (entry & ROW) - 1;
        const at = Math.imul(row, stride);
        // `| 0` spares V8 checks for overflow.
        if (cells[at] === a && cells[(at + 1) | 0] === b && cells[(at + 2) | 0] === c && cells[(at + 3) | 0] === d)
          return row;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** The row with this key, made if there is none; compare `rowCount` and `evicted` to know which. */
  add(a: number, b: number, c: number, d: number): number {
    const { cells, index, mask, stride } = this;
    const h = hash(a, b, c, d);
    let slot = h & mask;
    for (;;) {
      const entry = index[slot];
      if (entry === 0) return this.insert(a, b, c, d, h);
      if (((entry ^ h) & ~ROW) === 0) {
        const row = (entry & ROW) - 1;
        const at = Math.imul(row, stride);
        // `| 0` spares V8 checks for overflow.
        if (cells[at] === a && cells[(at + 1) | 0] === b && cells[(at + 2) | 0] === c && cells[(at + 3) | 0] === d)
          return row;
      }
      slot = (slot + 1) & mask;
    }
  }

  private insert(a: number, b: number, c: number, d: number, h: number): number {
    let row = this.rowCount;
    if (row < this.maxRows) {
      if (row === this.room) this.grow();
      this.rowCount++;
    } else row = this.giveUp();
    const at = row * this.stride;
    this.cells[at] = a;
    this.cells[at + 1] = b;
    this.cells[at + 2] = c;
    this.cells[at + 3] = d;
    this.link(row, h);
    return row;
  }

  /** Empties a row of a full table. */
  private giveUp(): number {
    const { need, victim, maxRows, kept } = this;
    const row = need !== 0 && this.cells[victim * this.stride + need] > 0 ? this.leastNeeded() : victim;
    this.victim = victim + 1 === maxRows ? kept : victim + 1;
    this.evicted++;
    this.onEvict?.(row);
    this.unlink(row);
    this.cells.fill(0, row * this.stride, (row + 1) * this.stride);
    return row;
  }

  /**
   * The row to give up instead of a needed one. Were it the one that came first, a round of more needed keys than there are rows
   * would leave none of them until it comes again: so it is one of a few from anywhere.
   */
  private leastNeeded(): number {
    const { cells, stride, need, kept, maxRows } = this;
    const among = maxRows - kept;
    // Without its highest bits it is a small integer to V8, and so are the fields that the row goes to.
    const start = hash(this.evicted, maxRows, 0, 0) & 0xfffffff;
    let least = kept + (start % among);
    for (let i = 1; cells[least * stride + need] > 0 && i < CANDIDATES; i++) {
      const row = kept + ((start + i) % among);
      if (cells[row * stride + need] < cells[least * stride + need]) least = row;
    }
    if (cells[least * stride + need] > 0) this.missed++;
    return least;
  }

  private hashOf(row: number): number {
    const at = row * this.stride;
    const { cells } = this;
    return hash(cells[at], cells[at + 1], cells[at + 2], cells[at + 3]);
  }

  private link(row: number, h: number): void {
    let slot = h & this.mask;
    while (this.index[slot] !== 0) slot = (slot + 1) & this.mask;
    this.index[slot] = (h & ~ROW) | (row + 1);
  }

  /** Takes a row out of the index and closes the gap (Knuth, The Art of Computer Programming 3, 6.4, algorithm R). */
  private unlink(row: number): void {
    const { index, mask } = this;
    let gap = this.hashOf(row) & mask;
    while ((index[gap] & ROW) !== row + 1) gap = (gap + 1) & mask;
    let next = gap;
    for (;;) {
      next = (next + 1) & mask;
      const moved = index[next];
      if (moved === 0) break;
      const home = this.hashOf((moved & ROW) - 1) & mask;
      // A row may move back only as far as its own home.
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      index[gap] = moved;
      gap = next;
    }
    index[gap] = 0;
  }

  private grow(): void {
    this.room = Math.min(this.room * 4, this.maxRows);
    if (this.room > this.capacity) this.extend(this.room > FEW_ROWS ? this.maxRows : this.room);
    // A power of two, at most half full; by shifts, for a mask made by powers would be a double all its life.
    const slots = 1 << (32 - Math.clz32(this.room * 2 - 1));
    this.index = new Int32Array(slots);
    this.mask = slots - 1;
    for (let row = 0; row < this.rowCount; row++) this.link(row, this.hashOf(row));
  }

  private extend(capacity: number): void {
    this.capacity = capacity;
    const cells = new Int32Array(capacity * this.stride);
    cells.set(this.cells);
    this.cells = cells;
    this.doubles = new Float64Array(cells.buffer);
    this.onGrow?.(capacity);
  }
}

function hash(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a ^ 0x2c1b3c6d, 0x85ebca6b);
  h = Math.imul((h ^ b) + (h >>> 15), 0xc2b2ae35);
  h = Math.imul((h ^ c) + (h >>> 13), 0x27d4eb2f);
  h = Math.imul((h ^ d) + (h >>> 16), 0x165667b1);
  return h ^ (h >>> 15);
}

/**
 * Fills small tables until they grow and give rows up. Tables do so seldom and late, when V8 has compiled `add` into what
 * calls it as if they never did: it would throw each of these functions away and compile it again.
 */
function rehearse(): void {
  const owners = [() => {}, (_: number) => {}];
  for (const owner of owners) {
    for (const need of [0, KEY_WORDS]) {
      const table = new KeyTable(KEY_WORDS + 2, FIRST_ROWS + 1, owner, owner, need);
      for (let key = 0; key < 4 * FIRST_ROWS; key++) {
        const row = table.add(key, key, key, key);
        table.cells[row * table.stride + KEY_WORDS] = key & 3;
      }
    }
  }
}

rehearse();
