import type { Frame } from '../wire/frame.js';
import { TcpFlag, tcpFlags } from '../wire/tcp.js';
import type { Handshakes } from './handshakes.js';
import { KeyTable } from './key-table.js';

/** Connections kept apart at once, the latest ones. */
const MAX_FLOWS = 1 << 15;

const STATE = 4;
/** Highest sequence number sent, the octet behind it (RFC 9293: SND.NXT), by end of the connection. */
const END = 5;
/** Latest acknowledgment number. */
const ACK = 7;
const STRIDE = 9;

/** Bits of the state. Those of an end are shifted by its number, 0 or 1. */
const SEEN = 1;
/** A SYN was seen, and nothing yet that goes beyond the handshake. */
const OPENING = 4;

/** Marks a flow whose addresses are rows of `Addresses`; else they are IPv4 addresses. Above the bits of a segment. */
export const IPV6 = 1 << 20;

const OTHERS = TcpFlag.Syn | TcpFlag.Rst;

/**
 * TCP connections. A row is (segment, lower address, higher address, their ports): both directions share it, and the end
 * with the lower address is end 0. IPv4 addresses stand for themselves, so that a segment costs one look-up. What is rare,
 * as handshakes, is kept in tables of its own.
 */
export class Flows {
  private readonly table = new KeyTable(STRIDE, MAX_FLOWS);

  constructor(private readonly handshakes: Handshakes) {}

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  /**
   * A TCP header at `layer`, no copy of one just seen, to the hardware address (hi, lo). `place` is the segment, and
   * `IPV6` if the addresses are rows of `Addresses`; `length` is that of the payload on the wire in bytes.
   */
  observe(
    frame: Frame,
    layer: number,
    place: number,
    source: number,
    destination: number,
    length: number,
    hi: number,
    lo: number,
  ): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const flags = tcpFlags(view, at);
    const ports = view.getInt32(at);
    const sequence = view.getInt32(at + 4);
    const isFirst = source < destination || (source === destination && ports >>> 16 <= (ports & 0xffff));
    const row = isFirst
      ? this.table.add(place, source, destination, ports)
      : this.table.add(place, destination, source, (ports << 16) | (ports >>> 16));
    const end = isFirst ? 0 : 1;
    const { cells } = this.table;
    const cell = row * STRIDE;
    const state = cells[cell + STATE];
    if ((flags & OTHERS) !== 0) {
      if ((flags & TcpFlag.Rst) !== 0) {
        if ((state & OPENING) !== 0) this.handshakes.reset(frame, layer, place, source, destination);
        cells[cell + STATE] = state & ~OPENING;
      } else this.opens(frame, layer, place, source, destination, hi, lo, cell, end, flags, sequence);
      return;
    }
    if ((state & OPENING) !== 0) {
      this.handshakes.proceeds(frame, layer, place, source, destination);
      cells[cell + STATE] = state & ~OPENING;
    }
    cells[cell + STATE] |= SEEN << end;
    cells[cell + END + end] = sequence + length;
    cells[cell + ACK + end] = view.getInt32(at + 8);
  }

  /** A SYN, or the answer to one. */
  private opens(
    frame: Frame,
    layer: number,
    place: number,
    source: number,
    destination: number,
    hi: number,
    lo: number,
    cell: number,
    end: number,
    flags: number,
    sequence: number,
  ): void {
    const { cells } = this.table;
    const state = cells[cell + STATE];
    const next = (sequence + 1) | 0;
    const isAnswer = (flags & TcpFlag.Ack) !== 0;
    const isKnown = (state & (SEEN << end)) !== 0;
    if (isAnswer) {
      // The handshake went on already: the server did not see that yet.
      if (isKnown && (state & OPENING) === 0) return;
      cells[cell + STATE] |= (SEEN << end) | OPENING;
      this.handshakes.synAck(frame, layer, place, source, destination);
    } else {
      // Ports that are used again make another connection.
      if (!isKnown || cells[cell + END + end] !== next) cells.fill(0, cell + STATE, cell + STRIDE);
      else if ((state & OPENING) === 0) return;
      cells[cell + STATE] |= (SEEN << end) | OPENING;
      this.handshakes.syn(frame, layer, place, source, destination, hi, lo);
    }
    cells[cell + END + end] = next;
  }
}
