import type { Frame } from '../../wire/frame.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { COUNT, OWN } from '../rows/sightings.js';
import { StreamSightings } from './streams.js';

const MAX_STREAMS = 1 << 11;

const TTL = OWN;
const USUAL_TTL = OWN + 1;
const GOES_ON = OWN + 2;
const SEQUENCE = OWN + 3;
const STRIDE = OWN + 4;

/** Connections that were up and ended by RST, by direction of a connection (`streams.ts`): from whom the RST claims to be. */
export class Resets extends StreamSightings {
  constructor(
    lists: FrameLists,
    /** Told at each RST, and when its sender goes on as if it had sent none. */
    private readonly tell: (row: number) => void,
  ) {
    super(lists, STRIDE, MAX_STREAMS);
  }

  /** The `end` of the connection at `cell` of the table of flows resets; its data came with `usualTtl`, 0 if it sent none. */
  add(frame: Frame, layer: number, flows: Int32Array, cell: number, end: number, ttl: number, usualTtl: number): void {
    const row = this.addStream(flows, cell, end);
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + SEQUENCE] = frame.view.getInt32(frame.offsets[layer] + 4);
    cells[at + TTL] = ttl;
    cells[at + USUAL_TTL] = usualTtl;
    this.sight(row, frame, layer);
    this.tell(row);
  }

  /** It sends data after its RST: new one, if `sequence` is not below that of the RST. */
  goesOn(flows: Int32Array, cell: number, end: number, sequence: number): void {
    const row = this.findStream(flows, cell, end);
    if (row < 0 || this.table.cells[row * STRIDE + GOES_ON] !== 0) return;
    if (((sequence - this.table.cells[row * STRIDE + SEQUENCE]) | 0) < 0) return;
    this.table.cells[row * STRIDE + GOES_ON] = 1;
    this.tell(row);
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
}
