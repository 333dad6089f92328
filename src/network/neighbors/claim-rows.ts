import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import type { Bindings } from './bindings.js';

const MAX_CLAIMS = 1 << 16;
/** Rows at hand, by hash of their key. */
const NEAR_BITS = 11;

/** The latest claimant, and its row of `Bindings`. */
export const HI = 4;
export const LO = 5;
export const BINDING = 6;
/** Bits of `Flag`. */
export const FLAGS = 7;
/** Times, as doubles: of the latest claim, the latest question and the latest question by unicast. */
export const LAST = 4;
export const REQUEST = 5;
export const REFRESH = 6;
/** Answers that nobody asked for. */
export const UNASKED = 14;
export const LIST = 15;
/** The answer to the latest question (as doubles, time and number of its frame), and whom it is for. */
export const REPLY_TIME = 8;
export const REPLY_FRAME = 9;
export const REPLY_HI = 20;
export const REPLY_LO = 21;
export const REPLY_OFFSET = 22;
export const REPLY_TO_HI = 23;
export const REPLY_TO_LO = 24;
/** The claimant before, and, as double, when it claimed last. */
export const OTHER_HI = 25;
export const OTHER_LO = 26;
export const CHANGES = 27;
export const SILENT_CHANGES = 28;
/** Who sends answers that nobody asked for; as double, the number of the frame with the first. */
export const UNASKED_HI = 29;
export const UNASKED_LO = 30;
export const OTHER_TIME = 16;
/** As double: when another station than the one before claimed the address. */
export const CHANGE_TIME = 17;
export const UNASKED_FRAME = 18;
/** As double: when the first claim in `LIST` was made. */
export const SINCE = 19;
export const STRIDE = 40;
export const DOUBLES = STRIDE / 2;

export const Flag = {
  /** Somebody claimed the address. */
  HasHolder: 1,
  /** Two stations claimed it against each other. */
  Contested: 2,
} as const;

/** What is known of each address, and what rules ask of it; `Claims` writes it. */
export abstract class ClaimRows {
  protected readonly table: KeyTable;
  /** The row found last for each hash: its key tells whether it is the right one. */
  private readonly near = new Int32Array(1 << NEAR_BITS);

  constructor(
    protected readonly bindings: Bindings,
    protected readonly lists: FrameLists,
  ) {
    this.table = new KeyTable(STRIDE, MAX_CLAIMS, (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]));
  }

  get count(): number {
    return this.table.rowCount;
  }

  /** Frames of the claims since the address was contested, with the answer that was contradicted. */
  frames(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  /** How often another station than the one before claimed the address, each time within a minute of the time before. */
  changes(row: number): number {
    return this.table.cells[row * STRIDE + CHANGES];
  }

  /** Those of them that did not begin with an announcement, as a takeover does. */
  silentChanges(row: number): number {
    return this.table.cells[row * STRIDE + SILENT_CHANGES];
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  address(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  /** MAC of the latest claimant. */
  hi(row: number): number {
    return this.table.cells[row * STRIDE + HI];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + LO];
  }

  /** Whether two stations claimed the address against each other. */
  isContested(segment: number, address: number): boolean {
    const row = this.find(segment, address);
    return row >= 0 && (this.table.cells[row * STRIDE + FLAGS] & Flag.Contested) !== 0;
  }

  /** `Frame.time` of the first of `frames`. */
  since(row: number): number {
    return this.table.doubles[row * DOUBLES + SINCE];
  }

  /** `Frame.time` of the first answer to the latest question, -Infinity if there is none. */
  answeredAt(row: number): number {
    return this.table.doubles[row * DOUBLES + REPLY_TIME];
  }

  /** Whether somebody asked who has the address, by broadcast. */
  wasAsked(row: number): boolean {
    return this.table.doubles[row * DOUBLES + REQUEST] !== Number.NEGATIVE_INFINITY;
  }

  /** `Frame.time` of the latest claim. */
  last(row: number): number {
    return this.table.doubles[row * DOUBLES + LAST];
  }

  /** `Frame.time` of the latest claim by the station that claimed the address before the latest claimant; -Infinity without one. */
  lastOfOther(row: number): number {
    return this.table.doubles[row * DOUBLES + OTHER_TIME];
  }

  /** `Frame.time` of the latest claim of an address, by whomever; -Infinity if nobody claimed it. */
  lastOf(segment: number, address: number): number {
    const row = this.find(segment, address);
    if (row < 0 || (this.table.cells[row * STRIDE + FLAGS] & Flag.HasHolder) === 0) return Number.NEGATIVE_INFINITY;
    return this.table.doubles[row * DOUBLES + LAST];
  }

  /** Whether more than one station claimed the address, at whatever times. */
  hadSeveral(segment: number, address: number): boolean {
    const row = this.find(segment, address);
    return row >= 0 && this.lastOfOther(row) !== Number.NEGATIVE_INFINITY;
  }

  /**
   * How often another station came to have the address, the latest time after `since`, and the one before was not heard with it again: a
   * container that is made anew gets another MAC. 0 where two claim it by turns.
   */
  replacements(segment: number, address: number, since: number): number {
    const row = this.find(segment, address);
    if (row < 0 || this.isContested(segment, address)) return 0;
    return this.table.doubles[row * DOUBLES + CHANGE_TIME] < since ? 0 : this.changes(row);
  }

  /** The latest claimant's binding, -1 if nobody claimed the address. */
  holder(segment: number, address: number): number {
    const row = this.find(segment, address);
    if (row < 0 || (this.table.cells[row * STRIDE + FLAGS] & Flag.HasHolder) === 0) return -1;
    const at = row * STRIDE;
    return this.bindings.find(segment, this.table.cells[at + HI], this.table.cells[at + LO], address);
  }

  /** The row of an address, -1 if it was neither claimed nor asked for. */
  protected find(segment: number, address: number): number {
    const row = this.near[slotOf(segment, address)];
    const { cells, rowCount } = this.table;
    if (cells[row * STRIDE + 1] === address && cells[row * STRIDE] === segment && row < rowCount) return row;
    return this.table.find(segment, address, 0, 0);
  }

  /** The row of an address, made if there is none. */
  protected row(segment: number, address: number): number {
    const row = this.near[slotOf(segment, address)];
    const { cells, rowCount } = this.table;
    if (cells[row * STRIDE + 1] === address && cells[row * STRIDE] === segment && row < rowCount) return row;
    return this.fetch(segment, address);
  }

  private fetch(segment: number, address: number): number {
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add(segment, address, 0, 0);
    if (this.table.rowCount + this.table.evicted !== before) {
      const { doubles } = this.table;
      const double = row * DOUBLES;
      doubles[double + REQUEST] = Number.NEGATIVE_INFINITY;
      doubles[double + REPLY_TIME] = Number.NEGATIVE_INFINITY;
      doubles[double + OTHER_TIME] = Number.NEGATIVE_INFINITY;
      doubles[double + REFRESH] = Number.NEGATIVE_INFINITY;
    }
    this.near[slotOf(segment, address)] = row;
    return row;
  }
}

function slotOf(segment: number, address: number): number {
  return Math.imul(address ^ (segment << 12), 0x9e3779b1) >>> (32 - NEAR_BITS);
}
