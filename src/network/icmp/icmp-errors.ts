import type { Frame } from '../../wire/frame.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { COUNT, OWN, Sightings } from '../rows/sightings.js';

const MAX_ERRORS = 1 << 11;

const SOURCE = OWN;
const GATEWAY = OWN + 1;
const PROTOCOL = OWN + 2;
const PORT = OWN + 3;
const PORT_RUN = OWN + 4;
const STRIDE = OWN + 6;

/** Bit of a kind that says ICMPv6; below it type and code, 8 bits each. */
const V6 = 1 << 16;
/** Bits above it: what the quoted packet was. */
export const Quoted = {
  Other: 0,
  /** UDP to the ports that traceroute sends to, in the hope that nobody listens. */
  Trace: 1 << 17,
  /** For time exceeded: an echo request that had hops enough when the capture showed it. */
  Ping: 1 << 18,
} as const;

/**
 * ICMP errors and redirects (not those about sizes, see `PathMtus`): a row is (segment, reporter, destination of the
 * packet that the error is about, kind); addresses are rows of `Addresses`. What traceroute provokes has rows of its own.
 */
export class IcmpErrors extends Sightings {
  constructor(
    lists: FrameLists,
    /** Told at the 1st, 2nd, 4th … error of a row. */
    private readonly tell: (row: number) => void,
  ) {
    super(lists, STRIDE, MAX_ERRORS);
  }

  /**
   * An error from `reporter` about a packet from `source` to `destination`; `kind` as `errorKind`, `layer` is its ICMP
   * header. `gateway` is the address in a redirect, else -1; `port` the destination port of TCP and UDP, else 0.
   */
  add(
    segment: number,
    reporter: number,
    source: number,
    destination: number,
    kind: number,
    gateway: number,
    protocol: number,
    port: number,
    frame: Frame,
    layer: number,
  ): void {
    const row = this.table.add(segment, reporter, destination, kind);
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + SOURCE] = source;
    cells[at + GATEWAY] = gateway;
    cells[at + PROTOCOL] = protocol;
    cells[at + PORT_RUN] = cells[at + PORT] === port ? cells[at + PORT_RUN] + 1 : 1;
    cells[at + PORT] = port;
    const count = this.sight(row, frame, layer, frame.limits[layer]);
    if ((count & (count - 1)) === 0 && this.table.evicted === 0) this.tell(row);
  }

  /** Tells of the rows in the segments that `isOfCapture` names whose latest error was not told yet. */
  finish(isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++) {
      const count = this.errors(row);
      if ((count & (count - 1)) !== 0 && isOfCapture(this.segment(row))) this.tell(row);
    }
  }

  reporter(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  destination(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  isV6(row: number): boolean {
    return (this.table.cells[row * STRIDE + 3] & V6) !== 0;
  }

  type(row: number): number {
    return (this.table.cells[row * STRIDE + 3] >> 8) & 0xff;
  }

  code(row: number): number {
    return this.table.cells[row * STRIDE + 3] & 0xff;
  }

  /** Whether the packets were such, of `Quoted`. */
  isAbout(row: number, quoted: number): boolean {
    return (this.table.cells[row * STRIDE + 3] & quoted) !== 0;
  }

  errors(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** Sender of the latest packet that an error was about. */
  source(row: number): number {
    return this.table.cells[row * STRIDE + SOURCE];
  }

  /** Where a redirect sends to. */
  gateway(row: number): number {
    return this.table.cells[row * STRIDE + GATEWAY];
  }

  /** Protocol of the latest packet, and its destination port. */
  protocol(row: number): number {
    return this.table.cells[row * STRIDE + PROTOCOL];
  }

  port(row: number): number {
    return this.table.cells[row * STRIDE + PORT];
  }

  /** How many of the latest packets in a row had this port: a scan has another each time. */
  portRun(row: number): number {
    return this.table.cells[row * STRIDE + PORT_RUN];
  }
}

/** Type and code of a message, and of `Quoted` what it is about, in one number. */
export function errorKind(isV6: boolean, type: number, code: number, quoted: number): number {
  return (isV6 ? V6 : 0) | (type << 8) | code | quoted;
}
