import type { Frame } from '../../wire/frame.js';

/**
 * The question or answer that the frame at hand carries by ARP, and what was looked up for it, so that rules that look
 * at each of them need not look it up again. Announcements, probes and what is not Ethernet and IPv4 are left out.
 */
export class LatestArp {
  segment = -1;
  /** Sender hardware address. */
  hi = 0;
  lo = 0;
  /** Target hardware address. */
  toHi = 0;
  toLo = 0;
  /** Rows of `Addresses`. */
  spa = -1;
  tpa = -1;
  /** Row of `Bindings` of the sender and spa; -1 where the packet is nobody's claim, as a copy or one with another source. */
  binding = -1;
  /** Row of `Resolutions` that an answer belongs to; -1 for requests, and for answers to a group. */
  resolution = -1;
  private operation = 0;
  private number = 0;
  private capture = -1;

  /** `ArpOperation.Request` or `Reply` if the frame carries such a question or answer, else 0. */
  operationOf(frame: Frame): number {
    return frame.number === this.number && frame.capture === this.capture ? this.operation : 0;
  }

  /** A question or answer between two addresses. */
  note(
    frame: Frame,
    operation: number,
    segment: number,
    hi: number,
    lo: number,
    toHi: number,
    toLo: number,
    spa: number,
    tpa: number,
  ): void {
    this.number = frame.number;
    this.capture = frame.capture;
    this.operation = operation;
    this.segment = segment;
    this.hi = hi;
    this.lo = lo;
    this.toHi = toHi;
    this.toLo = toLo;
    this.spa = spa;
    this.tpa = tpa;
    this.binding = -1;
    this.resolution = -1;
  }
}
