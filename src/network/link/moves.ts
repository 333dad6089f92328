import type { Frame } from '../../wire/frame.js';
import { longer } from '../rows/columns.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';

/** Families of addresses, as the tables' keys have them. */
export const IPV4 = 0;
export const IPV6 = 1;

const MAX_MOVES = 1 << 12;
const MAX_SENDERS = 1 << 13;
/** Frames of the old holder that were under way when the new one spoke, and sightings of one frame at several ports (catalogue 3.4). */
const UNDER_WAY_NS = 50e6;
/** On one link an answer takes no longer (ns); what comes later is as likely a packet of its own. */
const ANSWER_NS = 100e6;

/** Columns of a move behind its key (segment, address, family). */
const OLD_HI = 4;
const OLD_LO = 5;
const NEW_HI = 6;
const NEW_LO = 7;
const ALIVE = 8;
const FORWARDS = 9;
const ANNOUNCED = 10;
const ERA = 11;
const OFFSET = 12;
const LENGTH = 13;
const MOVE_STRIDE = 14;

/** Columns of a sender behind its key (segment, address, MAC of the sender; the family stands above the MAC's upper half). */
const OF_ERA = 4;
const WRONG = 5;
const RIGHT = 6;
const ANSWERED = 7;
const LIST = 8;
const SENDER_STRIDE = 9;

/**
 * Addresses that changed from one station to another, as ARP or neighbor discovery told (rows of `moves`, by segment, address and
 * family), and who goes on sending packets for them to the old one (rows of `senders`, by segment, address and MAC). Addresses are
 * signed integers in family `IPV4`, rows of `Addresses` in `IPV6`. Costs nothing until an address moves.
 */
