import type { Frame } from '../wire/frame.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';

const MAX_SENDERS = 1 << 12;

const COUNT = 4;
const LIST = 5;
/** Row of `Addresses` of the first sender address that is not 0, plus 1. */
const SPA = 6;
/** `Frame.time` of the first and the latest, as doubles. */
const FIRST = 4;
const LAST = 5;
const STRIDE = 12;
const DOUBLES = STRIDE / 2;

/** ARP whose sender hardware address is not the source of its frame (catalogue A11). A row is (segment, sha, source). */
export class ArpSenders {
  private readonly table: KeyTable;

  constructor(
    private readonly lists: FrameLists,
    /** Told at the 1st, 2nd, 4th, 8th … packet of a row. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(STRIDE, MAX_SENDERS, (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]));
  }

  /** The ARP header in `layer` says (hi, lo), its frame comes from (hiFrom, loFrom). `spa`: row of `Addresses`, -1 for 0.0.0.0. */
  note(
    frame: Frame,
    layer: number,
    segment: number,
    hi: number,
    lo: number,
    hiFrom: number,
    loFrom: number,
    spa: number,
  ): void {
    const row = this.table.add(segment, (hi << 16) | hiFrom, lo, loFrom);
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const count = ++cells[at + COUNT];
    if (count === 1) doubles[row * DOUBLES + FIRST] = frame.time;
    doubles[row * DOUBLES + LAST] = frame.time;
    if (cells[at + SPA] === 0) cells[at + SPA] = spa + 1;
    cells[at + LIST] = this.lists.appendHeader(cells[at + LIST], frame, layer);
    if ((count & (count - 1)) === 0) this.tell(row);
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  /** Sender hardware address. */
  hi(row: number): number {
    return this.table.cells[row * STRIDE + 1] >>> 16;
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  /** Source of the frames. */
  sourceHi(row: number): number {
    return this.table.cells[row * STRIDE + 1] & 0xffff;
  }

  sourceLo(row: number): number {
    return this.table.cells[row * STRIDE + 3];
  }

  /** Packets, copies not counted. */
  count(row: number): number {
    return this.table.cells[row * STRIDE + COUNT];
  }

  /** Row of `Addresses`: the first sender address, -1 if all were 0.0.0.0. */
  spa(row: number): number {
    return this.table.cells[row * STRIDE + SPA] - 1;
  }

  first(row: number): number {
    return this.table.doubles[row * DOUBLES + FIRST];
  }

  last(row: number): number {
    return this.table.doubles[row * DOUBLES + LAST];
  }

  frames(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }
}
