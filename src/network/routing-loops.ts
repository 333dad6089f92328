import type { Frame } from '../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE } from '../wire/ipv6.js';
import { Protocol } from '../wire/protocol.js';
import type { Addresses } from './addresses.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';

const MAX_LOOPS = 1 << 10;

const LIST = 4;
const DATAGRAMS = 5;
const SIGHTINGS = 6;
const SOURCE = 7;
const DESTINATION = 8;
const OTHERS = 9;
const TTL_FROM = 10;
const TTL_TO = 11;
const TOLD = 12;
const STRIDE = 13;

/** A station of a loop: upper 16 and lower 32 bits of its address; hi is 0xffff and lo -1 where it is not known. */
export interface LoopStation {
  readonly hi: number;
  readonly lo: number;
}

/**
 * Datagrams that a station sent a second time with a smaller TTL, three sightings at least: a row is (segment, two
 * stations that send them to each other), the one with the lower address first.
 */
export class RoutingLoops {
  private readonly table: KeyTable;
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);

  constructor(
    private readonly addresses: Addresses,
    private readonly lists: FrameLists,
    /** Told at the 1st, 2nd, 4th … datagram of a row. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_LOOPS,
      (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
      },
    );
  }

  /** The row of two stations; hi is -1 where one is not known. */
  row(segment: number, hi: number, lo: number, otherHi: number, otherLo: number): number {
    const here = hi & 0xffff;
    const there = otherHi & 0xffff;
    const isFirst = here < there || (here === there && lo >>> 0 <= otherLo >>> 0);
    return isFirst
      ? this.table.add(segment, (here << 16) | there, lo, otherLo)
      : this.table.add(segment, (there << 16) | here, otherLo, lo);
  }

  /** One more datagram goes round there: `a` and `b` are the numbers of the frames that had it before this one. */
  begins(row: number, frame: Frame, layer: number, ttl: number, time: number, a: number, b: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    const { view } = frame;
    const header = frame.offsets[layer];
    const isIpv4 = frame.kinds[layer] === Protocol.Ipv4;
    const destination = isIpv4
      ? this.addresses.ipv4(ipv4Destination(view, header))
      : this.addresses.ipv6(view, header + IPV6_DESTINATION);
    if (cells[at + DATAGRAMS] === 0) {
      this.firsts[row] = time;
      cells[at + SOURCE] = isIpv4
        ? this.addresses.ipv4(ipv4Source(view, header))
        : this.addresses.ipv6(view, header + IPV6_SOURCE);
      cells[at + DESTINATION] = destination;
      cells[at + TTL_FROM] = ttl;
      cells[at + TTL_TO] = ttl;
    } else if (cells[at + DESTINATION] !== destination) cells[at + OTHERS] = 1;
    cells[at + DATAGRAMS]++;
    cells[at + SIGHTINGS] += 2;
    this.list(row, frame, layer, a);
    this.list(row, frame, layer, b);
  }

  /** The datagram at hand is there again. */
  sighting(row: number, frame: Frame, layer: number, ttl: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + SIGHTINGS]++;
    cells[at + TTL_TO] = Math.min(cells[at + TTL_TO], ttl);
    this.lasts[row] = frame.time;
    this.list(row, frame, layer, frame.number);
    const datagrams = cells[at + DATAGRAMS];
    if (datagrams > cells[at + TOLD] && (datagrams & (datagrams - 1)) === 0 && this.table.evicted === 0) {
      cells[at + TOLD] = datagrams;
      this.tell(row);
    }
  }

  /** Tells of the loops in the segments that `isOfCapture` names as they stand at the end. */
  finish(isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++) if (isOfCapture(this.segment(row))) this.tell(row);
  }

  get count(): number {
    return this.table.rowCount;
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  /** The two stations; the second is null where only one way was seen and the capture tells no destination. */
  stations(row: number): [LoopStation, LoopStation | null] {
    const { cells } = this.table;
    const at = row * STRIDE;
    const first = { hi: cells[at + 1] >>> 16, lo: cells[at + 2] };
    const second = { hi: cells[at + 1] & 0xffff, lo: cells[at + 3] };
    return [first, second.hi === 0xffff ? null : second];
  }

  /** Different datagrams, and how often they were seen in all. */
  datagrams(row: number): number {
    return this.table.cells[row * STRIDE + DATAGRAMS];
  }

  sightings(row: number): number {
    return this.table.cells[row * STRIDE + SIGHTINGS];
  }

  /** Row of `Addresses`: sender and target of the first datagram. */
  source(row: number): number {
    return this.table.cells[row * STRIDE + SOURCE];
  }

  destination(row: number): number {
    return this.table.cells[row * STRIDE + DESTINATION];
  }

  /** Whether datagrams for other targets go round there too. */
  hasOthers(row: number): boolean {
    return this.table.cells[row * STRIDE + OTHERS] !== 0;
  }

  /** TTL (hop limit) of the first datagram when it was known to go round, and the smallest of all. */
  ttlFrom(row: number): number {
    return this.table.cells[row * STRIDE + TTL_FROM];
  }

  ttlTo(row: number): number {
    return this.table.cells[row * STRIDE + TTL_TO];
  }

  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  places(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  private list(row: number, frame: Frame, layer: number, number: number): void {
    const at = row * STRIDE + LIST;
    const offset = frame.offsets[layer];
    const list = this.table.cells[at];
    this.table.cells[at] = this.lists.append(list, number, offset - frame.start, frame.ends[layer] - offset);
  }
}