export class Moves {
  /** Latest change, what is counted since (a change or an announcement), and frame of the first claim of the new holder. */
  private changes = new Float64Array(0);
  private sinces = new Float64Array(0);
  private frames = new Float64Array(0);
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);
  private era = 0;
  private readonly moves = new KeyTable(MOVE_STRIDE, MAX_MOVES, null, (capacity) => {
    this.changes = longer(this.changes, capacity);
    this.sinces = longer(this.sinces, capacity);
    this.frames = longer(this.frames, capacity);
  });
  private readonly senders: KeyTable;

  constructor(
    private readonly lists: FrameLists,
    /** Told at the 2nd, 4th, 8th … packet that a sender sends to the old holder. Row of `senders`. */
    private readonly tell: (sender: number) => void,
  ) {
    this.senders = new KeyTable(
      SENDER_STRIDE,
      MAX_SENDERS,
      (row) => lists.release(this.of(row, LIST)),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
      },
    );
  }

  /** IPv6 addresses that moved, at least once. */
  ipv6Count = 0;

  /** Addresses that moved. */
  get count(): number {
    return this.moves.rowCount;
  }

  get senderCount(): number {
    return this.senders.rowCount;
  }

  /** A station claims an address that another one had. */
  change(
    segment: number,
    family: number,
    address: number,
    oldHi: number,
    oldLo: number,
    newHi: number,
    newLo: number,
    time: number,
    frame: number,
    offset: number,
    length: number,
  ): void {
    const row = this.moves.add(segment, address, family, 0);
    if (family === IPV6) this.ipv6Count++;
    const { cells } = this.moves;
    const at = row * MOVE_STRIDE;
    cells[at + OLD_HI] = oldHi;
    cells[at + OLD_LO] = oldLo;
    cells[at + NEW_HI] = newHi;
    cells[at + NEW_LO] = newLo;
    cells[at + ALIVE] = 0;
    cells[at + FORWARDS] = 0;
    cells[at + ANNOUNCED] = 0;
    cells[at + ERA] = ++this.era;
    cells[at + OFFSET] = offset;
    cells[at + LENGTH] = length;
    this.changes[row] = time;
    this.sinces[row] = time;
    this.frames[row] = frame;
  }

  /** The holder announces the address: whoever goes on sending to the old one did not hear, or does not learn. */
  announce(segment: number, family: number, address: number, hi: number, lo: number, time: number): void {
    const row = this.moves.find(segment, address, family, 0);
    if (row < 0 || !this.isAt(row, NEW_HI, hi, lo)) return;
    const at = row * MOVE_STRIDE;
    this.moves.cells[at + ANNOUNCED] = 1;
    this.moves.cells[at + ERA] = ++this.era;
    this.sinces[row] = time;
  }

  /** A unicast IP packet in a frame from (hi, lo) to (hiTo, loTo); its header is at `layer`. */
  packet(
    frame: Frame,
    layer: number,
    segment: number,
    family: number,
    source: number,
    destination: number,
    hi: number,
    lo: number,
    hiTo: number,
    loTo: number,
  ): void {
    const to = this.moves.find(segment, destination, family, 0);
    if (to >= 0) {
      if (this.isAt(to, OLD_HI, hiTo, loTo)) this.toOld(frame, layer, to, hi, lo);
      else if (this.isAt(to, NEW_HI, hiTo, loTo)) {
        if (this.isAt(to, OLD_HI, hi, lo)) this.moves.cells[to * MOVE_STRIDE + FORWARDS] = 1;
        const sender = this.senders.find(segment, destination, hi | (family << 16), lo);
        if (sender >= 0) this.senders.cells[sender * SENDER_STRIDE + RIGHT]++;
      }
    }
    const from = this.moves.find(segment, source, family, 0);
    if (from < 0) return;
    if (this.isAt(from, OLD_HI, hi, lo)) {
      if (frame.time - this.changes[from] > UNDER_WAY_NS) this.moves.cells[from * MOVE_STRIDE + ALIVE]++;
      return;
    }
    const asker = this.senders.find(segment, source, hiTo | (family << 16), loTo);
    if (asker >= 0 && frame.time - this.lasts[asker] < ANSWER_NS)
      this.senders.cells[asker * SENDER_STRIDE + ANSWERED]++;
  }

  /** The move that a sender did not take notice of, -1 if there was another since. */
  moveOf(sender: number): number {
    const { cells } = this.senders;
    const at = sender * SENDER_STRIDE;
    const row = this.moves.find(cells[at], cells[at + 1], cells[at + 2] >>> 16, 0);
    return row >= 0 && this.moves.cells[row * MOVE_STRIDE + ERA] === cells[at + OF_ERA] ? row : -1;
  }

  segment(sender: number): number {
    return this.of(sender, 0);
  }

  /** `IPV4` or `IPV6`. */
  family(sender: number): number {
    return this.of(sender, 2) >>> 16;
  }

  /** The address that moved. */
  address(sender: number): number {
    return this.of(sender, 1);
  }

  hi(sender: number): number {
    return this.of(sender, 2) & 0xffff;
  }

  lo(sender: number): number {
    return this.of(sender, 3);
  }

  /** Packets that it sent to the old holder since. */
  wrong(sender: number): number {
    return this.of(sender, WRONG);
  }

  /** Packets that it sent to the new one, after the first wrong one. */
  right(sender: number): number {
    return this.of(sender, RIGHT);
  }

  /** Packets that came from the address just after a wrong one. */
  answered(sender: number): number {
    return this.of(sender, ANSWERED);
  }

  /** `Frame.time` of the first and last wrong packet. */
  first(sender: number): number {
    return this.firsts[sender];
  }

  last(sender: number): number {
    return this.lasts[sender];
  }

  /** The wrong packets. */
  places(sender: number): Place[] {
    return this.lists.read(this.of(sender, LIST));
  }

  /** MAC of the old holder, and of the new one. */
  oldMac(move: number): [hi: number, lo: number] {
    const at = move * MOVE_STRIDE;
    return [this.moves.cells[at + OLD_HI], this.moves.cells[at + OLD_LO]];
  }

  newMac(move: number): [hi: number, lo: number] {
    const at = move * MOVE_STRIDE;
    return [this.moves.cells[at + NEW_HI], this.moves.cells[at + NEW_LO]];
  }

  /** `Frame.time` of the change, or of the latest announcement after it. */
  since(move: number): number {
    return this.sinces[move];
  }

  /** Packets with this source address that the old holder sent after the change. */
  alive(move: number): number {
    return this.moves.cells[move * MOVE_STRIDE + ALIVE];
  }

  /** Whether the old holder passes packets for the address on to the new one. */
  forwards(move: number): boolean {
    return this.moves.cells[move * MOVE_STRIDE + FORWARDS] !== 0;
  }

  /** Whether the new holder announced the address. */
  wasAnnounced(move: number): boolean {
    return this.moves.cells[move * MOVE_STRIDE + ANNOUNCED] !== 0;
  }

  /** The first claim of the new holder. */
  place(move: number): Place {
    const at = move * MOVE_STRIDE;
    const { cells } = this.moves;
    return { frame: this.frames[move], offset: cells[at + OFFSET], length: cells[at + LENGTH] };
  }

  private toOld(frame: Frame, layer: number, move: number, hi: number, lo: number): void {
    const { cells } = this.moves;
    const at = move * MOVE_STRIDE;
    if (frame.time < this.sinces[move]) return;
    const row = this.senders.add(cells[at], cells[at + 1], hi | (cells[at + 2] << 16), lo);
    const sender = row * SENDER_STRIDE;
    const own = this.senders.cells;
    if (own[sender + OF_ERA] !== cells[at + ERA]) {
      this.lists.release(own[sender + LIST]);
      own.fill(0, sender + OF_ERA, sender + SENDER_STRIDE);
      own[sender + OF_ERA] = cells[at + ERA];
      this.firsts[row] = frame.time;
    }
    this.lasts[row] = frame.time;
    const offset = frame.offsets[layer];
    const length = frame.ends[layer] - offset;
    own[sender + LIST] = this.lists.append(own[sender + LIST], frame.number, offset - frame.start, length);
    const count = ++own[sender + WRONG];
    if (count > 1 && (count & (count - 1)) === 0) this.tell(row);
  }

  private isAt(move: number, column: number, hi: number, lo: number): boolean {
    const at = move * MOVE_STRIDE + column;
    return this.moves.cells[at] === hi && this.moves.cells[at + 1] === lo;
  }

  private of(sender: number, column: number): number {
    return this.senders.cells[sender * SENDER_STRIDE + column];
  }
}
