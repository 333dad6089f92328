import type { Frame } from '../../wire/frame.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { COUNT, OWN, Sightings } from '../rows/sightings.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from '../settings.js';

const MAX_PATHS = 1 << 11;
/** Frames longer than this are cut by the network device: their size says nothing (catalogue K5). */
const LONGEST_ON_WIRE = 1522;

const MTU = OWN;
const REPORTER = OWN + 1;
const QUOTED = OWN + 2;
const IGNORED = OWN + 3;
const IGNORED_LIST = OWN + 4;
/** Packets that just fit were sent after the error. */
const HEEDED = OWN + 6;
const STRIDE = OWN + 7;

/**
 * Paths of which an ICMP error said that packets are too big for them (RFC 1191, RFC 8201): a row is (segment, source,
 * destination) of the packets that the errors quote; addresses are rows of `Addresses`.
 */
export class PathMtus extends Sightings {
  private readonly tooBigHeard: number;

  constructor(
    lists: FrameLists,
    /** Told after the 1st, 2nd, 4th … error of a row, and the 3rd, 7th, 15th … packet that pays no heed. */
    private readonly tell: (row: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    super(lists, STRIDE, MAX_PATHS, IGNORED_LIST);
    this.tooBigHeard = ns(settings.tooBigHeard);
  }

  /** An error from `reporter` that tells `mtu` (0: not told) and quotes a packet of `quoted` bytes; `layer` is its ICMP header. */
  tooBig(
    segment: number,
    source: number,
    destination: number,
    mtu: number,
    reporter: number,
    quoted: number,
    frame: Frame,
    layer: number,
  ): void {
    const row = this.table.add(segment, source, destination, 0);
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + MTU] = mtu;
    cells[at + REPORTER] = reporter;
    cells[at + QUOTED] = quoted;
    const count = this.sight(row, frame, layer, frame.limits[layer]);
    if ((count & (count - 1)) === 0 && this.table.evicted === 0) this.tell(row);
  }

  /**
   * A packet of `size` bytes that must not be fragmented; noted if it is as big as one that was refused more than a
   * second before. `layer` is its IP header.
   */
  sent(segment: number, source: number, destination: number, size: number, frame: Frame, layer: number): void {
    const row = this.find(segment, source, destination);
    if (row < 0 || frame.wireLength > LONGEST_ON_WIRE) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    if (size === cells[at + MTU]) cells[at + HEEDED] = 1;
    if (frame.time - this.first(row) < this.tooBigHeard) return;
    if (size < cells[at + QUOTED] || size <= cells[at + MTU]) return;
    this.list(at + IGNORED_LIST, frame, layer);
    const ignored = ++cells[at + IGNORED];
    if (ignored >= 3 && (ignored & (ignored + 1)) === 0 && this.table.evicted === 0) this.tell(row);
  }

  find(segment: number, source: number, destination: number): number {
    return this.table.find(segment, source, destination, 0);
  }

  source(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  destination(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  errors(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** MTU in bytes that the latest error tells, 0 where it tells none. */
  mtu(row: number): number {
    return this.table.cells[row * STRIDE + MTU];
  }

  reporter(row: number): number {
    return this.table.cells[row * STRIDE + REPORTER];
  }

  /** Length in bytes of the packet that the latest error quotes, by its own header. */
  quotedLength(row: number): number {
    return this.table.cells[row * STRIDE + QUOTED];
  }

  /**
   * Packets as big as the refused one, sent later. None where others just fit: the sender heeds what it is told, and forgets it, as Linux does
   * when the route or the address is set anew, on each renewal of a lease perhaps.
   */
  ignoring(row: number): number {
    const { cells } = this.table;
    return cells[row * STRIDE + HEEDED] !== 0 ? 0 : cells[row * STRIDE + IGNORED];
  }

  ignoringPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + IGNORED_LIST]);
  }
}
