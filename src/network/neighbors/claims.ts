import type { Frame } from '../../wire/frame.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { type NetworkSettings, ns } from '../settings.js';
import { type Bindings, Claim, claimAgain } from './bindings.js';
import {
  BINDING,
  CHANGE_TIME,
  CHANGES,
  ClaimRows,
  DOUBLES,
  FLAGS,
  Flag,
  HI,
  LAST,
  LIST,
  LO,
  OTHER_HI,
  OTHER_LO,
  OTHER_TIME,
  REFRESH,
  REPLY_FRAME,
  REPLY_HI,
  REPLY_LO,
  REPLY_OFFSET,
  REPLY_TIME,
  REPLY_TO_HI,
  REPLY_TO_LO,
  REQUEST,
  SILENT_CHANGES,
  SINCE,
  STRIDE,
  UNASKED,
  UNASKED_FRAME,
  UNASKED_HI,
  UNASKED_LO,
} from './claim-rows.js';
import { Takeovers } from './takeovers.js';

export interface ClaimListener {
  contested(binding: number, rival: number, claim: number): void;
  doublyAnswered(binding: number, rival: number, claim: number): void;
  usurped(binding: number, rival: number, claim: number): void;
  disregarded(binding: number, rival: number, claim: number, times: number): void;
  /** The address of a row was claimed by (hi, lo) before, and is claimed by another station now. */
  changed(claim: number, hi: number, lo: number, frame: number, offset: number, length: number): void;
  /** The holder of a row's address announces it. */
  announced(claim: number): void;
}

/** Which station claims an address, per segment: rows are (segment, address), the latest claimant and the one before. */
export class Claims extends ClaimRows {
  /** Addresses that two stations claimed against each other. */
  contestedCount = 0;
  readonly takeovers: Takeovers;
  private readonly doubleAnswer: number;
  private readonly alternation: number;
  /** Answers that nobody asked for, about an address that another station holds. */
  private readonly unaskedAnswers: number;

  constructor(
    bindings: Bindings,
    lists: FrameLists,
    settings: NetworkSettings,
    private readonly tell: ClaimListener,
  ) {
    super(bindings, lists);
    this.takeovers = new Takeovers(bindings, lists);
    this.doubleAnswer = ns(settings.doubleAnswer);
    this.alternation = ns(settings.alternation);
    this.unaskedAnswers = settings.unaskedAnswers;
  }

  /** Whether packets are to be counted, by whom they come from and where they go: of contested addresses, and of such as were taken over. */
  get countsPackets(): boolean {
    return this.contestedCount > 0 || this.takeovers.count > 0;
  }

  /** Somebody asks for the address: the answers that follow belong to this request. */
  asked(segment: number, address: number, { time }: Frame): void {
    const row = this.row(segment, address);
    const { cells, doubles } = this.table;
    doubles[row * DOUBLES + REQUEST] = time;
    doubles[row * DOUBLES + REPLY_TIME] = Number.NEGATIVE_INFINITY;
    cells[row * STRIDE + UNASKED] = 0;
  }

  /** Somebody asks by unicast, to refresh what it knows: the answer is asked for. */
  refreshed(segment: number, address: number, { time }: Frame): void {
    const row = this.find(segment, address);
    if (row < 0) return;
    this.table.doubles[row * DOUBLES + REFRESH] = time;
    this.table.cells[row * STRIDE + UNASKED] = 0;
  }

  /**
   * A station answers (toHi, toLo) what that did not ask. `isHeard`: other packets of who is answered are seen here. Returns the
   * claim's binding.
   */
  unasked(
    segment: number,
    hi: number,
    lo: number,
    address: number,
    frame: Frame,
    layer: number,
    toHi: number,
    toLo: number,
    isHeard: boolean,
  ): number {
    const binding = this.claim(segment, hi, lo, address, Claim.Reply, frame, layer, toHi, toLo);
    const row = this.find(segment, address);
    const { doubles } = this.table;
    const double = row * DOUBLES;
    // Without a request in the capture, nor anything else of who is answered, nothing shows that requests would be seen here.
    if ((this.wasAsked(row) || isHeard) && frame.time - doubles[double + REFRESH] > this.doubleAnswer)
      this.imposed(row, binding, hi, lo, frame, layer);
    return binding;
  }

