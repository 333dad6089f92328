import type { Frame } from '../wire/frame.js';
import { Protocol } from '../wire/protocol.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';
import {
  AGAIN,
  ANSWERED,
  AROUND,
  AROUND_LIST,
  DIRECTION,
  EARLY,
  ERRORS,
  FREE,
  GAPS,
  HEAD,
  HI,
  HOPS,
  LIST,
  LO,
  LONGEST,
  LOST,
  LOST_RUN,
  MAX_PINGS,
  PATIENCE_NS,
  PingRows,
  REPLIES,
  REPLY_HI,
  REPLY_LO,
  REQUESTS,
  RING,
  RUN,
  STRANGE,
  STRANGE_LIST,
  STRANGER,
  STRIDE,
  TOLD,
} from './ping-rows.js';

/** Sightings of one sequence number closer than this are one request: seen at two hops, reflected, looped. */
const SAME_REQUEST_NS = 200e6;
/** A reply may stand this long before its request where several interfaces share a capture. */
const EARLY_NS = 10e6;

/**
 * Echo requests and their replies: a row is (segment, source, destination, identifier), one run of `ping`; addresses
 * are rows of `Addresses`. (`Echoes` tells sizes apart; here it is sequence numbers.)
 */
export class Pings extends PingRows {
  /** Row of the latest ping of (segment, source, identifier), whomever it is for. */
  private readonly byIdentifier = new KeyTable(5, MAX_PINGS);

  constructor(
    lists: FrameLists,
    private readonly tell: {
      /** The 2nd, 4th, 8th … request is known to be lost, or the capture ended. Row of `pings`. */
      lost(row: number): void;
      /** A reply came from an address that was not asked, for the 1st, 2nd, 4th … time. Row of `pings`. */
      strange(row: number): void;
    },
  ) {
    super(lists);
  }

  /** A request to the hardware address (hi, lo), with `hops` as TTL or hop limit; `layer` is its ICMP header. */
  request(
    segment: number,
    source: number,
    destination: number,
    id: number,
    sequence: number,
    hops: number,
    hi: number,
    lo: number,
    frame: Frame,
    layer: number,
  ): void {
    const before = this.table.rowCount + this.table.evicted;
    const row = this.table.add(segment, source, destination, id);
    if (this.table.rowCount + this.table.evicted !== before) this.start(row);
    const { cells } = this.table;
    const { time } = frame;
    const at = row * STRIDE;
    const waiting = this.slotOf(row, sequence);
    if (waiting >= 0 && Math.abs(time - this.times[waiting]) < SAME_REQUEST_NS) {
      cells[at + DIRECTION] |= AGAIN;
      return;
    }
    if (cells[at + REQUESTS]++ === 0) this.firsts[row] = time;
    this.lasts[row] = time;
    cells[at + HOPS] = hops;
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    cells[at + DIRECTION] |= 1 << frame.direction;
    const known = this.byIdentifier.add(segment, source, id, 0);
    this.byIdentifier.cells[known * 5 + 4] = row;
    const slot = row * RING + cells[at + HEAD];
    cells[at + HEAD] = (cells[at + HEAD] + 1) % RING;
    this.leave(row, slot, time);
    const isEarly = cells[at + EARLY] === sequence && time - this.earlyTimes[row] <= EARLY_NS;
    this.sequences[slot] = isEarly ? ANSWERED : sequence;
    this.times[slot] = time;
    this.frames[slot] = frame.number;
    this.offsets[slot] = frame.offsets[layer] - frame.start;
  }

