import { formatMac } from '../../wire/address.js';
import { Direction } from '../../wire/frame.js';
import { KeyTable } from '../rows/key-table.js';
import { RowIndex, spread } from '../rows/row-index.js';

const MAX_STATIONS = 1 << 17;
/** All bits of a row's number. With it V8 knows its range, and checks no sum or product of it for overflow. */
const ROW = MAX_STATIONS - 1;

const SENT = 4;
const DOUBLED = 5;
const RECEIVED = 6;
const FLAGS = 7;
/** Row and 1. */
const UNHEARD = 8;
const STRIDE = 9;
/** Rows at hand, by hash of their address. */
const NEAR_BITS = 13;

/** What else was seen of a station; bits of `Stations.traits`, above those of the directions. */
export const Trait = {
  /** A unicast frame of it went out and the same frame came in again: something reflects. */
  Reflected: 8,
  /**
   * Its frames went out, and later unicast of it came in that had not gone out: a macvlan parent in bridge mode sees
   * its children's unicast so (kernel: `macvlan_queue_xmit` in drivers/net/macvlan.c).
   */
  Inside: 16,
  /** It sent unicast to its own address. */
  ToItself: 32,
  /** It sent tunnelled Ethernet (VXLAN, Geneve). */
  Tunnels: 64,
  /** It announced itself from outside (RARP, gratuitous ARP) after it had been here, and nothing of it went out since: a guest that was moved. */
  MovedAway: 128,
} as const;

/**
 * MAC addresses per segment, as sources and as unicast destinations. A row whose `sent` is 0 was only written to.
 */
export class Stations {
  private readonly table = new KeyTable(STRIDE, MAX_STATIONS);
  private readonly bySegment = new RowIndex(this.table, (cells, at) => spread(cells[at]));
  private readonly byMac = new RowIndex(this.table, (cells, at) => spread(cells[at + 2]));
  /** The row found last for each hash: its key tells whether it is the right one. */
  private readonly near = new Int32Array(1 << NEAR_BITS);

  /** @param met told of each new row, as long as there is room */
  constructor(private readonly met: (row: number, hi: number, lo: number) => void = () => {}) {}

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  /** Counts a frame from this address and returns its row. */
  sends(segment: number, hi: number, lo: number, direction: Direction, isCopy: boolean): number {
    const row = this.row(segment, hi, lo) & ROW;
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + SENT]++;
    if (isCopy) cells[at + DOUBLED]++;
    cells[at + FLAGS] |= 1 << direction;
    if (direction === Direction.Out) cells[at + FLAGS] &= ~Trait.MovedAway;
    return row;
  }

  /** Notes a unicast frame to this address and returns its row. */
  receives(segment: number, hi: number, lo: number): number {
    const row = this.row(segment, hi, lo) & ROW;
    this.table.cells[row * STRIDE + RECEIVED] = 1;
    return row;
  }

  /** The row of an address, made if there is none. */
  private row(segment: number, hi: number, lo: number): number {
    const { near } = this;
    const slot = Math.imul(lo ^ (segment << 8), 0x9e3779b1) >>> (32 - NEAR_BITS);
    const row = near[slot] & ROW;
    const { cells, rowCount } = this.table;
    const at = row * STRIDE;
    if (cells[at + 2] === lo && cells[at + 1] === hi && cells[at] === segment && row < rowCount) return row;
    return this.fetch(segment, hi, lo, slot);
  }

  private fetch(segment: number, hi: number, lo: number, slot: number): number {
    const { rowCount } = this.table;
    const row = this.table.add(segment, hi, lo, 0);
    if (this.table.rowCount > rowCount) this.met(row, hi, lo);
    this.near[slot] = row;
    return row;
  }

  find(segment: number, hi: number, lo: number): number {
    return this.table.find(segment, hi, lo, 0);
  }

  /** The stations of a segment, the first 4096. */
  in(segment: number): number[] {
    return [...this.bySegment.rows(spread(segment))].filter((row) => this.segment(row) === segment);
  }

  /** The rows of a MAC address in whatever segments. */
  withMac(hi: number, lo: number): number[] {
    return [...this.byMac.rows(spread(lo))].filter((row) => this.lo(row) === lo && this.hi(row) === hi);
  }

  /** Row of `Unheard` that may be the station's, as `keepUnheard` said; -1 before. */
  unheard(row: number): number {
    return this.table.cells[row * STRIDE + UNHEARD] - 1;
  }

  keepUnheard(row: number, unheard: number): void {
    this.table.cells[row * STRIDE + UNHEARD] = unheard + 1;
  }

  /** Notes a bit of `Trait`. */
  note(row: number, trait: number): void {
    this.table.cells[row * STRIDE + FLAGS] |= trait;
  }

  /** Bits of `Trait` (and of the directions, below them). */
  traits(row: number): number {
    return this.table.cells[row * STRIDE + FLAGS];
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  hi(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  /** Frames from this address. */
  sent(row: number): number {
    return this.table.cells[row * STRIDE + SENT];
  }

  /** Those of them that were copies of a frame just seen. */
  doubled(row: number): number {
    return this.table.cells[row * STRIDE + DOUBLED];
  }

  /** Whether unicast frames to this address were seen. */
  wasWrittenTo(row: number): boolean {
    return this.table.cells[row * STRIDE + RECEIVED] !== 0;
  }

  /** Whether the capturing machine sent frames with this source. */
  sentOut(row: number): boolean {
    return (this.table.cells[row * STRIDE + FLAGS] & (1 << Direction.Out)) !== 0;
  }

  /** Whether frames with this source came in. */
  cameIn(row: number): boolean {
    return (this.table.cells[row * STRIDE + FLAGS] & (1 << Direction.In)) !== 0;
  }

  format(row: number): string {
    return formatMac(this.hi(row), this.lo(row));
  }
}
