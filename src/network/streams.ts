import { IPV6 } from './flow-rows.js';

/** In the first word of a key: the sender is the end with the higher address. */
export const FROM_SECOND = 1 << 21;

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
 * The direction that the key of a row of `Retransmissions`, `Windows` or `Resets` names: (place and `FROM_SECOND`, lower
 * address, higher address, their ports), as in `Flows`.
 */
export function streamAt(cells: Int32Array, at: number): Stream {
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
