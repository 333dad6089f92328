import { hopsLeft, sourceMac } from '../../wire/beneath.js';
import type { Direction, Frame } from '../../wire/frame.js';
import { longer } from '../rows/columns.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';
import {
  AGAIN,
  ANSWER_DIRECTIONS,
  ANSWER_LIST,
  ANSWERS,
  ASKING_TTL,
  Attempt,
  BACK,
  BACK_HI,
  BACK_LO,
  DISOWNED,
  ELSEWHERE,
  FOR_OTHER,
  FOREIGN,
  HI,
  LEG_OF,
  LO,
  MAX_HANDSHAKES,
  NEED,
  RESET_HI,
  RESET_LIST,
  RESET_LO,
  RESET_TTL,
  SEQUENCE,
  STATE,
  STRIDE,
  SYN_DIRECTIONS,
  SYN_LIST,
  SYNS,
} from './handshake-columns.js';

/** What is known of each attempt to connect, and what rules ask of it; `Handshakes` writes it. */
export abstract class HandshakeRows {
  protected readonly table: KeyTable;
  protected firsts = new Float64Array(0);
  protected lasts = new Float64Array(0);
  protected firstAnswers = new Float64Array(0);
  protected lastAnswers = new Float64Array(0);

  constructor(protected readonly lists: FrameLists) {
    this.table = new KeyTable(
      STRIDE,
      MAX_HANDSHAKES,
      (row) => this.release(row),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
        this.firstAnswers = longer(this.firstAnswers, capacity);
        this.lastAnswers = longer(this.lastAnswers, capacity);
      },
      NEED,
    );
  }

  get count(): number {
    return this.table.rowCount;
  }

  /** Attempts given up though more than one SYN, or SYN-ACK, had gone in vain. */
  get missed(): number {
    return this.table.missed;
  }

  /** Segment and `IPV6` flag, as `Flows` has it. */
  place(row: number): number {
    return this.table.cells[row * STRIDE];
  }

  segment(row: number): number {
    return this.table.cells[row * STRIDE] & 0xffff;
  }

  client(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  server(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  clientPort(row: number): number {
    return this.table.cells[row * STRIDE + 3] >>> 16;
  }

  serverPort(row: number): number {
    return this.table.cells[row * STRIDE + 3] & 0xffff;
  }

  sequence(row: number): number {
    return this.table.cells[row * STRIDE + SEQUENCE];
  }

  /** SYNs, and SYN-ACKs, sightings at several hops not counted. */
  syns(row: number): number {
    return this.table.cells[row * STRIDE + SYNS];
  }

  answers(row: number): number {
    return this.table.cells[row * STRIDE + ANSWERS];
  }

  state(row: number): Attempt {
    return this.table.cells[row * STRIDE + STATE] as Attempt;
  }

  /** Hardware address that the latest SYN was sent to; hi is -1 where the capture does not tell. */
  hi(row: number): number {
    return this.table.cells[row * STRIDE + HI];
  }

  lo(row: number): number {
    return this.table.cells[row * STRIDE + LO];
  }

  /** Whether the first SYN-ACK came from another hardware address than the SYN was sent to, and that address. */
  cameAround(row: number): boolean {
    return this.table.cells[row * STRIDE + BACK_HI] !== 0;
  }

  backHi(row: number): number {
    return this.table.cells[row * STRIDE + BACK_HI] & 0xffff;
  }

  backLo(row: number): number {
    return this.table.cells[row * STRIDE + BACK_LO];
  }

  /** Whether SYNs, or SYN-ACKs, were seen going this way only. */
  synsWent(row: number, direction: Direction): boolean {
    return (this.table.cells[row * STRIDE + SYN_DIRECTIONS] & ~(AGAIN | FOR_OTHER)) === 1 << direction;
  }

  /** Whether a cooked capture says that SYNs came in for another machine than the one that captured. */
  wasForOther(row: number): boolean {
    return (this.table.cells[row * STRIDE + SYN_DIRECTIONS] & FOR_OTHER) !== 0;
  }

  answersWent(row: number, direction: Direction): boolean {
    return this.table.cells[row * STRIDE + ANSWER_DIRECTIONS] === 1 << direction;
  }

  /** Whether the same attempt was answered at another port of the capture. */
  wasAnsweredElsewhere(row: number): boolean {
    return this.table.cells[row * STRIDE + ELSEWHERE] !== 0;
  }

  /** Rows of SYNs at other devices of the capture that nobody answers there, of the addresses and ports of SYN-ACKs without a SYN. For rare use, as below. */
  askedElsewhere(row: number): number[] {
    const found: number[] = [];
    const { cells, rowCount } = this.table;
    const own = row * STRIDE;
    for (let other = 0; other < rowCount; other++) {
      const at = other * STRIDE;
      if (other === row || cells[at + SYNS] === 0 || cells[at + ANSWERS] > 0) continue;
      if (cells[at + 1] !== cells[own + 1] || cells[at + 2] !== cells[own + 2] || cells[at + 3] !== cells[own + 3])
        continue;
      // A SYN that these answer came before them.
      if (this.first(other) <= this.firstAnswer(row) && this.state(other) === Attempt.Waiting) found.push(other);
    }
    return found;
  }

  /** Rows of the same attempt at other places: addresses, ports, and the sequence number of SYNs if there are any. For rare use: it looks at every attempt. */
  elsewhere(row: number): number[] {
    const found: number[] = [];
    const { cells, rowCount } = this.table;
    const own = row * STRIDE;
    for (let other = 0; other < rowCount; other++) {
      const at = other * STRIDE;
      if (other === row || cells[at + 3] !== cells[own + 3]) continue;
      if (cells[at + 1] !== cells[own + 1] || cells[at + 2] !== cells[own + 2]) continue;
      if (cells[at + SYNS] === 0 || cells[at + SEQUENCE] === cells[own + SEQUENCE]) found.push(other);
    }
    return found;
  }

  /** Whether the SYN was seen a second time at once, here or at another port: somebody passed it on, or it is a copy. */
  wasPassedOn(row: number): boolean {
    return (this.table.cells[row * STRIDE + SYN_DIRECTIONS] & AGAIN) !== 0;
  }

  /** Row that shows the same SYN earlier, at another port or before it was translated; -1 if this is the first. */
  firstLeg(row: number): number {
    const leg = this.table.cells[row * STRIDE + LEG_OF] - 1;
    return leg >= 0 && leg !== row && this.sequence(leg) === this.sequence(row) ? leg : -1;
  }

  /** `Frame.time` of the first and the latest SYN; of the SYN-ACKs, or the RST that refuses. */
  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  firstAnswer(row: number): number {
    return this.firstAnswers[row];
  }

  lastAnswer(row: number): number {
    return this.lastAnswers[row];
  }

  /** The SYNs as evidence. */
  synPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + SYN_LIST]);
  }

  /** The SYN-ACKs, or the RST that refuses, as evidence. */
  answerPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + ANSWER_LIST]);
  }

  /**
   * How often the SYN came again after its client had reset the SYN-ACK: who asks is not who resets (RFC 9293 section
   * 3.10.7.3: a host in SYN-SENT resets only what does not acknowledge its SYN).
   */
  disowned(row: number): number {
    return this.table.cells[row * STRIDE + DISOWNED];
  }

  /** Of these: hops by which the latest RST was made nearer than the SYN that followed it; below 0 farther. */
  nearerBy(row: number): number {
    return this.table.cells[row * STRIDE + RESET_TTL] - this.table.cells[row * STRIDE + ASKING_TTL];
  }

  /** Whether it came from another hardware address than that SYN, and that address. */
  resetByOther(row: number): boolean {
    return this.table.cells[row * STRIDE + FOREIGN] !== 0;
  }

  resetHi(row: number): number {
    return this.table.cells[row * STRIDE + RESET_HI] & 0xffff;
  }

  resetLo(row: number): number {
    return this.table.cells[row * STRIDE + RESET_LO];
  }

  /** The RSTs after which the client asked on, as evidence, and the latest after which it did not yet. */
  resetPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + RESET_LIST]);
  }

  /** Notes a RST of the client after a SYN-ACK; `layer` is its TCP header. */
  protected noteReset(cell: number, frame: Frame, layer: number): void {
    const { cells } = this.table;
    const at = frame.offsets[layer];
    cells[cell + RESET_LIST] = this.lists.append(
      cells[cell + RESET_LIST],
      frame.number,
      at - frame.start,
      frame.ends[layer] - at,
    );
    cells[cell + RESET_TTL] = hopsLeft(frame, layer);
    const source = sourceMac(frame, layer);
    cells[cell + RESET_HI] = source < 0 ? 0 : frame.view.getUint16(source) | BACK;
    cells[cell + RESET_LO] = source < 0 ? 0 : frame.view.getInt32(source + 2);
  }

  /** Notes a SYN after that. */
  protected noteAsking(cell: number, frame: Frame, layer: number): void {
    const { cells } = this.table;
    cells[cell + DISOWNED]++;
    cells[cell + ASKING_TTL] = hopsLeft(frame, layer);
    const source = sourceMac(frame, layer);
    const isSame =
      source < 0 ||
      cells[cell + RESET_HI] === 0 ||
      (cells[cell + RESET_HI] === (frame.view.getUint16(source) | BACK) &&
        cells[cell + RESET_LO] === frame.view.getInt32(source + 2));
    cells[cell + FOREIGN] = isSame ? 0 : 1;
  }

  /** Notes where a SYN-ACK came from, unless the SYN went there; `layer` is its TCP header. */
  protected noteWayBack(cell: number, frame: Frame, layer: number): void {
    const source = sourceMac(frame, layer);
    if (source < 0) return;
    const { cells } = this.table;
    const hi = frame.view.getUint16(source);
    const lo = frame.view.getInt32(source + 2);
    if (cells[cell + HI] === hi && cells[cell + LO] === lo) return;
    cells[cell + BACK_HI] = hi | BACK;
    cells[cell + BACK_LO] = lo;
  }

  protected release(row: number): void {
    this.lists.release(this.table.cells[row * STRIDE + SYN_LIST]);
    this.lists.release(this.table.cells[row * STRIDE + ANSWER_LIST]);
    this.lists.release(this.table.cells[row * STRIDE + RESET_LIST]);
  }
}