  /** A reply, from `destination` back to `source`; `layer` is its ICMP header. */
  reply(
    segment: number,
    source: number,
    destination: number,
    id: number,
    sequence: number,
    frame: Frame,
    layer: number,
  ): void {
    let row = this.table.find(segment, source, destination, id);
    if (row < 0) {
      if (this.fromStranger(segment, source, destination, id, sequence, frame)) return;
      // The request was seen at another port, perhaps.
      row = this.table.add(segment, source, destination, id);
      this.start(row);
    }
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + REPLIES]++;
    const slot = this.slotOf(row, sequence);
    if (slot >= 0) {
      this.sequences[slot] = ANSWERED;
      if (cells[at + HI] >= 0) this.comparePath(row, slot, frame, layer);
    } else {
      cells[at + EARLY] = sequence;
      this.earlyTimes[row] = frame.time;
    }
  }

  /** An ICMP error that quotes a request. */
  refused(segment: number, source: number, destination: number, id: number, sequence: number): void {
    const row = this.table.find(segment, source, destination, id);
    if (row < 0) return;
    this.table.cells[row * STRIDE + ERRORS]++;
    const slot = this.slotOf(row, sequence);
    if (slot >= 0) this.sequences[slot] = ANSWERED;
  }

  /** Tells of all pings in the segments that `isOfCapture` names that lack replies, or lacked some before. */
  finish(isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++) {
      const { cells } = this.table;
      if (!isOfCapture(this.segment(row))) continue;
      if (cells[row * STRIDE + TOLD] !== 0 || cells[row * STRIDE + REPLIES] < cells[row * STRIDE + REQUESTS])
        this.tell.lost(row);
    }
  }

  /** Counts a reply to the request in a slot if it came from another hardware address than requests go to. */
  private comparePath(row: number, slot: number, frame: Frame, layer: number): void {
    let link = layer - 1;
    while (link > 0 && frame.kinds[link] !== Protocol.Ethernet) link--;
    if (frame.kinds[link] !== Protocol.Ethernet) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    const hi = frame.view.getUint16(frame.offsets[link] + 6);
    const lo = frame.view.getInt32(frame.offsets[link] + 8);
    if (cells[at + HI] === hi && cells[at + LO] === lo) return;
    cells[at + REPLY_HI] = hi;
    cells[at + REPLY_LO] = lo;
    cells[at + AROUND]++;
    const list = this.lists.append(cells[at + AROUND_LIST], this.frames[slot], this.offsets[slot], 8);
    cells[at + AROUND_LIST] = this.lists.append(list, frame.number, frame.offsets[layer] - frame.start, 8);
  }

  private start(row: number): void {
    this.sequences.fill(FREE, row * RING, (row + 1) * RING);
    this.table.cells[row * STRIDE + EARLY] = FREE;
    this.earlyTimes[row] = Number.NEGATIVE_INFINITY;
  }

  /** Slot of the latest waiting request with this sequence number, -1 if there is none. */
  private slotOf(row: number, sequence: number): number {
    const head = this.table.cells[row * STRIDE + HEAD];
    for (let i = 1; i <= RING; i++) {
      const slot = row * RING + ((head - i + RING) % RING);
      if (this.sequences[slot] === sequence) return slot;
    }
    return -1;
  }

  /** What is in a slot makes room: a request that still waits is lost if it waited long enough. */
  private leave(row: number, slot: number, time: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    const sequence = this.sequences[slot];
    if (sequence === FREE) return;
    if (sequence === ANSWERED) {
      cells[at + LOST_RUN] = 0;
      return;
    }
    if (time - this.times[slot] < PATIENCE_NS) return;
    const lost = ++cells[at + LOST];
    cells[at + LONGEST] = Math.max(cells[at + LONGEST], ++cells[at + LOST_RUN]);
    if (cells[at + LOST_RUN] === RUN) cells[at + GAPS]++;
    cells[at + LIST] = this.lists.append(cells[at + LIST], this.frames[slot], this.offsets[slot], 8);
    if (lost >= RUN && (lost & (lost - 1)) === 0) {
      cells[at + TOLD] = 1;
      this.tell.lost(row);
    }
  }

  /** A reply from an address that was not asked: to a request that waits, sent to somebody else. */
  private fromStranger(
    segment: number,
    source: number,
    replier: number,
    id: number,
    sequence: number,
    frame: Frame,
  ): boolean {
    const found = this.byIdentifier.find(segment, source, id, 0);
    if (found < 0) return false;
    const row = this.byIdentifier.cells[found * 5 + 4];
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at] !== segment || cells[at + 1] !== source || cells[at + 3] !== id) return false;
    const slot = this.slotOf(row, sequence);
    if (slot < 0 || frame.time - this.times[slot] > PATIENCE_NS) return false;
    this.sequences[slot] = ANSWERED;
    cells[at + STRANGER] = replier;
    const count = ++cells[at + STRANGE];
    this.strangeTimes[row] = frame.time;
    let list = this.lists.append(cells[at + STRANGE_LIST], this.frames[slot], this.offsets[slot], 8);
    list = this.lists.append(list, frame.number, this.offsets[slot], 8);
    cells[at + STRANGE_LIST] = list;
    if ((count & (count - 1)) === 0) this.tell.strange(row);
    return true;
  }
}