  /**
   * A station claims the address, with `claim` of `Claim`, in `layer` of the frame; (toHi, toLo) is whom an answer is for.
   * Returns the row of `Bindings`.
   */
  claim(
    segment: number,
    hi: number,
    lo: number,
    address: number,
    claim: number,
    frame: Frame,
    layer: number,
    toHi: number,
    toLo: number,
  ): number {
    const row = this.row(segment, address);
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const isHolder = cells[at + HI] === hi && cells[at + LO] === lo && (cells[at + FLAGS] & Flag.HasHolder) !== 0;
    const binding = isHolder
      ? claimAgain(this.bindings, cells[at + BINDING], segment, hi, lo, address, claim)
      : this.bindings.claim(segment, hi, lo, address, claim);
    if (claim === Claim.Reply) this.reply(row, binding, hi, lo, frame, layer, toHi, toLo);
    if (isHolder) {
      cells[at + BINDING] = binding;
      doubles[row * DOUBLES + LAST] = frame.time;
      if (claim === Claim.Announcement && (cells[at + OTHER_HI] | cells[at + OTHER_LO]) !== 0)
        this.announcedAgain(row, binding, frame, layer);
    } else this.change(row, binding, hi, lo, claim, frame, layer);
    if (claim === Claim.Announcement) this.tell.announced(row);
    return binding;
  }

