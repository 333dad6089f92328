import type { Frame } from '../../wire/frame.js';
import { isToOtherHost } from '../../wire/sll.js';
import { longer } from '../rows/columns.js';
import type { FrameLists } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import { IPV6 } from './flow-rows.js';
import {
  AGAIN,
  ANSWER_DIRECTIONS,
  ANSWER_LIST,
  ANSWERS,
  Attempt,
  DISOWNED,
  ELSEWHERE,
  FOR_OTHER,
  HI,
  LEG_OF,
  LO,
  MAX_HANDSHAKES,
  NEED,
  SEQUENCE,
  STATE,
  STRIDE,
  SYN_DIRECTIONS,
  SYN_LIST,
  SYNS,
  TOLD,
} from './handshake-columns.js';
import { HandshakeRows } from './handshake-rows.js';
import type { Stream } from './streams.js';

/** Sightings of a SYN or SYN-ACK closer than this are one: TCP waits a second (RFC 6298 section 2), and a router shows it twice. */
const SAME_NS = 200e6;
/** A SYN with the same sequence number that first comes within this time at another port is another leg of its way. */
const LEG_NS = 1e9;
/** SYNs, or SYN-ACKs, in vain that are told at once; fewer at the end of the capture. */
const ENOUGH = 3;
const FEW = 2;

/**
 * Attempts to open TCP connections. A row is (place, client, server, their ports, the client's above), with place and
 * addresses as in `Flows`. The same SYN at other ports of a capture, routed or translated, makes rows of their own that
 * know the first of them.
 */
export class Handshakes extends HandshakeRows {
  /** Row of the first leg by sequence number and capture. */
  private readonly bySequence = new KeyTable(5, MAX_HANDSHAKES);
  /** (place, client, server, port) that connected, and when last. */
  private readonly established: KeyTable;
  private establishedTimes = new Float64Array(0);
  /** (place, client) that got an answer to a SYN. */
  private readonly answered = new KeyTable(4, MAX_HANDSHAKES);

  constructor(
    lists: FrameLists,
    /**
     * Told at the 3rd, 4th, 8th … SYN or SYN-ACK in vain, when the server refuses, at the end of the capture for two, and
     * when something that was told changes.
     */
    private readonly tell: (row: number) => void,
  ) {
    super(lists);
    this.established = new KeyTable(4, MAX_HANDSHAKES, null, (capacity) => {
      this.establishedTimes = longer(this.establishedTimes, capacity);
    });
  }

  /** A SYN to the hardware address (hi, lo); `layer` is its TCP header, as below. */
  syn(frame: Frame, layer: number, place: number, client: number, server: number, hi: number, lo: number): void {
    const at = frame.offsets[layer];
    const sequence = frame.view.getInt32(at + 4);
    const row = this.table.add(place, client, server, frame.view.getInt32(at));
    const { cells } = this.table;
    const cell = row * STRIDE;
    const { time } = frame;
    if (cells[cell + SYNS] > 0 && cells[cell + SEQUENCE] !== sequence) this.renew(row);
    if (cells[cell + SYNS] > 0 && Math.abs(time - this.lasts[row]) < SAME_NS) {
      cells[cell + SYN_DIRECTIONS] |= AGAIN;
      return;
    }
    if (cells[cell + SYNS]++ === 0) {
      this.firsts[row] = time;
      cells[cell + SEQUENCE] = sequence;
      this.findLeg(row, sequence, frame);
    } else if (cells[cell + STATE] === Attempt.Waiting) cells[cell + NEED]++;
    this.lasts[row] = time;
    cells[cell + HI] = hi;
    cells[cell + LO] = lo;
    cells[cell + SYN_DIRECTIONS] |= (1 << frame.direction) | (isToOtherHost(frame) ? FOR_OTHER : 0);
    cells[cell + SYN_LIST] = this.note(cells[cell + SYN_LIST], frame, layer);
    if (cells[cell + STATE] === Attempt.Waiting && isTime(cells[cell + SYNS])) this.say(row);
  }

