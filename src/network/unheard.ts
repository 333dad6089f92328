import type { Frame } from '../wire/frame.js';
import { ipv4Destination } from '../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION } from '../wire/ipv6.js';
import { Protocol } from '../wire/protocol.js';
import type { Addresses } from './addresses.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import type { Stations } from './stations.js';

const MAX_ROWS = 1 << 14;
/** Rows at hand, by the destination's last bytes: a power of two. */
const SLOTS = 1 << 10;
/** A longer pause between two frames ends a run. */
const PAUSE_NS = 1e9;
/** Frames of a run before its further ones are listed, and how many of them. */
const LISTED_FROM = 16;
const LISTED_TO = 32;
/** Frames of a run when it is told for the first time. */
const TOLD_FROM = 64;

const COUNT = 4;
const HEARD = 5;
const STATION = 6;
const BETWEEN = 7;
const HI = 8;
const LO = 9;
const LIST = 10;
const ADDRESS = 11;
const STRIDE = 12;

/**
 * Unicast that passes here without having been sent from here, to stations that are not heard meanwhile. A row is (segment,
 * destination) and describes the run of frames since the destination was last heard as a source, or paused a second.
 */
export class Unheard {
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private numbers = new Float64Array(0);
  private readonly table: KeyTable;
  /** Row + 1 by slot; whether it is the right one tells its key. */
  private readonly slots = new Int32Array(SLOTS);

  constructor(
    private readonly stations: Stations,
    private readonly addresses: Addresses,
    private readonly lists: FrameLists,
    /** Told at the 64th, 128th … frame of a run, and at the end of a capture. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_ROWS,
      (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
        this.numbers = longer(this.numbers, capacity);
      },
    );
  }

  /** A unicast frame from (hi, lo) to (hiTo, loTo) that did not go out here; its packet is in `layer`. */
  observe(frame: Frame, layer: number, segment: number, hi: number, lo: number, hiTo: number, loTo: number): void {
    const row = this.row(segment, hiTo, loTo);
    const { cells } = this.table;
    const at = row * STRIDE;
    const heard = this.stations.sent(cells[at + STATION]);
    const { time } = frame;
    if (heard !== cells[at + HEARD] || time - this.lasts[row] > PAUSE_NS || cells[at + COUNT] === 0) {
      if (heard !== cells[at + HEARD]) cells[at + BETWEEN]++;
      cells[at + HEARD] = heard;
      cells[at + COUNT] = 1;
      cells[at + HI] = hi;
      cells[at + LO] = lo;
      this.firsts[row] = time;
      this.lasts[row] = time;
      this.numbers[row] = frame.number;
      return;
    }
    const count = ++cells[at + COUNT];
    this.lasts[row] = time;
    if (count < LISTED_FROM) return;
    if (count === LISTED_FROM) {
      this.lists.release(cells[at + LIST]);
      cells[at + LIST] = 0;
      cells[at + ADDRESS] = this.destination(frame, layer);
    }
    if (count < LISTED_TO)
      cells[at + LIST] = this.lists.append(cells[at + LIST], frame.number, 0, frame.ends[0] - frame.start);
    else if (count >= TOLD_FROM && (count & (count - 1)) === 0) this.tell(row);
  }

  /** The capture ends: tells of the runs that go on. */
  finish(isOfCapture: (segment: number) => boolean): void {
    const { cells, rowCount } = this.table;
    for (let row = 0; row < rowCount; row++)
      if (cells[row * STRIDE + COUNT] >= TOLD_FROM && isOfCapture(cells[row * STRIDE])) this.tell(row);
  }

  get rowCount(): number {
    return this.table.rowCount;
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  /** The destination. */
  hi(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  /** Row of the destination in `Stations`. */
  station(row: number): number {
    return this.table.cells[row * STRIDE + STATION];
  }

  /** Who sent the first frame of the run. */
  senderHi(row: number): number {
    return this.table.cells[row * STRIDE + HI];
  }

  senderLo(row: number): number {
    return this.table.cells[row * STRIDE + LO];
  }

  /** Frames of the run. */
  frameCount(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** How often the destination spoke between two frames for it. */
  spokeBetween(row: number): number {
    return this.table.cells[row * STRIDE + BETWEEN];
  }

  /** Row of `Addresses` that a frame of the run was sent to, -1 where it is no IP packet. */
  address(row: number): number {
    return this.table.cells[row * STRIDE + ADDRESS];
  }

  /** `Frame.time` of the first and the last frame of the run. */
  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  /** The first frame of the run and some later ones, with the bytes of their link header. */
  frames(row: number): { frame: number; offset: number; length: number }[] {
    const listed = this.lists.read(this.table.cells[row * STRIDE + LIST]);
    const length = listed[0]?.length ?? 0;
    return [{ frame: this.numbers[row], offset: 0, length }, ...listed];
  }

  private row(segment: number, hiTo: number, loTo: number): number {
    const slot = (loTo ^ (loTo >>> 13) ^ segment) & (SLOTS - 1);
    const near = this.slots[slot] - 1;
    const { cells } = this.table;
    const at = near * STRIDE;
    if (near >= 0 && cells[at + 2] === loTo && cells[at + 1] === hiTo && cells[at] === segment) return near;
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add(segment, hiTo, loTo, 0);
    if (this.table.rowCount + this.table.evicted !== before) {
      this.stations.receives(segment, hiTo, loTo);
      const station = this.stations.find(segment, hiTo, loTo);
      this.table.cells[row * STRIDE + STATION] = station;
      this.table.cells[row * STRIDE + HEARD] = this.stations.sent(station);
    }
    this.slots[slot] = row + 1;
    return row;
  }

  private destination({ view, kinds, offsets, layerCount }: Frame, layer: number): number {
    const kind = layer < layerCount ? kinds[layer] : Protocol.None;
    if (kind === Protocol.Ipv4) return this.addresses.ipv4(ipv4Destination(view, offsets[layer]));
    return kind === Protocol.Ipv6 ? this.addresses.ipv6(view, offsets[layer] + IPV6_DESTINATION) : -1;
  }
}
