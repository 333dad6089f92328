import { KeyTable } from '../rows/key-table.js';
import { placeOf } from './streams.js';

const MAX_RESTS = 1 << 11;
const SEQUENCE = 4;
const MILLISECONDS = 5;
const STRIDE = 6;

/** Rests of connections: which segment was the first after its sender had sent nothing new for long, by direction of a connection. */
export class Rests {
  private readonly table = new KeyTable(STRIDE, MAX_RESTS);

  /** The `end` of the connection at `cell` of the table of flows sends `sequence` after so many milliseconds. */
  ended(flows: Int32Array, cell: number, end: number, sequence: number, milliseconds: number): void {
    const { table } = this;
    const at = STRIDE * table.add(placeOf(flows, cell, end), flows[cell + 1], flows[cell + 2], flows[cell + 3]);
    table.cells[at + SEQUENCE] = sequence;
    table.cells[at + MILLISECONDS] = milliseconds;
  }

  /** Milliseconds for which `end` rested before `sequence`; 0 if it did not, or not for long. */
  before(flows: Int32Array, cell: number, end: number, sequence: number): number {
    const { table } = this;
    const row = table.find(placeOf(flows, cell, end), flows[cell + 1], flows[cell + 2], flows[cell + 3]);
    const at = row * STRIDE;
    return row >= 0 && table.cells[at + SEQUENCE] === sequence ? table.cells[at + MILLISECONDS] : 0;
  }
}