  /** A SYN-ACK, from the server. */
  synAck(frame: Frame, layer: number, place: number, server: number, client: number): void {
    const row = this.table.add(place, client, server, swapped(frame.view.getInt32(frame.offsets[layer])));
    const { cells } = this.table;
    const cell = row * STRIDE;
    const { time } = frame;
    if (cells[cell + STATE] !== Attempt.Waiting) return;
    if (cells[cell + ANSWERS] > 0 && Math.abs(time - this.lastAnswers[row]) < SAME_NS) return;
    if (cells[cell + ANSWERS]++ === 0) {
      this.firstAnswers[row] = time;
      if (cells[cell + SYNS] > 0 && cells[cell + HI] >= 0) this.noteWayBack(cell, frame, layer);
    } else cells[cell + NEED]++;
    this.lastAnswers[row] = time;
    cells[cell + ANSWER_DIRECTIONS] |= 1 << frame.direction;
    cells[cell + ANSWER_LIST] = this.note(cells[cell + ANSWER_LIST], frame, layer);
    this.answeredElsewhere(row);
    if (isTime(cells[cell + ANSWERS]) || (cells[cell + TOLD] !== 0 && cells[cell + ANSWERS] === 1)) this.say(row);
  }

  /** A segment of either end that goes beyond the handshake. */
  proceeds(frame: Frame, layer: number, place: number, source: number, destination: number): void {
    const row = this.rowOf(frame, layer, place, source, destination);
    if (row < 0) return;
    const { cells } = this.table;
    const cell = row * STRIDE;
    if (cells[cell + STATE] !== Attempt.Waiting) return;
    cells[cell + STATE] = Attempt.Done;
    cells[cell + NEED] = 0;
    const known = this.established.add(place, cells[cell + 1], cells[cell + 2], cells[cell + 3] & 0xffff);
    this.establishedTimes[known] = frame.time;
    this.answered.add(place, cells[cell + 1], 0, 0);
    this.answeredElsewhere(row);
    if (cells[cell + TOLD] !== 0) this.tell(row);
  }

  /** A RST before anything went beyond the handshake. */
  reset(frame: Frame, layer: number, place: number, source: number, destination: number): void {
    const row = this.rowOf(frame, layer, place, source, destination);
    if (row < 0) return;
    const { cells } = this.table;
    const cell = row * STRIDE;
    if (cells[cell + STATE] !== Attempt.Waiting) return;
    const isRefusal = cells[cell + 1] === destination && cells[cell + ANSWERS] === 0 && source !== destination;
    cells[cell + STATE] = isRefusal ? Attempt.Refused : Attempt.Aborted;
    cells[cell + NEED] = 0;
    this.answeredElsewhere(row);
    if (isRefusal) {
      this.answered.add(place, cells[cell + 1], 0, 0);
      this.lastAnswers[row] = frame.time;
      cells[cell + ANSWER_LIST] = this.note(cells[cell + ANSWER_LIST], frame, layer);
    } else if (cells[cell + 1] === source) this.noteReset(cell, frame, layer);
    if (isRefusal || cells[cell + TOLD] !== 0) this.say(row);
  }

  /** A SYN that a SYN-ACK had answered, and its client reset: as `syn`, and returns whether it is tried again. */
  asksOn(frame: Frame, layer: number, place: number, client: number, server: number, hi: number, lo: number): boolean {
    const row = this.table.find(place, client, server, frame.view.getInt32(frame.offsets[layer]));
    if (row < 0) return false;
    const { cells } = this.table;
    const cell = row * STRIDE;
    const isSame =
      cells[cell + STATE] === Attempt.Aborted &&
      cells[cell + ANSWERS] > 0 &&
      cells[cell + SEQUENCE] === frame.view.getInt32(frame.offsets[layer] + 4) &&
      frame.time - this.lasts[row] >= SAME_NS;
    if (!isSame) return false;
    this.noteAsking(cell, frame, layer);
    cells[cell + STATE] = Attempt.Waiting;
    this.syn(frame, layer, place, client, server, hi, lo);
    if (isTime(cells[cell + DISOWNED] + FEW)) this.say(row);
    return true;
  }

