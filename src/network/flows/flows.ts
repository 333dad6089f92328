import type { Frame } from '../../wire/frame.js';
import { TcpFlag, tcpFlags, tcpSack, tcpWindow } from '../../wire/tcp.js';
import {
  ACK,
  ACKING,
  BOTH,
  CLOSED,
  DELIVERED,
  END,
  FINISHED,
  FlowRows,
  GAP,
  IDLE_ACKS,
  MAX_FLOWS,
  OPENING,
  PLAIN,
  REPEATING,
  RESET,
  SEEN,
  SENT,
  SIZE,
  SIZE_END,
  STAMP,
  STATE,
  STRIDE,
  TRACE,
  UNHEARD,
  UNHEARD_FRAME,
} from './flow-rows.js';
import type { Gaps } from './gaps.js';
import type { Handshakes } from './handshakes.js';
import type { Resets } from './resets.js';
import { Rests } from './rests.js';
import { isNeedless, type Retransmissions } from './retransmissions.js';
import type { Windows } from './windows.js';

/** A sequence number so far back belongs to another connection of the same ports. */
const FAR_BACK = 1 << 24;
/** Without an identification to tell, data that comes again so soon was overtaken, or seen at two hops (as Wireshark has it). */
const OVERTAKEN_MS = 3;
/** Time without new data after which a connection had rested: what stands between gives it a minute at least (RFC 5382 section 5 asks for two hours). */
const REST_MS = 60_000;

const OTHERS = TcpFlag.Syn | TcpFlag.Rst;

/**
 * TCP connections. A row is (segment, lower address, higher address, their ports): both directions share it, and the end
 * with the lower address is end 0. IPv4 addresses stand for themselves, so that a segment costs one look-up. What is rare,
 * as handshakes and data sent again, is kept in tables of its own.
 */
export class Flows extends FlowRows {
  private readonly rests = new Rests();

  constructor(
    private readonly handshakes: Handshakes,
    private readonly retransmissions: Retransmissions,
    private readonly windows: Windows,
    private readonly resets: Resets,
    private readonly gaps: Gaps,
  ) {
    super();
  }

