import { KeyTable } from '../rows/key-table.js';
import { RowIndex, spreadPair } from '../rows/row-index.js';

/** Connections kept apart at once, the latest ones. */
export const MAX_FLOWS = 1 << 15;
/** Frames named as examples. */
const MAX_EXAMPLES = 16;

export const STATE = 4;
/** By end of the connection, as all below: the sequence number behind the highest octet sent (RFC 9293: SND.NXT). */
export const END = 5;
/** Latest acknowledgment number. */
export const ACK = 7;
/** Longest IP packet with data that is not acknowledged yet, where its data ends, and the longest that was acknowledged. */
export const SIZE = 9;
export const SIZE_END = 11;
export const DELIVERED = 13;
/** Segments with data. */
export const SENT = 15;
/** When the latest new data was sent, in milliseconds; its identification, and above that its TTL. */
export const STAMP = 17;
export const TRACE = 19;
/** Acknowledgments in a row that say nothing new; one with selective acknowledgments counts twice. */
export const IDLE_ACKS = 21;
/** Number of the first frame that acknowledged something of an end that was never seen, of 32 bits without a sign. */
export const UNHEARD_FRAME = 23;
/** One and a half cache lines, so that no row lies in three. */
export const STRIDE = 24;

/** Bits of the state. Those of an end are shifted by its number, 0 or 1. */
export const SEEN = 1;
/** A SYN was seen, and nothing yet that goes beyond the handshake. */
export const OPENING = 4;
export const FINISHED = 8;
/** Sent something again. */
export const REPEATING = 32;
/** Told a window of 0. */
export const CLOSED = 128;
export const RESET = 512;
/** Its latest acknowledgment is known: a SYN has none. */
export const ACKING = 2048;
/** Some of its data is not in the capture. */
export const GAP = 8192;
/** Acknowledged more and more of what the other end said, of which nothing was seen. */
export const UNHEARD = 32768;
/** A segment without SYN, FIN and RST was seen: none passes a filter for these flags. */
export const PLAIN = 131072;
export const BOTH = SEEN * 3;
/** Distances of these bits from those of `SEEN`. */
const RESET_TO_SEEN = Math.log2(RESET / SEEN);
const ACKING_TO_SEEN = Math.log2(ACKING / SEEN);

/** Marks a flow whose addresses are rows of `Addresses`; else they are IPv4 addresses. Above the bits of a segment. */
export const IPV6 = 1 << 20;

/** Connections of which a capture shows one side, with frames that prove the missing side speaks. */
export interface Sides {
  readonly count: number;
  readonly frames: readonly number[];
}

/** What is known of each TCP connection, and what rules ask of it; `Flows` writes it. */
export abstract class FlowRows {
  protected readonly table = new KeyTable(STRIDE, MAX_FLOWS);
  /** By both addresses, whichever opened it. */
  private readonly byPair = new RowIndex(this.table, (cells, at) => spreadPair(cells[at + 1], cells[at + 2]));

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  /** Longest IP packet with data that arrived from one address at another, in any connection kept; with `ports` (the source's above the destination's) in that one, and such as began after it. */
  delivered(
    segment: number,
    isIpv6: boolean,
    source: number,
    destination: number,
    ports: number | null = null,
  ): number {
    const { cells } = this.table;
    const place = isIpv6 ? segment | IPV6 : segment;
    const since = ports === null ? -1 : this.rowOf(place, source, destination, ports);
    let longest = 0;
    for (const row of this.byPair.rows(spreadPair(source, destination))) {
      const cell = row * STRIDE;
      // Rows are made in the order of the connections, until the table is full.
      if (cells[cell] !== place || (row < since && this.table.evicted === 0)) continue;
      for (let end = 0; end < 2; end++)
        if (cells[cell + 1 + end] === source && cells[cell + 2 - end] === destination)
          longest = Math.max(longest, cells[cell + DELIVERED + end]);
    }
    return longest;
  }

  /**
   * What becomes of the connections of a client to a server while an attempt waits. `goOn`: both sent data since a `Frame.time`; `unread`: to
   * the same port, the client's data was acknowledged, and the server has said nothing for a second, or until
   * the client gave up. `place` and hosts as in the rows of
   * `Handshakes`.
   */
  besides(attempt: { place: number; client: number; server: number; port: number }, since: number, now: number) {
    const { cells } = this.table;
    const { place, client, server, port } = attempt;
    const found = { goOn: 0, unread: 0 };
    for (const row of this.byPair.rows(spreadPair(client, server))) {
      const cell = row * STRIDE;
      const end = cells[cell + 1] === client && cells[cell + 2] === server ? 0 : 1;
      if (cells[cell] !== place || cells[cell + 1 + end] !== client || cells[cell + 2 - end] !== server) continue;
      const state = cells[cell + STATE];
      if (!isHeardBothWays(state) || (state & (RESET * 3)) !== 0) continue;
      const other = 1 - end;
      const spoken = (each: number) => cells[cell + STAMP + each];
      if (isLater(spoken(end), since) && isLater(spoken(other), since)) found.goOn++;
      const waits = (state & (FINISHED << end)) !== 0 || !isLater(spoken(end), now - 1e9);
      const isRead = cells[cell + SENT + other] > 0 || !waits;
      const isAcked = ((cells[cell + ACK + other] - cells[cell + END + end]) | 0) >= 0;
      const ports = cells[cell + 3];
      const isPort = (end === 0 ? ports & 0xffff : ports >>> 16) === port;
      if (isPort && cells[cell + SENT + end] > 0 && !isRead && isAcked) found.unread++;
    }
    return found;
  }

