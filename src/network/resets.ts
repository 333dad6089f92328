import type { Frame } from '../wire/frame.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import { FROM_SECOND, type Stream, streamAt } from './streams.js';

const MAX_STREAMS = 1 << 11;

const COUNT = 4;
const LIST = 5;
const TTL = 6;
const USUAL_TTL = 7;
const GOES_ON = 8;
const SEQUENCE = 9;
const STRIDE = 10;

/** Connections that were up and ended by RST, by direction of a connection (`streams.ts`): from whom the RST claims to be. */
export class Resets {
  private readonly table: KeyTable;
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);

  constructor(
    private readonly lists: FrameLists,
    /** Told at each RST, and when its sender goes on as if it had sent none. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_STREAMS,
      (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
      },
    );
  }

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  /** The `end` of the connection at `cell` of the table of flows resets; its data came with `usualTtl`, 0 if it sent none. */
  add(frame: Frame, layer: number, flows: Int32Array, cell: number, end: number, ttl: number, usualTtl: number): void {
    const word = end === 0 ? flows[cell] : flows[cell] | FROM_SECOND;
    const row = this.table.add(word, flows[cell + 1], flows[cell + 2], flows[cell + 3]);
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + COUNT]++ === 0) this.firsts[row] = frame.time;
    this.lasts[row] = frame.time;
    cells[at + SEQUENCE] = frame.view.getInt32(frame.offsets[layer] + 4);
    cells[at + TTL] = ttl;
    cells[at + USUAL_TTL] = usualTtl;
    const offset = frame.offsets[layer];
    cells[at + LIST] = this.lists.append(
      cells[at + LIST],
      frame.number,
      offset - frame.start,
      frame.ends[layer] - offset,
    );
    this.tell(row);
  }

  /** It sends data after its RST: new one, if `sequence` is not below that of the RST. */
  goesOn(flows: Int32Array, cell: number, end: number, sequence: number): void {
    const word = end === 0 ? flows[cell] : flows[cell] | FROM_SECOND;
    const row = this.table.find(word, flows[cell + 1], flows[cell + 2], flows[cell + 3]);
    if (row < 0 || this.table.cells[row * STRIDE + GOES_ON] !== 0) return;
    if (((sequence - this.table.cells[row * STRIDE + SEQUENCE]) | 0) < 0) return;
    this.table.cells[row * STRIDE + GOES_ON] = 1;
    this.tell(row);
  }

  stream(row: number): Stream {
    return streamAt(this.table.cells, row * STRIDE);
  }

  resets(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** TTL or hop limit of the RST, and of the data before it: 0 if there was none. */
  ttl(row: number): number {
    return this.table.cells[row * STRIDE + TTL];
  }

  usualTtl(row: number): number {
    return this.table.cells[row * STRIDE + USUAL_TTL];
  }

  /** Whether its sender goes on sending data: it never sent that RST. */
  goesOnAfter(row: number): boolean {
    return this.table.cells[row * STRIDE + GOES_ON] !== 0;
  }

  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  places(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }
}
