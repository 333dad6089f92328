import type { Frame } from '../wire/frame.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';

const MAX_ERRORS = 512;

const COUNT = 4;
const LIST = 5;
const REPORTER = 6;
const SEGMENT = 7;
const MTU = 8;
const STRIDE = 9;

/** The ICMP that speaks: version 4 or 6 of IP, type and code in one number. */
export function errorKind(version: 4 | 6, type: number, code: number): number {
  return (version << 16) | (type << 8) | code;
}

/**
 * ICMP errors that quote VXLAN: a row is (UDP port, quoted source, quoted destination, kind of error) in a segment.
 * Addresses are rows of `Addresses`, kinds those of `errorKind`.
 */
export class TunnelErrors {
  private readonly table: KeyTable;
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);

  constructor(
    private readonly lists: FrameLists,
    /** Told after the 1st, 2nd, 4th, 8th … error of a row. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_ERRORS,
      (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
      },
    );
  }

  /** `layer` is the ICMP header of the frame, `reporter` the address that it came from, `mtu` what it tells or 0. */
  reported(
    segment: number,
    port: number,
    source: number,
    destination: number,
    kind: number,
    reporter: number,
    mtu: number,
    frame: Frame,
    layer: number,
  ): void {
    const row = this.table.add((segment << 16) | port, source, destination, kind);
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + COUNT] === 0) this.firsts[row] = frame.time;
    const count = ++cells[at + COUNT];
    cells[at + SEGMENT] = segment;
    cells[at + REPORTER] = reporter;
    cells[at + MTU] = mtu;
    this.lasts[row] = frame.time;
    const offset = frame.offsets[layer];
    cells[at + LIST] = this.lists.append(
      cells[at + LIST],
      frame.number,
      offset - frame.start,
      frame.limits[layer] - offset,
    );
    if ((count & (count - 1)) === 0 && this.table.evicted === 0) this.tell(row);
  }

  /** Whether any error says that packets of `source` do not get to `destination`, on any port. */
  concerns(segment: number, source: number, destination: number): boolean {
    for (let row = 0; row < this.table.rowCount; row++)
      if (this.source(row) === source && this.destination(row) === destination && this.segment(row) === segment)
        return true;
    return false;
  }

  get count(): number {
    return this.table.rowCount;
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE + SEGMENT];
  }

  /** UDP destination port of the quoted packets. */
  port(row: number): number {
    return this.table.cells[row * STRIDE] & 0xffff;
  }

  /** Who sent what is quoted, and to whom. */
  source(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  destination(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  kind(row: number): number {
    return this.table.cells[row * STRIDE + 3];
  }

  /** Who sent the latest error. */
  reporter(row: number): number {
    return this.table.cells[row * STRIDE + REPORTER];
  }

  errors(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** MTU in bytes that the latest error tells, 0 for none. */
  mtu(row: number): number {
    return this.table.cells[row * STRIDE + MTU];
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