  /** Another station than before claims the address, or the first. */
  private change(
    row: number,
    binding: number,
    hi: number,
    lo: number,
    claim: number,
    frame: Frame,
    layer: number,
  ): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    const { time } = frame;
    const [beforeHi, beforeLo] = [cells[at + HI], cells[at + LO]];
    const isFirst = (cells[at + FLAGS] & Flag.HasHolder) === 0;
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    cells[at + BINDING] = binding;
    cells[at + FLAGS] |= Flag.HasHolder;
    if (!isFirst) {
      const returns = cells[at + OTHER_HI] === hi && cells[at + OTHER_LO] === lo;
      const rival = this.bindings.find(cells[at], beforeHi, beforeLo, cells[at + 1]);
      const alternates = returns && time - doubles[double + OTHER_TIME] <= this.alternation;
      cells[at + OTHER_HI] = beforeHi;
      cells[at + OTHER_LO] = beforeLo;
      doubles[double + OTHER_TIME] = doubles[double + LAST];
      if (time - doubles[double + CHANGE_TIME] > this.alternation) cells.fill(0, at + CHANGES, at + SILENT_CHANGES + 1);
      doubles[double + CHANGE_TIME] = time;
      cells[at + CHANGES]++;
      if (claim !== Claim.Announcement) cells[at + SILENT_CHANGES]++;
      if (alternates && rival >= 0) {
        this.contest(row, binding, rival, time);
        this.list(row, frame, layer);
        this.tell.contested(binding, rival, row);
      }
    }
    doubles[double + LAST] = time;
    if (isFirst) return;
    const offset = frame.offsets[layer];
    const length = frame.ends[layer] - offset;
    this.tell.changed(row, beforeHi, beforeLo, frame.number, offset - frame.start, length);
  }

  /** Who took the address over announces it once more: does the former holder go on sending from it? */
  private announcedAgain(row: number, binding: number, frame: Frame, layer: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    const rival = this.bindings.find(cells[at], cells[at + OTHER_HI], cells[at + OTHER_LO], cells[at + 1]);
    if (rival < 0 || rival === binding) return;
    const times = this.takeovers.announced(row, binding, rival, frame, layer);
    if (times > 0) this.tell.disregarded(binding, rival, row, times);
  }

  /** One more answer that nobody asked for, while another station holds the address. */
  private imposed(row: number, binding: number, hi: number, lo: number, frame: Frame, layer: number): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    if (cells[at + UNASKED] === 0) {
      doubles[row * DOUBLES + UNASKED_FRAME] = frame.number;
      if ((cells[at + FLAGS] & Flag.Contested) === 0) doubles[row * DOUBLES + SINCE] = frame.time;
      cells[at + UNASKED_HI] = hi;
      cells[at + UNASKED_LO] = lo;
    } else if (cells[at + UNASKED_HI] !== hi || cells[at + UNASKED_LO] !== lo) return;
    cells[at + UNASKED]++;
    if (cells[at + UNASKED] < this.unaskedAnswers) return;
    const isClaimed = (cells[at + OTHER_HI] | cells[at + OTHER_LO]) !== 0;
    const rival = isClaimed
      ? this.bindings.find(cells[at], cells[at + OTHER_HI], cells[at + OTHER_LO], cells[at + 1])
      : this.speaker(row, hi, lo);
    if (rival < 0 || rival === binding) return;
    if ((cells[at + FLAGS] & Flag.Contested) === 0) {
      this.contest(row, binding, rival, doubles[row * DOUBLES + SINCE]);
      this.listAs(row, doubles[row * DOUBLES + UNASKED_FRAME], frame.offsets[layer] - frame.start, frame, layer);
      this.list(row, frame, layer);
    }
    this.tell.usurped(binding, rival, row);
  }

  /** Another station that sends packets from the address, though it never claimed it here. Row of `Bindings`, -1 if there is none. */
  private speaker(row: number, hi: number, lo: number): number {
    const { bindings } = this;
    const found = bindings
      .of(this.segment(row), this.address(row))
      .find(
        (each) =>
          (bindings.claims(each) & Claim.Source) !== 0 && (bindings.lo(each) !== lo || bindings.hi(each) !== hi),
      );
    return found ?? -1;
  }

  private reply(
    row: number,
    binding: number,
    hi: number,
    lo: number,
    frame: Frame,
    layer: number,
    toHi: number,
    toLo: number,
  ): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const double = row * DOUBLES;
    const { time } = frame;
    if ((cells[at + FLAGS] & Flag.Contested) !== 0) this.list(row, frame, layer);
    const isAnswered = doubles[double + REPLY_TIME] !== Number.NEGATIVE_INFINITY;
    if (isAnswered && time - doubles[double + REQUEST] <= this.doubleAnswer) {
      // An answer to another station is one to another question, which was not seen.
      const isToSame = cells[at + REPLY_TO_HI] === toHi && cells[at + REPLY_TO_LO] === toLo;
      if (isToSame && (cells[at + REPLY_HI] !== hi || cells[at + REPLY_LO] !== lo))
        this.contradict(row, binding, frame, layer);
      return;
    }
    cells[at + REPLY_HI] = hi;
    cells[at + REPLY_LO] = lo;
    cells[at + REPLY_OFFSET] = frame.offsets[layer] - frame.start;
    cells[at + REPLY_TO_HI] = toHi;
    cells[at + REPLY_TO_LO] = toLo;
    doubles[double + REPLY_TIME] = time;
    doubles[double + REPLY_FRAME] = frame.number;
  }

  /** A second station answers the latest question. */
  private contradict(row: number, binding: number, frame: Frame, layer: number): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const rival = this.bindings.find(cells[at], cells[at + REPLY_HI], cells[at + REPLY_LO], cells[at + 1]);
    if (rival < 0) return;
    if ((cells[at + FLAGS] & Flag.Contested) === 0) {
      this.contest(row, binding, rival, doubles[row * DOUBLES + REPLY_TIME]);
      this.listAs(row, doubles[row * DOUBLES + REPLY_FRAME], cells[at + REPLY_OFFSET], frame, layer);
      this.list(row, frame, layer);
    }
    this.tell.doublyAnswered(binding, rival, row);
  }

  /** From now on the address is contested, unless it was; `since` is the time of the first claim that is listed. */
  private contest(row: number, binding: number, rival: number, since: number): void {
    const at = row * STRIDE + FLAGS;
    if ((this.table.cells[at] & Flag.Contested) === 0) {
      this.contestedCount++;
      this.table.cells[at] |= Flag.Contested;
      this.table.doubles[row * DOUBLES + SINCE] = since;
    }
    this.bindings.contest(binding);
    this.bindings.contest(rival);
  }

  private list(row: number, frame: Frame, layer: number): void {
    this.listAs(row, frame.number, frame.offsets[layer] - frame.start, frame, layer);
  }

  /** Lists the frame with this number, whose header is as long as that of `frame`. */
  private listAs(row: number, number: number, offset: number, frame: Frame, layer: number): void {
    const { cells } = this.table;
    const at = row * STRIDE + LIST;
    cells[at] = this.lists.append(cells[at], number, offset, frame.ends[layer] - frame.offsets[layer]);
  }
}
