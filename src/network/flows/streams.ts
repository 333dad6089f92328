import { Sightings } from '../rows/sightings.js';
import { IPV6 } from './flow-rows.js';

/** In the first word of a key: the sender is the end with the higher address. */
const FROM_SECOND = 1 << 21;

/** One direction of a TCP connection. */
export interface Stream {
  readonly segment: number;
  /** Whether the addresses are rows of `Addresses`; else they are IPv4 addresses. */
  readonly isIpv6: boolean;
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/**
 * What was seen of directions of TCP connections. A row's key is (place and `FROM_SECOND`, lower address, higher address, their
 * ports), as in `Flows`.
 */
export abstract class StreamSightings extends Sightings {
  stream(row: number): Stream {
    const { cells } = this.table;
    const at = row * this.stride;
    const word = cells[at];
    const ports = cells[at + 3];
    const isSecond = (word & FROM_SECOND) !== 0;
    return {
      segment: word & 0xffff,
      isIpv6: (word & IPV6) !== 0,
      source: cells[at + (isSecond ? 2 : 1)],
      destination: cells[at + (isSecond ? 1 : 2)],
      sourcePort: isSecond ? ports & 0xffff : ports >>> 16,
      destinationPort: isSecond ? ports >>> 16 : ports & 0xffff,
    };
  }

  override segment(row: number): number {
    return this.table.cells[row * this.stride] & 0xffff;
  }

  /** The row for what `end` of the connection at `cell` of the table of flows sends, made if there is none. */
  protected addStream(flows: Int32Array, cell: number, end: number): number {
    return this.table.add(placeOf(flows, cell, end), flows[cell + 1], flows[cell + 2], flows[cell + 3]);
  }

  /** That row, -1 if there is none. */
  protected findStream(flows: Int32Array, cell: number, end: number): number {
    return this.table.find(placeOf(flows, cell, end), flows[cell + 1], flows[cell + 2], flows[cell + 3]);
  }
}

/** First word of the key for what `end` of the connection at `cell` of the table of flows sends. */
export function placeOf(flows: Int32Array, cell: number, end: number): number {
  return end === 0 ? flows[cell] : flows[cell] | FROM_SECOND;
}
