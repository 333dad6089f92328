import type { Frame } from '../../wire/frame.js';
import { ipv4Destination } from '../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import type { Addresses } from '../addresses.js';
import type { Stations } from '../link/stations.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';

const MAX_ROWS = 1 << 14;
/** All bits of a row's number. With it V8 knows its range, and checks no sum or product of it for overflow. */
const ROW = MAX_ROWS - 1;
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
const STRIDE = 18;
/** Doubles of a row, behind its words. */
const DOUBLES = STRIDE / 2;
const FIRST = 6;
const LAST = 7;
const NUMBER = 8;

/**
 * Unicast that passes here without having been sent from here, to stations that are not heard meanwhile. A row is (segment,
 * destination) and describes the run of frames since the destination was last heard as a source, or paused a second.
 */
export class Unheard {
  private readonly table: KeyTable;

  constructor(
    private readonly stations: Stations,
    private readonly addresses: Addresses,
    private readonly lists: FrameLists,
    /** Told at the 64th, 128th … frame of a run, and at the end of a capture. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(STRIDE, MAX_ROWS, (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]));
  }

  /** A unicast frame from (hi, lo) to the station in row `to` that did not go out here; its packet is in `layer`. */
  observe(frame: Frame, layer: number, hi: number, lo: number, to: number): void {
    const known = this.stations.unheard(to);
    // A row is given to another station now and then, on either side: it is this one's only if both name each other.
    const isIts = known >= 0 && this.table.cells[(known & ROW) * STRIDE + STATION] === to;
    const row = (isIts ? known : this.row(to)) & ROW;
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    const heard = this.stations.sent(to);
    const { time } = frame;
    if (heard !== cells[at + HEARD] || time - doubles[double + LAST] > PAUSE_NS || cells[at + COUNT] === 0) {
      if (heard !== cells[at + HEARD]) cells[at + BETWEEN]++;
      cells[at + HEARD] = heard;
      cells[at + COUNT] = 1;
      cells[at + HI] = hi;
      cells[at + LO] = lo;
      doubles[double + FIRST] = time;
      doubles[double + LAST] = time;
      doubles[double + NUMBER] = frame.number;
      return;
    }
    doubles[double + LAST] = time;
    if (++cells[at + COUNT] >= LISTED_FROM) this.goesOn(frame, layer, row);
  }

  /** A run that is long enough to be kept in mind. */
  private goesOn(frame: Frame, layer: number, row: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    const count = cells[at + COUNT];
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
    return this.table.doubles[row * DOUBLES + FIRST];
  }

  last(row: number): number {
    return this.table.doubles[row * DOUBLES + LAST];
  }

  /** The first frame of the run and some later ones, with the bytes of their link header. */
  frames(row: number): Place[] {
    const listed = this.lists.read(this.table.cells[row * STRIDE + LIST]);
    const length = listed[0]?.length ?? 0;
    return [{ frame: this.table.doubles[row * DOUBLES + NUMBER], offset: 0, length }, ...listed];
  }

  /** The row of a station, which from now on names it. */
  private row(to: number): number {
    const { stations } = this;
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add(stations.segment(to), stations.hi(to), stations.lo(to), 0);
    const { cells } = this.table;
    if (this.table.rowCount + this.table.evicted !== before) cells[row * STRIDE + HEARD] = stations.sent(to);
    cells[row * STRIDE + STATION] = to;
    stations.keepUnheard(to, row);
    return row;
  }

  private destination({ view, kinds, offsets, readable }: Frame, layer: number): number {
    const kind = layer < readable ? kinds[layer] : Protocol.None;
    if (kind === Protocol.Ipv4) return this.addresses.ipv4(ipv4Destination(view, offsets[layer]));
    return kind === Protocol.Ipv6 ? this.addresses.ipv6(view, offsets[layer] + IPV6_DESTINATION) : -1;
  }
}