  private rowOf(place: number, source: number, destination: number, ports: number): number {
    const row = this.table.find(place, source, destination, ports);
    return row < 0 ? this.table.find(place, destination, source, (ports << 16) | (ports >>> 16)) : row;
  }

  /** Whether either end reset a connection; `ports` holds the source's above the destination's. */
  wasReset(segment: number, isIpv6: boolean, source: number, destination: number, ports: number): boolean {
    const row = this.rowOf(isIpv6 ? segment | IPV6 : segment, source, destination, ports);
    return row >= 0 && (this.table.cells[row * STRIDE + STATE] & (RESET * 3)) !== 0;
  }

  /**
   * Connections of a capture of which one side was seen that acknowledges what the other says; none if both were of any. What
   * passes in one VLAN or device there and in another back is seen both ways. For rare use: it looks at all connections.
   */
  oneSided(isOfCapture: (segment: number) => boolean): Sides {
    const { cells, rowCount } = this.table;
    const seen = new Map<string, number>();
    const frames: number[] = [];
    const none = { count: 0, frames };
    for (let cell = 0; cell < rowCount * STRIDE; cell += STRIDE) {
      if (!isOfCapture(cells[cell] & ~IPV6)) continue;
      if (isHeardBothWays(cells[cell + STATE])) return none;
      const key = `${cells[cell] & IPV6} ${cells[cell + 1]} ${cells[cell + 2]} ${cells[cell + 3]}`;
      seen.set(key, (seen.get(key) ?? 0) | cells[cell + STATE]);
      if (frames.length < MAX_EXAMPLES && cells[cell + UNHEARD_FRAME] !== 0)
        frames.push(cells[cell + UNHEARD_FRAME] >>> 0);
    }
    const states = [...seen.values()];
    if (states.some(isHeardBothWays)) return none;
    const count = states.filter((state) => (state & (UNHEARD * 3)) !== 0).length;
    return { count, frames: frames.sort((a, b) => a - b) };
  }

  /**
   * Segments with data in the connections of a capture, 0 if a filter for SYN, FIN and RST left out all others. For rare use: it
   * looks at all connections.
   */
  dataSegments(isOfCapture: (segment: number) => boolean): number {
    const { cells, rowCount } = this.table;
    let sum = 0;
    let isPlain = false;
    for (let cell = 0; cell < rowCount * STRIDE; cell += STRIDE) {
      if (!isOfCapture(cells[cell] & ~IPV6)) continue;
      isPlain ||= (cells[cell + STATE] & PLAIN) !== 0;
      sum += cells[cell + SENT] + cells[cell + SENT + 1];
    }
    return isPlain ? sum : 0;
  }

  /**
   * Whether one end of a connection of an address is seen to talk, acknowledging what the other says, and the other never:
   * the way back does not pass here. For rare use: it looks at all connections.
   */
  isOneSided(segment: number, isIpv6: boolean, address: number): boolean {
    const { cells, rowCount } = this.table;
    const place = isIpv6 ? segment | IPV6 : segment;
    for (let cell = 0; cell < rowCount * STRIDE; cell += STRIDE) {
      if (cells[cell] !== place || (cells[cell + 1] !== address && cells[cell + 2] !== address)) continue;
      if (isHeardOneWay(cells[cell + STATE])) return true;
    }
    return false;
  }

  /** Connections of a segment that are one-sided (see there), and those of which both ends are heard. For rare use. */
  heard(segment: number): { oneWay: number; bothWays: number } {
    const { cells, rowCount } = this.table;
    const heard = { oneWay: 0, bothWays: 0 };
    for (let cell = 0; cell < rowCount * STRIDE; cell += STRIDE) {
      if ((cells[cell] & ~IPV6) !== segment) continue;
      if (isHeardOneWay(cells[cell + STATE])) heard.oneWay++;
      else if (isHeardBothWays(cells[cell + STATE])) heard.bothWays++;
    }
    return heard;
  }
}

/** Whether a time in ms, of 32 bits, is not before a `Frame.time`: by less than 24 days. */
function isLater(milliseconds: number, time: number): boolean {
  return ((milliseconds - time / 1e6) | 0) >= 0;
}

function isHeardOneWay(state: number): boolean {
  return (state & OPENING) === 0 && (state & (ACKING * 3)) !== 0 && (state & BOTH) !== BOTH;
}

function isHeardBothWays(state: number): boolean {
  return ((state | (state >> RESET_TO_SEEN) | (state >> ACKING_TO_SEEN)) & BOTH) === BOTH;
}