  /**
   * A TCP header at `layer`, no copy of one just seen, to the hardware address (hi, lo). `place` is the segment, and
   * `IPV6` if the addresses are rows of `Addresses`; `total` is the length of the IP packet on the wire and `length` that
   * of the payload in bytes; `trace` the IPv4 identification (0 where there is none), above it the TTL.
   */
  observe(
    frame: Frame,
    layer: number,
    place: number,
    source: number,
    destination: number,
    total: number,
    length: number,
    trace: number,
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
    const other = 1 - end;
    const { cells } = this.table;
    // A number whose range V8 knows: sums of it need no check for overflow.
    const cell = (row & (MAX_FLOWS - 1)) * STRIDE;
    if ((flags & OTHERS) !== 0) {
      if ((flags & TcpFlag.Rst) !== 0) this.resetting(frame, layer, place, source, destination, cell, end, trace);
      else this.opens(frame, layer, place, source, destination, hi, lo, cell, end, flags, sequence);
      return;
    }
    let state = cells[cell + STATE];
    if ((state & (OPENING | (RESET << end))) !== 0) {
      if ((state & OPENING) !== 0) this.handshakes.proceeds(frame, layer, place, source, destination);
      else if (length > 0) this.resets.goesOn(cells, cell, end, sequence);
      state &= ~OPENING;
    }
    // A FIN takes a sequence number, as an octet does, and its bit is the lowest.
    const span = length + (flags & TcpFlag.Fin);
    const next = (sequence + span) | 0;
    const isKnown = (state & (SEEN << end)) !== 0;
    const ack = view.getInt32(at + 8);
    if (!isKnown) cells[cell + END + end] = sequence;
    if ((state & (ACKING << end)) === 0) cells[cell + ACK + end] = ack;
    cells[cell + STATE] = state | ((SEEN | ACKING) << end) | ((flags & TcpFlag.Fin) === 0 ? PLAIN : FINISHED << end);
    if (span > 0) {
      if ((state & (GAP << end)) !== 0) this.gaps.sent(cells, cell, end, sequence, next);
      const skipped = (sequence - cells[cell + END + end]) | 0;
      if (skipped >= 0) {
        if (skipped > 0) this.misses(cell, end, sequence, true);
        cells[cell + END + end] = next;
        cells[cell + SENT + end]++;
        const before = cells[cell + STAMP + end];
        cells[cell + STAMP + end] = frame.time / 1e6;
        if (cells[cell + STAMP + end] - before > REST_MS) this.rested(cell, end, sequence, before);
        cells[cell + TRACE + end] = trace;
        if (length > 0 && total >= cells[cell + SIZE + end]) {
          cells[cell + SIZE + end] = total;
          cells[cell + SIZE_END + end] = next;
        }
      } else this.again(frame, layer, cell, end, sequence, length, next, total, trace);
    }
    const gained = (ack - cells[cell + ACK + end]) | 0;
    if (gained > 0) {
      cells[cell + ACK + end] = ack;
      cells[cell + IDLE_ACKS + end] = 0;
      if ((state & (SEEN << other)) === 0) this.unheard(frame, cell, end);
      else if (((ack - cells[cell + END + other]) | 0) > 1) this.misses(cell, other, ack, false);
      if ((cells[cell + STATE] & (GAP << other)) !== 0) this.gaps.acked(frame, layer, cells, cell, other, ack);
      const size = cells[cell + SIZE + other];
      if (size > 0 && ((ack - cells[cell + SIZE_END + other]) | 0) >= 0) {
        if (size > cells[cell + DELIVERED + other]) cells[cell + DELIVERED + other] = size;
        cells[cell + SIZE + other] = 0;
      }
      if ((state & (REPEATING << other)) !== 0)
        this.retransmissions.acked(cells, cell, other, ack, isNeedless(frame, layer, ack));
    } else if (gained === 0 && ((state & (REPEATING << other)) !== 0 || span === 0))
      this.idles(frame, layer, cell, end, ack);
    if (tcpWindow(view, at) === 0) {
      cells[cell + STATE] |= CLOSED << end;
      this.windows.closed(frame, layer, cells, cell, end);
    } else if ((state & (CLOSED << end)) !== 0) {
      cells[cell + STATE] &= ~(CLOSED << end);
      this.windows.opened(frame, cells, cell, end);
    }
  }

  /** Tells `Retransmissions` how much was sent in all. */
  finish(): void {
    const { cells, rowCount } = this.table;
    for (let cell = 0; cell < rowCount * STRIDE; cell += STRIDE)
      for (let end = 0; end < 2; end++)
        if ((cells[cell + STATE] & (REPEATING << end)) !== 0)
          this.retransmissions.sentInAll(cells, cell, end, cells[cell + SENT + end]);
  }

  /** Data of `end` up to `to` is not in the capture, by the number of what follows or by an acknowledgment. */
  private misses(cell: number, end: number, to: number, isSent: boolean): void {
    const { cells } = this.table;
    cells[cell + STATE] |= GAP << end;
    this.gaps.opened(cells, cell, end, cells[cell + END + end], to, isSent);
  }

  /** `end` sends new data after a long time; its first data comes after none. */
  private rested(cell: number, end: number, sequence: number, before: number): void {
    const { cells } = this.table;
    if (cells[cell + SENT + end] > 1) this.rests.ended(cells, cell, end, sequence, cells[cell + STAMP + end] - before);
  }

  /** `end` acknowledges what the other end said, and nothing of that is in the capture. */
  private unheard(frame: Frame, cell: number, end: number): void {
    const { cells } = this.table;
    cells[cell + STATE] |= UNHEARD << end;
    if (cells[cell + UNHEARD_FRAME] === 0) cells[cell + UNHEARD_FRAME] = frame.number;
  }

