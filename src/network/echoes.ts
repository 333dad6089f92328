import type { Frame } from '../wire/frame.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';

const MAX_ECHOES = 1 << 13;

const SIZE = 4;
const REQUESTS = 5;
const REPLIES = 6;
const HI = 7;
const LO = 8;
const LIST = 9;
const ID = 10;
const STRIDE = 11;

const ROW = 4;
const LATEST_STRIDE = 5;

/**
 * Pings: how many echo requests of one size from one host to another were seen, and how many replies. A row is (segment,
 * identifier, source, destination, size of the IP packet in bytes); addresses are rows of `Addresses`. Sizes stand for
 * the requests that a reply answers, for it gives back what it got.
 */
export class Echoes {
  private readonly table: KeyTable;
  /** Row of the latest request of (segment, source, destination, identifier). */
  private readonly latest = new KeyTable(LATEST_STRIDE, MAX_ECHOES);
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);

  constructor(
    private readonly lists: FrameLists,
    /** Told at the 4th, 8th, 16th … request of a row without any reply. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_ECHOES,
      (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
      },
    );
  }

  /** A request to the hardware address (hi, lo); `layer` is its ICMP header. */
  request(
    segment: number,
    id: number,
    source: number,
    destination: number,
    size: number,
    hi: number,
    lo: number,
    frame: Frame,
    layer: number,
  ): void {
    const row = this.row(segment, id, source, destination, size);
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + REQUESTS] === 0) this.firsts[row] = frame.time;
    const requests = ++cells[at + REQUESTS];
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    this.lasts[row] = frame.time;
    const offset = frame.offsets[layer];
    const length = frame.ends[layer] - offset;
    cells[at + LIST] = this.lists.append(cells[at + LIST], frame.number, offset - frame.start, length);
    this.latest.cells[this.latest.add(segment, source, destination, id) * LATEST_STRIDE + ROW] = row;
    const isTime = requests >= 4 && (requests & (requests - 1)) === 0;
    if (isTime && cells[at + REPLIES] === 0 && this.table.evicted === 0) this.tell(row);
  }

  /** A reply, from `destination` back to `source`. Some hosts answer a long request with a short reply. */
  reply(segment: number, id: number, source: number, destination: number, size: number): void {
    let row = this.table.find(segment, source, destination, (id << 16) | size);
    if (row < 0) {
      const latest = this.latest.find(segment, source, destination, id);
      row =
        latest < 0 ? this.row(segment, id, source, destination, size) : this.latest.cells[latest * LATEST_STRIDE + ROW];
    }
    this.table.cells[row * STRIDE + REPLIES]++;
  }

  get count(): number {
    return this.table.rowCount;
  }

  get evicted(): number {
    return this.table.evicted;
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

  identifier(row: number): number {
    return this.table.cells[row * STRIDE + ID];
  }

  /** Length of the IP packet in bytes. */
  size(row: number): number {
    return this.table.cells[row * STRIDE + SIZE];
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
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  /** The requests as evidence. */
  places(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  private row(segment: number, id: number, source: number, destination: number, size: number): number {
    // Identifier and size share a word: IP packets have at most 65535 bytes.
    const row = this.table.add(segment, source, destination, (id << 16) | size);
    const at = row * STRIDE;
    this.table.cells[at + SIZE] = size;
    this.table.cells[at + ID] = id;
    return row;
  }
}
