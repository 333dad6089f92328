import type { Frame } from '../../wire/frame.js';
import { Icmpv6Type, icmpv6Flags, icmpv6Type, NdpOption, OPTION_VALUE, TARGET } from '../../wire/icmpv6.js';
import { DESTINATION, SOURCE } from '../../wire/ipv6.js';
import type { Addresses } from '../addresses.js';
import { longer } from '../rows/columns.js';
import type { Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import { type NetworkSettings, ns } from '../settings.js';

const MAX_HOLDERS = 1 << 14;

/** Flags of a neighbor advertisement, RFC 4861 section 4.4. */
const SOLICITED = 0x40;
const OVERRIDE = 0x20;

/** The first option in solicitations and advertisements (RFC 4861 sections 4.3, 4.4): its type, length, and hardware address. */
const OPTION = 24;
const OPTION_LENGTH = 8;

const HI = 4;
const LO = 5;
const OTHER_HI = 6;
const OTHER_LO = 7;
const CONTESTED = 8;
/** Of the latest solicited advertisement since the address was asked for: whom it was for, who sent it, and where its message lies. */
const ANSWER_TO = 9;
const ANSWER_HI = 10;
const ANSWER_LO = 11;
const ANSWER_OFFSET = 12;
/** Whether another station advertised it after that, its MAC, and the length of both messages. */
const DOUBLED = 13;
const SECOND_HI = 14;
const SECOND_LO = 15;
const LENGTH = 16;
const STRIDE = 17;

/** What happens to an IPv6 address; rows are those of `NeighborHolders`. */
export interface HolderListener {
  /** Another station has it now than (hi, lo), which had it before. */
  changed(row: number, hi: number, lo: number, frame: Frame, layer: number): void;
  /** Two stations answered one question for it, each with its own MAC. */
  doubled(row: number): void;
  /** The holder announces it to all nodes. */
  announced(row: number, time: number): void;
}

/**
 * Which station has an IPv6 address, as neighbor discovery tells: who solicits from it, and who advertises it as its own. An
 * advertisement that must not override what others know (flag O, RFC 4861 section 7.2.4) is a proxy's or of an anycast address
 * and tells nothing. A row is (segment, row of `Addresses`).
 */
export class NeighborHolders {
  private changes = new Float64Array(0);
  /** Time of that advertisement, and the numbers of its frame and of the one that contradicts it. */
  private answerTimes = new Float64Array(0);
  private answerFrames = new Float64Array(0);
  private secondFrames = new Float64Array(0);
  private readonly table = new KeyTable(STRIDE, MAX_HOLDERS, null, (capacity) => {
    this.changes = longer(this.changes, capacity);
    this.answerTimes = longer(this.answerTimes, capacity);
    this.answerFrames = longer(this.answerFrames, capacity);
    this.secondFrames = longer(this.secondFrames, capacity);
  });
  private readonly doubleAnswer: number;

  private readonly alternation: number;

  constructor(
    private readonly addresses: Addresses,
    settings: NetworkSettings,
    private readonly tell: HolderListener,
  ) {
    this.alternation = ns(settings.alternation);
    this.doubleAnswer = ns(settings.doubleAnswer);
  }

  /** Takes an ICMPv6 header in that is no copy; `ip` is the layer of the IPv6 header, (hi, lo) the source of the frame. */
  read(frame: Frame, layer: number, ip: number, segment: number, hi: number, lo: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const type = icmpv6Type(view, at);
    if (type !== Icmpv6Type.NeighborSolicitation && type !== Icmpv6Type.NeighborAdvertisement) return;
    if (type === Icmpv6Type.NeighborSolicitation) this.asked(segment, this.addresses.ipv6(view, at + TARGET));
    if (namesOther(frame, layer, hi, lo)) return;
    if (type === Icmpv6Type.NeighborSolicitation) {
      const source = frame.offsets[ip] + SOURCE;
      // From the unspecified address it only asks whether the target is free.
      if (view.getInt32(source) !== 0) this.claim(frame, layer, segment, this.addresses.ipv6(view, source), hi, lo);
    } else {
      const flags = icmpv6Flags(view, at);
      if ((flags & OVERRIDE) === 0) return;
      const row = this.claim(frame, layer, segment, this.addresses.ipv6(view, at + TARGET), hi, lo);
      if ((flags & SOLICITED) === 0) this.tell.announced(row, frame.time);
      else this.answer(row, this.addresses.ipv6(view, frame.offsets[ip] + DESTINATION), frame, layer, hi, lo);
    }
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  /** Row of `Addresses`. */
  address(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  hi(row: number): number {
    return this.table.cells[row * STRIDE + HI];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + LO];
  }

  /** Row of an address that a station said it has, -1 if none did. */
  find(segment: number, address: number): number {
    return this.table.find(segment, address, 0, 0);
  }

  isHeld(segment: number, address: number): boolean {
    return this.find(segment, address) >= 0;
  }

  /** Whether two stations had the address by turns within a minute. */
  isContested(segment: number, address: number): boolean {
    const row = this.table.find(segment, address, 0, 0);
    return row >= 0 && this.table.cells[row * STRIDE + CONTESTED] !== 0;
  }

  /** The station that answered first, and the one that contradicted it. */
  first(row: number): { hi: number; lo: number } {
    const { cells } = this.table;
    return { hi: cells[row * STRIDE + ANSWER_HI], lo: cells[row * STRIDE + ANSWER_LO] };
  }

  second(row: number): { hi: number; lo: number } {
    const { cells } = this.table;
    return { hi: cells[row * STRIDE + SECOND_HI], lo: cells[row * STRIDE + SECOND_LO] };
  }

  /** The two advertisements. */
  places(row: number): Place[] {
    const { cells } = this.table;
    const place = { offset: cells[row * STRIDE + ANSWER_OFFSET], length: cells[row * STRIDE + LENGTH] };
    return [this.answerFrames[row], this.secondFrames[row]].map((frame) => ({ frame, ...place }));
  }

  /** `Frame.time` of the first of them. */
  since(row: number): number {
    return this.answerTimes[row];
  }

  /** Somebody asks for the address: the answers that follow belong to this question. */
  private asked(segment: number, address: number): void {
    const row = this.table.find(segment, address, 0, 0);
    if (row >= 0 && this.table.cells[row * STRIDE + DOUBLED] === 0) this.table.cells[row * STRIDE + ANSWER_TO] = 0;
  }

  /** A solicited advertisement of the holder, to `asker`. */
  private answer(row: number, asker: number, frame: Frame, layer: number, hi: number, lo: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    // What was told stays: its frames are the finding's.
    if (cells[at + DOUBLED] !== 0) return;
    const isSecond = cells[at + ANSWER_TO] === asker + 1 && frame.time - this.answerTimes[row] <= this.doubleAnswer;
    if (isSecond && (cells[at + ANSWER_HI] !== hi || cells[at + ANSWER_LO] !== lo)) {
      cells[at + DOUBLED] = 1;
      cells[at + SECOND_HI] = hi;
      cells[at + SECOND_LO] = lo;
      this.secondFrames[row] = frame.number;
      this.tell.doubled(row);
      return;
    }
    if (isSecond) return;
    cells[at + ANSWER_TO] = asker + 1;
    cells[at + ANSWER_HI] = hi;
    cells[at + ANSWER_LO] = lo;
    cells[at + ANSWER_OFFSET] = frame.offsets[layer] - frame.start;
    cells[at + LENGTH] = frame.ends[layer] - frame.offsets[layer];
    this.answerTimes[row] = frame.time;
    this.answerFrames[row] = frame.number;
  }

  private claim(frame: Frame, layer: number, segment: number, address: number, hi: number, lo: number): number {
    const row = this.table.add(segment, address, 0, 0);
    const { cells } = this.table;
    const at = row * STRIDE;
    const [oldHi, oldLo] = [cells[at + HI], cells[at + LO]];
    if (oldHi === hi && oldLo === lo) return row;
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    if ((oldHi | oldLo) === 0) return row;
    const isBack = cells[at + OTHER_HI] === hi && cells[at + OTHER_LO] === lo;
    if (isBack && frame.time - this.changes[row] <= this.alternation) cells[at + CONTESTED] = 1;
    cells[at + OTHER_HI] = oldHi;
    cells[at + OTHER_LO] = oldLo;
    this.changes[row] = frame.time;
    this.tell.changed(row, oldHi, oldLo, frame, layer);
    return row;
  }
}

/** Whether the message gives another hardware address than its frame comes from, as a proxy or a bond does: nobody's claim. */
function namesOther({ view, offsets, ends }: Frame, layer: number, hi: number, lo: number): boolean {
  const at = offsets[layer] + OPTION;
  if (ends[layer] < at + OPTION_LENGTH) return false;
  const type = view.getUint8(at);
  if (type !== NdpOption.SourceLinkLayer && type !== NdpOption.TargetLinkLayer) return false;
  return view.getUint16(at + OPTION_VALUE) !== hi || view.getInt32(at + OPTION_VALUE + 2) !== lo;
}