  /** Data, or a FIN, that is not new. */
  private again(
    frame: Frame,
    layer: number,
    cell: number,
    end: number,
    sequence: number,
    length: number,
    next: number,
    total: number,
    trace: number,
  ): void {
    const { cells } = this.table;
    const { time } = frame;
    const back = (cells[cell + END + end] - sequence) | 0;
    if (back > FAR_BACK) {
      cells[cell + END + end] = next;
      cells[cell + SIZE + end] = 0;
      return;
    }
    // Keep-alives, and probes of a closed window, repeat one octet (RFC 9293 sections 3.8.4 and 3.8.6.1).
    if (length <= 1 && back <= 1) return;
    if ((cells[cell + STATE] & (CLOSED << (1 - end))) !== 0) return;
    const id = trace & 0xffff;
    const latest = cells[cell + TRACE + end] & 0xffff;
    if (id !== 0 && latest !== 0) {
      // Sent before the latest, and overtaken by it; or the latest itself, at another hop.
      const later = (id - latest) & 0xffff;
      if (later === 0 || later >= 0x8000) return;
    } else if ((time / 1e6 - cells[cell + STAMP + end]) % 0x100000000 < OVERTAKEN_MS) return;
    cells[cell + TRACE + end] = trace;
    cells[cell + STAMP + end] = time / 1e6;
    if (((next - cells[cell + END + end]) | 0) > 0) cells[cell + END + end] = next;
    cells[cell + STATE] |= REPEATING << end;
    this.retransmissions.again(
      frame,
      layer,
      cells,
      cell,
      end,
      sequence,
      total,
      cells[cell + SENT + end],
      cells[cell + DELIVERED + end],
      // Only the first segment that is missing is in the way of the others.
      sequence === cells[cell + ACK + 1 - end],
      cells[cell + IDLE_ACKS + 1 - end],
      this.rests.before(cells, cell, end, sequence),
    );
  }

  /** An acknowledgment that says nothing new. */
  private idles(frame: Frame, layer: number, cell: number, end: number, ack: number): void {
    const { cells } = this.table;
    const other = 1 - end;
    const sack = tcpSack(frame.view, frame.offsets[layer], frame.ends[layer]);
    cells[cell + IDLE_ACKS + end] += sack === 0 ? 1 : 2;
    if ((cells[cell + STATE] & (REPEATING << other)) !== 0)
      this.retransmissions.idles(cells, cell, other, isNeedless(frame, layer, ack));
  }

  private resetting(
    frame: Frame,
    layer: number,
    place: number,
    source: number,
    destination: number,
    cell: number,
    end: number,
    trace: number,
  ): void {
    const { cells } = this.table;
    const state = cells[cell + STATE];
    cells[cell + STATE] = (state | (RESET << end)) & ~OPENING;
    if ((state & OPENING) !== 0) this.handshakes.reset(frame, layer, place, source, destination);
    // After a FIN the application is through; what comes late is reset as a matter of course, as after a RST.
    else if ((state & BOTH) === BOTH && (state & (FINISHED * 3)) === 0 && (state & (RESET * 3)) === 0)
      this.resets.add(frame, layer, cells, cell, end, trace >>> 16, cells[cell + TRACE + end] >>> 16);
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
      cells[cell + STATE] |= ((SEEN | ACKING) << end) | OPENING;
      cells[cell + ACK + end] = frame.view.getInt32(frame.offsets[layer] + 8);
      this.handshakes.synAck(frame, layer, place, source, destination);
    } else {
      // Ports that are used again make another connection.
      if (!isKnown || cells[cell + END + end] !== next) cells.fill(0, cell + STATE, cell + STRIDE);
      else if ((state & OPENING) === 0) {
        // A host that resets does not ask on; but a SYN-ACK for another SYN is reset rightly, and that one comes again.
        const isOurs = (state & (RESET << end)) !== 0 && cells[cell + ACK + 1 - end] === next;
        if (!isOurs || !this.handshakes.asksOn(frame, layer, place, source, destination, hi, lo)) return;
        cells[cell + STATE] = (state & ~(RESET << end)) | OPENING;
        return;
      }
      cells[cell + STATE] |= (SEEN << end) | OPENING;
      this.handshakes.syn(frame, layer, place, source, destination, hi, lo);
    }
    cells[cell + END + end] = next;
  }
}