  /** Tells of the attempts in the segments that `isOfCapture` names that wait still. */
  finish(isOfCapture: (segment: number) => boolean): void {
    for (let row = 0; row < this.table.rowCount; row++) {
      if (this.state(row) !== Attempt.Waiting || !isOfCapture(this.segment(row))) continue;
      if (this.syns(row) >= FEW || this.answers(row) >= FEW) this.say(row);
    }
  }

  /** `Frame.time` of the latest connection of the same client to the same port, -Infinity if there is none. */
  lastEstablished(row: number): number {
    const { cells } = this.table;
    const cell = row * STRIDE;
    return this.establishedAt(cells[cell], cells[cell + 1], cells[cell + 2], cells[cell + 3] & 0xffff);
  }

  /** The same for the hosts and the port of a connection, whichever end opened it. */
  lastEstablishedLike({ segment, isIpv6, source, destination, sourcePort, destinationPort }: Stream): number {
    const place = isIpv6 ? segment | IPV6 : segment;
    return Math.max(
      this.establishedAt(place, source, destination, destinationPort),
      this.establishedAt(place, destination, source, sourcePort),
    );
  }

  private establishedAt(place: number, client: number, server: number, port: number): number {
    const known = this.established.find(place, client, server, port);
    return known < 0 ? Number.NEGATIVE_INFINITY : this.establishedTimes[known];
  }

  /** Whether any host answered the client of an attempt, this or another. */
  clientWasAnswered(row: number): boolean {
    const { cells } = this.table;
    return this.answered.find(cells[row * STRIDE], cells[row * STRIDE + 1], 0, 0) >= 0;
  }

  private rowOf(frame: Frame, layer: number, place: number, source: number, destination: number): number {
    const ports = frame.view.getInt32(frame.offsets[layer]);
    const row = this.table.find(place, source, destination, ports);
    return row >= 0 ? row : this.table.find(place, destination, source, swapped(ports));
  }

  private say(row: number): void {
    this.table.cells[row * STRIDE + TOLD] = 1;
    this.tell(row);
  }

  private note(list: number, frame: Frame, layer: number): number {
    const at = frame.offsets[layer];
    return this.lists.append(list, frame.number, at - frame.start, frame.ends[layer] - at);
  }

  /** The same ports begin another connection. */
  private renew(row: number): void {
    this.release(row);
    this.table.cells.fill(0, row * STRIDE + SEQUENCE, (row + 1) * STRIDE);
  }

  private findLeg(row: number, sequence: number, frame: Frame): void {
    const found = this.bySequence.add(sequence, frame.capture, 0, 0);
    const cell = found * 5 + 4;
    const leg = this.bySequence.cells[cell] - 1;
    const isLeg =
      leg >= 0 &&
      leg !== row &&
      this.sequence(leg) === sequence &&
      (this.place(leg) !== this.place(row) || this.clientPort(leg) === this.clientPort(row)) &&
      frame.time - this.firsts[leg] < LEG_NS;
    if (isLeg) {
      this.table.cells[row * STRIDE + LEG_OF] = leg + 1;
      this.table.cells[leg * STRIDE + SYN_DIRECTIONS] |= AGAIN;
    } else this.bySequence.cells[cell] = row + 1;
  }

  /** Notes at the first leg that a later one of the same connection was answered. */
  private answeredElsewhere(row: number): void {
    const leg = this.firstLeg(row);
    const { cells } = this.table;
    if (leg < 0) return;
    for (let word = 1; word < 4; word++) if (cells[leg * STRIDE + word] !== cells[row * STRIDE + word]) return;
    if (cells[leg * STRIDE + ELSEWHERE] !== 0) return;
    cells[leg * STRIDE + ELSEWHERE] = 1;
    if (cells[leg * STRIDE + TOLD] !== 0) this.tell(leg);
  }
}

function swapped(ports: number): number {
  return (ports << 16) | (ports >>> 16);
}

/** The 3rd, and then the 4th, 8th, 16th … */
function isTime(count: number): boolean {
  return count === ENOUGH || (count > ENOUGH && (count & (count - 1)) === 0);
}
