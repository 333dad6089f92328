import type { Frame } from '../../wire/frame.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { COUNT, OWN, Sightings } from '../rows/sightings.js';

const MAX_ERRORS = 512;

const REPORTER = OWN;
const SEGMENT = OWN + 1;
const STRIDE = OWN + 2;

/** The ICMP that speaks: version 4 or 6 of IP, type and code in one number. */
export function errorKind(version: 4 | 6, type: number, code: number): number {
  return (version << 16) | (type << 8) | code;
}

/**
 * ICMP errors that quote VXLAN: a row is (UDP port, quoted source, quoted destination, kind of error) in a segment.
 * Addresses are rows of `Addresses`, kinds those of `errorKind`.
 */
export class TunnelErrors extends Sightings {
  constructor(
    lists: FrameLists,
    /** Told after the 1st, 2nd, 4th, 8th … error of a row. */
    private readonly tell: (row: number) => void,
  ) {
    super(lists, STRIDE, MAX_ERRORS);
  }

  /** `layer` is the ICMP header of the frame, `reporter` the address that it came from. */
  reported(
    segment: number,
    port: number,
    source: number,
    destination: number,
    kind: number,
    reporter: number,
    frame: Frame,
    layer: number,
  ): void {
    const row = this.table.add((segment << 16) | port, source, destination, kind);
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + SEGMENT] = segment;
    cells[at + REPORTER] = reporter;
    const count = this.sight(row, frame, layer, frame.limits[layer]);
    if ((count & (count - 1)) === 0 && this.table.evicted === 0) this.tell(row);
  }

  /** Whether any error says that packets of `source` do not get to `destination`, on any port. */
  concerns(segment: number, source: number, destination: number): boolean {
    for (let row = 0; row < this.table.rowCount; row++)
      if (this.source(row) === source && this.destination(row) === destination && this.segment(row) === segment)
        return true;
    return false;
  }

  override segment(row: number): number {
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
}
