import type { Frame } from '../wire/frame.js';
import type { Addresses } from './addresses.js';
import { IPV6 } from './flow-rows.js';
import { type FrameLists, MAX_LISTED } from './frame-lists.js';
import { KEY_WORDS, KeyTable } from './key-table.js';

const MAX_ECHOES = 1 << 13;

const REQUESTS = 4;
const REPLIES = 5;
const HI = 6;
const LO = 7;
const LIST = 8;
/** Times, as doubles counted from the beginning of the row. */
const FIRST = 5;
const LAST = 6;
const STRIDE = 16;
const DOUBLES = STRIDE / 2;

const LATEST_STRIDE = KEY_WORDS + 1;

/**
 * Pings: how many echo requests of one size from one host to another were seen, and how many replies. A row is (place,
 * source, destination, identifier and size of the IP packet in bytes). `place` is the segment, and `IPV6` if the addresses
 * are rows of `Addresses`; IPv4 addresses stand for themselves. Sizes stand for the requests that a reply answers, for it
 * gives back what it got.
 */
export class Echoes {
  private readonly table: KeyTable;
  /** Row of the latest request of (place, source, destination, identifier), of those that `Pings` knows nothing of. */
  private readonly latest = new KeyTable(LATEST_STRIDE, MAX_ECHOES);

  constructor(
    private readonly addresses: Addresses,
    private readonly lists: FrameLists,
    /** Told at the 4th, 8th, 16th … request of a row without any reply. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(STRIDE, MAX_ECHOES, (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]));
  }

  /**
   * A request to the hardware address (hi, lo); `layer` is its ICMP header. `hint` is the row of the ping's request before,
   * or -1. Returns the row.
   */
  request(
    hint: number,
    place: number,
    id: number,
    source: number,
    destination: number,
    size: number,
    hi: number,
    lo: number,
    frame: Frame,
    layer: number,
  ): number {
    const isSame = hint >= 0 && this.isOf(hint, place, source, destination, (id << 16) | size);
    const row = isSame ? hint : this.table.add(place, source, destination, (id << 16) | size);
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const requests = ++cells[at + REQUESTS];
    if (requests === 1) doubles[row * DOUBLES + FIRST] = frame.time;
    doubles[row * DOUBLES + LAST] = frame.time;
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    if (requests <= MAX_LISTED) {
      const offset = frame.offsets[layer];
      const length = frame.ends[layer] - offset;
      cells[at + LIST] = this.lists.append(cells[at + LIST], frame.number, offset - frame.start, length);
    }
    const isTime = requests >= 4 && (requests & (requests - 1)) === 0;
    if (isTime && cells[at + REPLIES] === 0 && this.table.evicted === 0) this.tell(row);
    return row;
  }

  /** Notes the row of the latest request of a ping that has no row in `Pings`. */
  remember(place: number, source: number, destination: number, id: number, row: number): void {
    const latest = this.latest.add(place, source, destination, id);
    this.latest.cells[latest * LATEST_STRIDE + KEY_WORDS] = row;
  }

  /**
   * A reply, from `destination` back to `source`; `hint` is the row of the ping's latest request, or -1. Some hosts answer a
   * long request with a short reply.
   */
  reply(hint: number, place: number, id: number, source: number, destination: number, size: number): void {
    const isSame = hint >= 0 && this.isOf(hint, place, source, destination, (id << 16) | size);
    const row = isSame ? hint : this.answered(hint, place, id, source, destination, size);
    this.table.cells[row * STRIDE + REPLIES]++;
  }

  /** The row of a reply that is not as long as the latest request. */
  private answered(hint: number, place: number, id: number, source: number, destination: number, size: number): number {
    const row = this.table.find(place, source, destination, (id << 16) | size);
    if (row >= 0) return row;
    if (hint >= 0) {
      const asked = this.table.cells[hint * STRIDE + 3] & 0xffff;
      if (this.isOf(hint, place, source, destination, (id << 16) | asked)) return hint;
    }
    const latest = this.latest.find(place, source, destination, id);
    if (latest >= 0) return this.latest.cells[latest * LATEST_STRIDE + KEY_WORDS];
    return this.table.add(place, source, destination, (id << 16) | size);
  }

  /** Whether a row has this key: it may have been given up since it was noted. */
  private isOf(row: number, place: number, source: number, destination: number, idAndSize: number): boolean {
    const { cells } = this.table;
    const at = row * STRIDE;
    return (
      cells[at] === place && cells[at + 1] === source && cells[at + 2] === destination && cells[at + 3] === idAndSize
    );
  }

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE] & ~IPV6;
  }

  /** Rows of `Addresses`. */
  source(row: number): number {
    return this.addressAt(row, 1);
  }

  destination(row: number): number {
    return this.addressAt(row, 2);
  }

  identifier(row: number): number {
    return this.table.cells[row * STRIDE + 3] >>> 16;
  }

  /** Length of the IP packet in bytes. */
  size(row: number): number {
    return this.table.cells[row * STRIDE + 3] & 0xffff;
  }

  requests(row: number): number {
    return this.table.cells[row * STRIDE + REQUESTS];
  }

  replies(row: number): number {
    return this.table.cells[row * STRIDE + REPLIES];
  }

  /** Hardware address that the latest request was sent to; hi is -1 where the capture does not tell. */
  hi(row: number): number {
    return this.table.cells[row * STRIDE + HI];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + LO];
  }

  first(row: number): number {
    return this.table.doubles[row * DOUBLES + FIRST];
  }

  last(row: number): number {
    return this.table.doubles[row * DOUBLES + LAST];
  }

  /** The requests as evidence. */
  places(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  private addressAt(row: number, word: number): number {
    const { cells } = this.table;
    const at = row * STRIDE;
    return (cells[at] & IPV6) === 0 ? this.addresses.ipv4(cells[at + word]) : cells[at + word];
  }
}
