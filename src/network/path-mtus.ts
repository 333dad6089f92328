import type { Frame } from '../wire/frame.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import { type NetworkSettings, ns, OWN_SETTINGS } from './settings.js';

const MAX_PATHS = 1 << 11;
/** Frames longer than this are cut by the network device: their size says nothing (catalogue K5). */
const LONGEST_ON_WIRE = 1522;

const COUNT = 4;
const LIST = 5;
const MTU = 6;
const REPORTER = 7;
const QUOTED = 8;
const IGNORED = 9;
const IGNORED_LIST = 10;
const STRIDE = 11;

/**
 * Paths of which an ICMP error said that packets are too big for them (RFC 1191, RFC 8201): a row is (segment, source,
 * destination) of the packets that the errors quote; addresses are rows of `Addresses`.
 */
export class PathMtus {
  private readonly table: KeyTable;
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);

  private readonly tooBigHeard: number;

  constructor(
    private readonly lists: FrameLists,
    /** Told after the 1st, 2nd, 4th … error of a row, and the 3rd, 7th, 15th … packet that pays no heed. */
    private readonly tell: (row: number) => void,
    settings: NetworkSettings = OWN_SETTINGS,
  ) {
    this.tooBigHeard = ns(settings.tooBigHeard);
    this.table = new KeyTable(
      STRIDE,
      MAX_PATHS,
      (row) => {
        this.lists.release(this.table.cells[row * STRIDE + LIST]);
        this.lists.release(this.table.cells[row * STRIDE + IGNORED_LIST]);
      },
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
      },
    );
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
    if (cells[at + COUNT] === 0) this.firsts[row] = frame.time;
    const count = ++cells[at + COUNT];
    cells[at + MTU] = mtu;
    cells[at + REPORTER] = reporter;
    cells[at + QUOTED] = quoted;
    this.lasts[row] = frame.time;
    const offset = frame.offsets[layer];
    const length = frame.limits[layer] - offset;
    cells[at + LIST] = this.lists.append(cells[at + LIST], frame.number, offset - frame.start, length);
    if ((count & (count - 1)) === 0 && this.table.evicted === 0) this.tell(row);
  }

  /**
   * A packet of `size` bytes that must not be fragmented; noted if it is as big as one that was refused more than a
   * second before. `layer` is its IP header.
   */
  sent(segment: number, source: number, destination: number, size: number, frame: Frame, layer: number): void {
    const row = this.find(segment, source, destination);
    if (row < 0 || frame.wireLength > LONGEST_ON_WIRE || frame.time - this.firsts[row] < this.tooBigHeard) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    if (size < cells[at + QUOTED] || size <= cells[at + MTU]) return;
    const offset = frame.offsets[layer];
    const length = frame.ends[layer] - offset;
    cells[at + IGNORED_LIST] = this.lists.append(cells[at + IGNORED_LIST], frame.number, offset - frame.start, length);
    const ignored = ++cells[at + IGNORED];
    if (ignored >= 3 && (ignored & (ignored + 1)) === 0 && this.table.evicted === 0) this.tell(row);
  }

  find(segment: number, source: number, destination: number): number {
    return this.table.find(segment, source, destination, 0);
  }

  get count(): number {
    return this.table.rowCount;
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
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

  /** Packets as big as the refused one, sent later. */
  ignoring(row: number): number {
    return this.table.cells[row * STRIDE + IGNORED];
  }

  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  /** The errors. */
  places(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  ignoringPlaces(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + IGNORED_LIST]);
  }
}
