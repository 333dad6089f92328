import type { Frame } from '../../wire/frame.js';
import type { Addresses } from '../addresses.js';
import { IPV6 } from '../flows/flow-rows.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { KEY_WORDS, KeyTable } from '../rows/key-table.js';
import { RowIndex, spreadPair } from '../rows/row-index.js';
import { COUNT, OWN, Sightings } from '../rows/sightings.js';

const MAX_ECHOES = 1 << 13;

const REPLIES = OWN;
const HI = OWN + 1;
const LO = OWN + 2;
const STRIDE = OWN + 4;

const LATEST_STRIDE = KEY_WORDS + 1;

/**
 * Pings: how many echo requests of one size from one host to another were seen, and how many replies. A row is (place,
 * source, destination, identifier and size of the IP packet in bytes). `place` is the segment, and `IPV6` if the addresses
 * are rows of `Addresses`; IPv4 addresses stand for themselves. Sizes stand for the requests that a reply answers, for it
 * gives back what it got.
 */
export class Echoes extends Sightings {
  /** Row of the latest request of (place, source, destination, identifier), of those that `Pings` knows nothing of. */
  private readonly latest = new KeyTable(LATEST_STRIDE, MAX_ECHOES);
  /** By both addresses, whichever is the source. */
  private readonly byPair = new RowIndex(this.table, (cells, at) => spreadPair(cells[at + 1], cells[at + 2]));

  constructor(
    private readonly addresses: Addresses,
    lists: FrameLists,
    /** Told at the 4th, 8th, 16th … request of a row without any reply. */
    private readonly tell: (row: number) => void,
  ) {
    super(lists, STRIDE, MAX_ECHOES);
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
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    const requests = this.sight(row, frame, layer);
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

  /** Rows of pings between the two hosts of a row, either way, itself included. */
  between(row: number): number[] {
    const { cells } = this.table;
    const at = row * STRIDE;
    const [place, source, destination] = [cells[at], cells[at + 1], cells[at + 2]];
    return [...this.byPair.rows(spreadPair(source, destination))].filter((other) => {
      const from = cells[other * STRIDE + 1];
      const to = cells[other * STRIDE + 2];
      const isSame = (from === source && to === destination) || (from === destination && to === source);
      return isSame && cells[other * STRIDE] === place;
    });
  }

  override segment(row: number): number {
    return this.table.cells[row * STRIDE] & ~IPV6;
  }

  /** Rows of `Addresses`. */
  source(row: number): number {
    return this.addressAt(row, 1);
  }

  destination(row: number): number {
    return this.addressAt(row, 2);
  }

  /** Length of the IP packet in bytes. */
  size(row: number): number {
    return this.table.cells[row * STRIDE + 3] & 0xffff;
  }

  requests(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
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

  private addressAt(row: number, word: number): number {
    const { cells } = this.table;
    const at = row * STRIDE;
    return (cells[at] & IPV6) === 0 ? this.addresses.ipv4(cells[at + word]) : cells[at + word];
  }
}
