import type { Frame } from '../../wire/frame.js';
import { ipv4Destination, ipv4Source } from '../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import type { Addresses } from '../addresses.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { COUNT, FIRST, LIST, OWN, Sightings } from '../rows/sightings.js';

const MAX_LOOPS = 1 << 10;

const DATAGRAMS = OWN;
const SOURCE = OWN + 1;
const DESTINATION = OWN + 2;
const OTHERS = OWN + 3;
const SMALLEST_TTL = OWN + 4;
const TOLD = OWN + 5;
const STRIDE = OWN + 6;
const DOUBLES = STRIDE / 2;

/** A station of a loop: upper 16 and lower 32 bits of its address; hi is 0xffff and lo -1 where it is not known. */
export interface LoopStation {
  readonly hi: number;
  readonly lo: number;
}

/**
 * Datagrams that a station sent a second time with a smaller TTL, three sightings at least: a row is (segment, two
 * stations that send them to each other), the one with the lower address first.
 */
export class RoutingLoops extends Sightings {
  constructor(
    private readonly addresses: Addresses,
    lists: FrameLists,
    /** Told at the 1st, 2nd, 4th … datagram of a row. */
    private readonly tell: (row: number) => void,
  ) {
    super(lists, STRIDE, MAX_LOOPS);
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
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const { view } = frame;
    const header = frame.offsets[layer];
    const isIpv4 = frame.kinds[layer] === Protocol.Ipv4;
    const destination = isIpv4
      ? this.addresses.ipv4(ipv4Destination(view, header))
      : this.addresses.ipv6(view, header + IPV6_DESTINATION);
    if (cells[at + DATAGRAMS] === 0) {
      doubles[row * DOUBLES + FIRST] = time;
      cells[at + SOURCE] = isIpv4
        ? this.addresses.ipv4(ipv4Source(view, header))
        : this.addresses.ipv6(view, header + IPV6_SOURCE);
      cells[at + DESTINATION] = destination;
      cells[at + SMALLEST_TTL] = ttl;
    } else if (cells[at + DESTINATION] !== destination) cells[at + OTHERS] = 1;
    cells[at + DATAGRAMS]++;
    cells[at + COUNT] += 2;
    this.before(row, frame, layer, a);
    this.before(row, frame, layer, b);
  }

  /** The datagram at hand is there again. */
  sighting(row: number, frame: Frame, layer: number, ttl: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + SMALLEST_TTL] = Math.min(cells[at + SMALLEST_TTL], ttl);
    this.sight(row, frame, layer);
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
    return this.table.cells[row * STRIDE + COUNT];
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

  /** The smallest TTL (hop limit) that a datagram was seen with. */
  smallestTtl(row: number): number {
    return this.table.cells[row * STRIDE + SMALLEST_TTL];
  }

  /** An earlier frame, of this number, had the same header in the same place. */
  private before(row: number, frame: Frame, layer: number, number: number): void {
    const { cells } = this.table;
    const list = row * STRIDE + LIST;
    const offset = frame.offsets[layer];
    cells[list] = this.lists.append(cells[list], number, offset - frame.start, frame.ends[layer] - offset);
  }
}
