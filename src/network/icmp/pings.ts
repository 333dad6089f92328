import { sourceMac } from '../../wire/beneath.js';
import type { Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import { isToOtherHost } from '../../wire/sll.js';
import type { Addresses } from '../addresses.js';
import { SAME_REQUEST_NS } from '../neighbors/same-request.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { KEY_WORDS, KeyTable } from '../rows/key-table.js';
import type { NetworkSettings } from '../settings.js';
import { MAX_PINGS } from './ping-facts.js';
import {
  AGAIN,
  ANSWERED,
  AROUND,
  AROUND_LIST,
  DIRECTION,
  DOUBLES,
  EARLY,
  EARLY_TIME,
  ECHO,
  ERRORS,
  FIRST,
  FIRST_SEQUENCE,
  FOR_OTHER,
  FRAME,
  GAPS,
  HI,
  HOPS,
  KNOWN,
  LAST,
  LIST,
  LO,
  LONGEST,
  LOST,
  LOST_RUN,
  OFFSET,
  REPLIES,
  REPLY_HI,
  REPLY_LO,
  REQUESTS,
  SLOT,
  SLOT_DOUBLES,
  STRANGE,
  STRANGE_LIST,
  STRANGE_TIME,
  STRANGER,
  STRIDE,
  TIME,
  TOLD,
  TUNNELLED,
  WAITING,
} from './ping-layout.js';
import { PingRows, RING, RUN } from './ping-rows.js';

/** A reply may stand this long before its request where several interfaces share a capture. */
const EARLY_NS = 10e6;

/** Words of a row by identifier: its key, and the row of the ping. */
const KNOWN_STRIDE = KEY_WORDS + 1;

/**
 * Echo requests and their replies, one run of `ping` a row. (`Echoes` tells sizes apart; here it is sequence numbers.)
 * `place` is the segment, and `IPV6` if the addresses are rows of `Addresses`; else they are IPv4 addresses.
 */
export class Pings extends PingRows {
  /** Row of the latest ping of (place, source, identifier), whomever it is for. */
  private readonly byIdentifier = new KeyTable(KNOWN_STRIDE, MAX_PINGS);

  constructor(
    addresses: Addresses,
    lists: FrameLists,
    doubleLists: FrameLists,
    settings: NetworkSettings,
    private readonly tell: {
      /** The 2nd, 4th, 8th … request is known to be lost, or the capture ended. Row of `pings`. */
      lost(row: number): void;
      /** The 1st, 2nd, 4th … reply came; `layer` is its ICMP header. Row of `pings`. */
      answered(row: number, frame: Frame, layer: number): void;
      /** A reply came from an address that was not asked, for the 1st, 2nd, 4th … time. Row of `pings`. */
      strange(row: number): void;
    },
  ) {
    super(addresses, lists, doubleLists, settings);
  }

  /** The row of a ping, -1 if none of its requests or replies was seen. */
  find(place: number, source: number, destination: number, id: number): number {
    return this.table.find(place, source, destination, id);
  }

  /** Row of `Echoes` that the latest request of a ping was counted in, -1 if there is none. It may be given up meanwhile. */
  echo(row: number): number {
    return this.table.cells[row * STRIDE + ECHO] - 1;
  }

  setEcho(row: number, echo: number): void {
    this.table.cells[row * STRIDE + ECHO] = echo + 1;
  }

  /**
   * A request to the hardware address (hi, lo), with `hops` as TTL or hop limit; `layer` is its ICMP header. Returns its
   * row.
   */
  request(
    place: number,
    source: number,
    destination: number,
    id: number,
    sequence: number,
    hops: number,
    hi: number,
    lo: number,
    frame: Frame,
    layer: number,
  ): number {
    const row = this.table.add(place, source, destination, id);
    const { cells, doubles } = this.table;
    const { ring, ringDoubles } = this;
    const { time } = frame;
    const at = row * STRIDE;
    if (cells[at + WAITING] > 0) {
      const waiting = this.slotOf(row, sequence);
      if (waiting >= 0 && Math.abs(time - ringDoubles[waiting * SLOT_DOUBLES + TIME]) < SAME_REQUEST_NS) {
        cells[at + DIRECTION] |= AGAIN;
        return row;
      }
    }
    const requests = cells[at + REQUESTS];
    const slot = row * RING + (requests & (RING - 1));
    if (requests === 0) {
      doubles[row * DOUBLES + FIRST] = time;
      cells[at + FIRST_SEQUENCE] = sequence;
    }
    doubles[row * DOUBLES + LAST] = time;
    cells[at + REQUESTS] = requests + 1;
    cells[at + HOPS] = hops;
    cells[at + HI] = hi;
    cells[at + LO] = lo;
    cells[at + DIRECTION] |=
      (1 << frame.direction) | (isToOtherHost(frame) ? FOR_OTHER : 0) | (isTunnelled(frame, layer) ? TUNNELLED : 0);
    this.remember(row, place, source, id);
    if (requests >= RING) this.leave(row, slot, time);
    const isEarly = cells[at + EARLY] === sequence + 1 && time - doubles[row * DOUBLES + EARLY_TIME] <= EARLY_NS;
    if (!isEarly) cells[at + WAITING]++;
    ring[slot * SLOT] = isEarly ? ANSWERED : sequence;
    ring[slot * SLOT + OFFSET] = frame.offsets[layer] - frame.start;
    ringDoubles[slot * SLOT_DOUBLES + TIME] = time;
    ringDoubles[slot * SLOT_DOUBLES + FRAME] = frame.number;
    return row;
  }

  /**
   * A reply, from `destination` back to `source`; `layer` is its ICMP header. Returns its row, -1 if it is the reply of
   * somebody who was not asked.
   */
  reply(
    place: number,
    source: number,
    destination: number,
    id: number,
    sequence: number,
    frame: Frame,
    layer: number,
  ): number {
    let row = this.table.find(place, source, destination, id);
    if (row < 0) {
      if (this.fromStranger(place, source, destination, id, sequence, frame)) return -1;
      // The request was seen at another port, perhaps.
      row = this.table.add(place, source, destination, id);
    }
    const { cells } = this.table;
    const at = row * STRIDE;
    const replies = ++cells[at + REPLIES];
    const slot = this.slotOf(row, sequence);
    if (slot >= 0) {
      this.answer(at, slot);
      if (cells[at + HI] >= 0) this.comparePath(row, slot, frame, layer);
    } else {
      cells[at + EARLY] = sequence + 1;
      this.table.doubles[row * DOUBLES + EARLY_TIME] = frame.time;
    }
    if ((replies & (replies - 1)) === 0) this.tell.answered(row, frame, layer);
    return row;
  }

  /** An ICMP error that quotes a request. Returns whether requests of that ping were seen. */
  refused(place: number, source: number, destination: number, id: number, sequence: number): boolean {
    const row = this.table.find(place, source, destination, id);
    if (row < 0) return false;
    this.table.cells[row * STRIDE + ERRORS]++;
    const slot = this.slotOf(row, sequence);
    if (slot >= 0) this.answer(row * STRIDE, slot);
    return this.requests(row) > 0;
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
    const source = sourceMac(frame, layer);
    if (source < 0) return;
    const { cells } = this.table;
    const at = row * STRIDE;
    const hi = frame.view.getUint16(source);
    const lo = frame.view.getInt32(source + 2);
    if (cells[at + HI] === hi && cells[at + LO] === lo) return;
    cells[at + REPLY_HI] = hi;
    cells[at + REPLY_LO] = lo;
    cells[at + AROUND]++;
    const list = this.lists.append(cells[at + AROUND_LIST], this.frameOf(slot), this.offsetOf(slot), 8);
    cells[at + AROUND_LIST] = this.lists.append(list, frame.number, frame.offsets[layer] - frame.start, 8);
  }

  /** Notes whose request of an identifier was the latest. */
  private remember(row: number, place: number, source: number, id: number): void {
    const { byIdentifier } = this;
    const own = row * STRIDE + KNOWN;
    let known = this.table.cells[own] - 1;
    const at = known * KNOWN_STRIDE;
    const { cells } = byIdentifier;
    if (known < 0 || cells[at] !== place || cells[at + 1] !== source || cells[at + 2] !== id) {
      known = byIdentifier.add(place, source, id, 0);
      this.table.cells[own] = known + 1;
    }
    byIdentifier.cells[known * KNOWN_STRIDE + KEY_WORDS] = row;
  }

  private answer(at: number, slot: number): void {
    this.ring[slot * SLOT] = ANSWERED;
    this.table.cells[at + WAITING]--;
  }

  private frameOf(slot: number): number {
    return this.ringDoubles[slot * SLOT_DOUBLES + FRAME];
  }

  private offsetOf(slot: number): number {
    return this.ring[slot * SLOT + OFFSET];
  }

  /** Slot of the latest waiting request with this sequence number, -1 if there is none. */
  private slotOf(row: number, sequence: number): number {
    const { cells } = this.table;
    const { ring } = this;
    const requests = cells[row * STRIDE + REQUESTS];
    let waiting = cells[row * STRIDE + WAITING];
    for (let i = 1; waiting > 0 && i <= RING; i++) {
      const slot = row * RING + ((requests - i) & (RING - 1));
      const each = ring[slot * SLOT];
      if (each === sequence) return slot;
      if (each !== ANSWERED) waiting--;
    }
    return -1;
  }

  /** What is in a slot makes room: a request that still waits is lost if it waited long enough. */
  private leave(row: number, slot: number, time: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    if (this.ring[slot * SLOT] === ANSWERED) {
      cells[at + LOST_RUN] = 0;
      return;
    }
    cells[at + WAITING]--;
    if (time - this.ringDoubles[slot * SLOT_DOUBLES + TIME] < this.patience) return;
    const lost = ++cells[at + LOST];
    cells[at + LONGEST] = Math.max(cells[at + LONGEST], ++cells[at + LOST_RUN]);
    if (cells[at + LOST_RUN] === RUN) cells[at + GAPS]++;
    cells[at + LIST] = this.lists.append(cells[at + LIST], this.frameOf(slot), this.offsetOf(slot), 8);
    if (lost >= RUN && (lost & (lost - 1)) === 0) {
      cells[at + TOLD] = 1;
      this.tell.lost(row);
    }
  }

  /** A reply from an address that was not asked: to a request that waits, sent to somebody else. */
  private fromStranger(
    place: number,
    source: number,
    replier: number,
    id: number,
    sequence: number,
    frame: Frame,
  ): boolean {
    const found = this.byIdentifier.find(place, source, id, 0);
    if (found < 0) return false;
    const row = this.byIdentifier.cells[found * KNOWN_STRIDE + KEY_WORDS];
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at] !== place || cells[at + 1] !== source || cells[at + 3] !== id) return false;
    const slot = this.slotOf(row, sequence);
    if (slot < 0 || frame.time - this.ringDoubles[slot * SLOT_DOUBLES + TIME] > this.patience) return false;
    this.answer(at, slot);
    cells[at + STRANGER] = replier;
    const count = ++cells[at + STRANGE];
    this.table.doubles[row * DOUBLES + STRANGE_TIME] = frame.time;
    let list = this.lists.append(cells[at + STRANGE_LIST], this.frameOf(slot), this.offsetOf(slot), 8);
    list = this.lists.append(list, frame.number, this.offsetOf(slot), 8);
    cells[at + STRANGE_LIST] = list;
    if ((count & (count - 1)) === 0) this.tell.strange(row);
    return true;
  }
}

/** Whether the IP packet of an ICMP header came in another. */
function isTunnelled({ kinds }: Frame, layer: number): boolean {
  for (let each = 0; each < layer - 1; each++)
    if (kinds[each] === Protocol.Ipv4 || kinds[each] === Protocol.Ipv6) return true;
  return false;
}
