import { type Bindings, Claim } from './bindings.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';

const MAX_CLAIMS = 1 << 16;

/** Two answers within this time of one request contradict each other (catalogue A4). */
const DOUBLE_ANSWER_NS = 2e9;
/** Claims that alternate A-B-A within this time contradict each other; one change is a move (catalogue A4, A8). */
const ALTERNATION_NS = 60e9;
/** Answers that nobody asked for, about an address that another station holds: one may be late, two are sent on purpose. */
const UNASKED_ANSWERS = 2;

const HI = 4;
const LO = 5;
const OTHER_HI = 6;
const OTHER_LO = 7;
const LIST = 8;
const CONTESTED = 9;
const REPLY_HI = 10;
const REPLY_LO = 11;
const REPLY_OFFSET = 12;
const HAS_HOLDER = 13;
const UNASKED = 14;
const CHANGES = 15;
const SILENT_CHANGES = 16;
/** Whom that answer is for. */
const REPLY_TO_HI = 17;
const REPLY_TO_LO = 18;
const STRIDE = 19;

export interface ClaimListener {
  contested(binding: number, rival: number, claim: number): void;
  doublyAnswered(binding: number, rival: number, claim: number): void;
  usurped(binding: number, rival: number, claim: number): void;
  /** The address of a row was claimed by (hi, lo) before, and is claimed by another station now. */
  changed(claim: number, hi: number, lo: number, frame: number, offset: number, length: number): void;
  /** The holder of a row's address announces it. */
  announced(claim: number): void;
}

/** Which station claims an address, per segment: rows are (segment, address), the latest claimant and the one before. */
export class Claims {
  /** Addresses that two stations claimed against each other. */
  contestedCount = 0;
  private readonly table: KeyTable;
  private lastClaims = new Float64Array(0);
  private otherClaims = new Float64Array(0);
  private requests = new Float64Array(0);
  private replyTimes = new Float64Array(0);
  private replyFrames = new Float64Array(0);
  private refreshes = new Float64Array(0);
  /** When another station than the one before claimed the address. */
  private changeTimes = new Float64Array(0);
  /** The first of the answers that nobody asked for, and who sends them. */
  private unaskedFrames = new Float64Array(0);
  private unaskedHis = new Float64Array(0);
  private unaskedLos = new Float64Array(0);

  constructor(
    private readonly bindings: Bindings,
    private readonly lists: FrameLists,
    private readonly tell: ClaimListener,
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_CLAIMS,
      (row) => this.lists.release(this.table.cells[row * STRIDE + LIST]),
      (capacity) => this.grow(capacity),
    );
  }

  /** Somebody asks for the address: the answers that follow belong to this request. */
  asked(segment: number, address: number, time: number): void {
    const row = this.row(segment, address);
    this.requests[row] = time;
    this.table.cells[row * STRIDE + UNASKED] = 0;
    this.replyTimes[row] = Number.NEGATIVE_INFINITY;
  }

  /** Somebody asks by unicast, to refresh what it knows: the answer is asked for. */
  refreshed(segment: number, address: number, time: number): void {
    const row = this.table.find(segment, address, 0, 0);
    if (row < 0) return;
    this.refreshes[row] = time;
    this.table.cells[row * STRIDE + UNASKED] = 0;
  }

  /** A station answers (toHi, toLo) what that did not ask. */
  unasked(
    segment: number,
    hi: number,
    lo: number,
    address: number,
    time: number,
    frame: number,
    offset: number,
    length: number,
    toHi: number,
    toLo: number,
  ): void {
    this.claim(segment, hi, lo, address, Claim.Reply, time, frame, offset, length, toHi, toLo);
    const row = this.table.find(segment, address, 0, 0);
    const at = row * STRIDE;
    const { cells } = this.table;
    // Without a request in the capture nothing shows that requests would be seen here.
    if (this.requests[row] === Number.NEGATIVE_INFINITY || time - this.refreshes[row] <= DOUBLE_ANSWER_NS) return;
    if (cells[at + UNASKED] === 0) {
      this.unaskedFrames[row] = frame;
      this.unaskedHis[row] = hi;
      this.unaskedLos[row] = lo;
    } else if (this.unaskedHis[row] !== hi || this.unaskedLos[row] !== lo) return;
    cells[at + UNASKED]++;
    if (cells[at + UNASKED] < UNASKED_ANSWERS || (cells[at + OTHER_HI] | cells[at + OTHER_LO]) === 0) return;
    const rival = this.bindings.find(segment, cells[at + OTHER_HI], cells[at + OTHER_LO], address);
    const binding = this.bindings.find(segment, hi, lo, address);
    if (rival < 0 || binding < 0 || rival === binding) return;
    if (cells[at + CONTESTED] === 0) {
      this.contest(row, binding, rival);
      this.list(row, this.unaskedFrames[row], offset, length);
      this.list(row, frame, offset, length);
    }
    this.tell.usurped(binding, rival, row);
  }

  /**
   * A station claims the address, with `claim` of `Claim`; `offset` names the header's bytes in the frame, (toHi, toLo) whom an
   * answer is for.
   */
  claim(
    segment: number,
    hi: number,
    lo: number,
    address: number,
    claim: number,
    time: number,
    frame: number,
    offset: number,
    length: number,
    toHi = 0,
    toLo = 0,
  ): void {
    const binding = this.bindings.claim(segment, hi, lo, address, claim);
    const row = this.row(segment, address);
    const { cells } = this.table;
    const at = row * STRIDE;
    let changed = false;
    if (claim === Claim.Reply) this.reply(row, binding, hi, lo, time, frame, offset, length, toHi, toLo);
    if (cells[at + HAS_HOLDER] === 0) {
      cells[at + HAS_HOLDER] = 1;
      cells[at + HI] = hi;
      cells[at + LO] = lo;
      this.otherClaims[row] = Number.NEGATIVE_INFINITY;
    } else if (cells[at + HI] !== hi || cells[at + LO] !== lo) {
      const returns = cells[at + OTHER_HI] === hi && cells[at + OTHER_LO] === lo;
      const rival = this.bindings.find(segment, cells[at + HI], cells[at + LO], address);
      const alternates = returns && time - this.otherClaims[row] <= ALTERNATION_NS;
      cells[at + OTHER_HI] = cells[at + HI];
      cells[at + OTHER_LO] = cells[at + LO];
      this.otherClaims[row] = this.lastClaims[row];
      cells[at + HI] = hi;
      cells[at + LO] = lo;
      changed = true;
      if (time - this.changeTimes[row] > ALTERNATION_NS) cells.fill(0, at + CHANGES, at + SILENT_CHANGES + 1);
      this.changeTimes[row] = time;
      cells[at + CHANGES]++;
      if (claim !== Claim.Announcement) cells[at + SILENT_CHANGES]++;
      if (alternates && rival >= 0) {
        this.contest(row, binding, rival);
        this.list(row, frame, offset, length);
        this.tell.contested(binding, rival, row);
      }
    }
    this.lastClaims[row] = time;
    if (changed) this.tell.changed(row, cells[at + OTHER_HI], cells[at + OTHER_LO], frame, offset, length);
    if (claim === Claim.Announcement) this.tell.announced(row);
  }

  /** Frames of the claims since the address was contested, with the answer that was contradicted. */
  frames(row: number): { frame: number; offset: number; length: number }[] {
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
    const row = this.table.find(segment, address, 0, 0);
    return row >= 0 && this.table.cells[row * STRIDE + CONTESTED] !== 0;
  }

  /** `Frame.time` of the latest claim. */
  last(row: number): number {
    return this.lastClaims[row];
  }

  /** `Frame.time` of the latest claim of an address, by whomever; -Infinity if nobody claimed it. */
  lastOf(segment: number, address: number): number {
    const row = this.table.find(segment, address, 0, 0);
    if (row < 0 || this.table.cells[row * STRIDE + HAS_HOLDER] === 0) return Number.NEGATIVE_INFINITY;
    return this.lastClaims[row];
  }

  /** The latest claimant's binding, -1 if nobody claimed the address. */
  holder(segment: number, address: number): number {
    const row = this.table.find(segment, address, 0, 0);
    if (row < 0 || this.table.cells[row * STRIDE + HAS_HOLDER] === 0) return -1;
    const at = row * STRIDE;
    return this.bindings.find(segment, this.table.cells[at + HI], this.table.cells[at + LO], address);
  }

  private reply(
    row: number,
    binding: number,
    hi: number,
    lo: number,
    time: number,
    frame: number,
    offset: number,
    length: number,
    toHi: number,
    toLo: number,
  ): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    const isSecond = time - this.requests[row] <= DOUBLE_ANSWER_NS && this.replyTimes[row] !== Number.NEGATIVE_INFINITY;
    if (cells[at + CONTESTED] !== 0) this.list(row, frame, offset, length);
    // An answer to another station is one to another question, which was not seen.
    const isToSame = cells[at + REPLY_TO_HI] === toHi && cells[at + REPLY_TO_LO] === toLo;
    if (isSecond && isToSame && (cells[at + REPLY_HI] !== hi || cells[at + REPLY_LO] !== lo)) {
      const rival = this.bindings.find(cells[at], cells[at + REPLY_HI], cells[at + REPLY_LO], cells[at + 1]);
      if (rival >= 0) {
        if (cells[at + CONTESTED] === 0) {
          this.contest(row, binding, rival);
          this.list(row, this.replyFrames[row], cells[at + REPLY_OFFSET], length);
          this.list(row, frame, offset, length);
        }
        this.tell.doublyAnswered(binding, rival, row);
      }
    }
    if (!isSecond) {
      cells[at + REPLY_HI] = hi;
      cells[at + REPLY_LO] = lo;
      cells[at + REPLY_OFFSET] = offset;
      cells[at + REPLY_TO_HI] = toHi;
      cells[at + REPLY_TO_LO] = toLo;
      this.replyTimes[row] = time;
      this.replyFrames[row] = frame;
    }
  }

  private contest(row: number, binding: number, rival: number): void {
    const at = row * STRIDE + CONTESTED;
    if (this.table.cells[at] === 0) this.contestedCount++;
    this.table.cells[at] = 1;
    this.bindings.contest(binding);
    this.bindings.contest(rival);
  }

  private list(row: number, frame: number, offset: number, length: number): void {
    const at = row * STRIDE + LIST;
    this.table.cells[at] = this.lists.append(this.table.cells[at], frame, offset, length);
  }

  private row(segment: number, address: number): number {
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add(segment, address, 0, 0);
    if (this.table.rowCount + this.table.evicted !== before) {
      this.requests[row] = Number.NEGATIVE_INFINITY;
      this.replyTimes[row] = Number.NEGATIVE_INFINITY;
      this.otherClaims[row] = Number.NEGATIVE_INFINITY;
      this.refreshes[row] = Number.NEGATIVE_INFINITY;
    }
    return row;
  }

  private grow(capacity: number): void {
    this.lastClaims = longer(this.lastClaims, capacity);
    this.otherClaims = longer(this.otherClaims, capacity);
    this.requests = longer(this.requests, capacity);
    this.replyTimes = longer(this.replyTimes, capacity);
    this.replyFrames = longer(this.replyFrames, capacity);
    this.refreshes = longer(this.refreshes, capacity);
    this.changeTimes = longer(this.changeTimes, capacity);
    this.unaskedFrames = longer(this.unaskedFrames, capacity);
    this.unaskedHis = longer(this.unaskedHis, capacity);
    this.unaskedLos = longer(this.unaskedLos, capacity);
  }
}
