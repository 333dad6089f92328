import type { Frame } from '../../wire/frame.js';
import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KEY_WORDS, KeyTable } from '../rows/key-table.js';

const MAX_FORMERS = 1 << 10;
const MAX_SENDERS = 1 << 12;
/** Destinations of a sender that are remembered, by their lowest bits. */
const TARGETS = 4;

/** Columns of a former master behind its key (segment, MAC): rows of `VirtualRouters`, and which takeover it was, 0 once it is master again. */
const MASTER = KEY_WORDS;
const FORMER = MASTER + 1;
const ERA = FORMER + 1;
const FORMER_STRIDE = ERA + 1;

/** Columns of a sender behind its key (segment, MAC, family). */
const TO = KEY_WORDS;
const OF_ERA = TO + 1;
const SENT = OF_ERA + 1;
const SOURCE = SENT + 1;
const LIST = SOURCE + 1;
const TARGET = LIST + 1;
const FIRST = (TARGET + TARGETS + 1) >> 1;
const LAST = FIRST + 1;
const SENDER_STRIDE = 2 * (LAST + 1);
const DOUBLES = SENDER_STRIDE / 2;

/**
 * Who goes on sending IP packets to the MAC of a router that is master of a virtual router (VRRP) no more, whatever address they are for, and
 * gets no answer. A row is (segment, MAC of the sender, family). Addresses are signed integers in family `IPV4`, rows of `Addresses` in
 * `IPV6`. Costs nothing until another router takes over.
 */
export class Strays {
  private era = 0;
  private readonly formers = new KeyTable(FORMER_STRIDE, MAX_FORMERS);
  private readonly senders: KeyTable;

  constructor(
    private readonly lists: FrameLists,
    /** Told at the 4th, 8th, 16th … packet without an answer, and when a sender that was told of is answered or goes elsewhere. Row. */
    private readonly tell: (sender: number) => void,
  ) {
    this.senders = new KeyTable(SENDER_STRIDE, MAX_SENDERS, (row) => lists.release(this.of(row, LIST)));
  }

  /** Former masters. */
  get formerCount(): number {
    return this.formers.rowCount;
  }

  /** Senders. */
  get count(): number {
    return this.senders.rowCount;
  }

  /** `master` (row of `VirtualRouters`) is at (hi, lo), and took over from `former`, which is at (oldHi, oldLo). */
  takenOver(
    segment: number,
    master: number,
    hi: number,
    lo: number,
    former: number,
    oldHi: number,
    oldLo: number,
  ): void {
    const now = this.formers.find(segment, hi, lo, 0);
    if (now >= 0) this.formers.cells[now * FORMER_STRIDE + ERA] = 0;
    const at = this.formers.add(segment, oldHi, oldLo, 0) * FORMER_STRIDE;
    const { cells } = this.formers;
    cells[at + MASTER] = master;
    cells[at + FORMER] = former;
    cells[at + ERA] = ++this.era;
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
    const former = this.formers.find(segment, hiTo, loTo, 0);
    if (former >= 0 && this.formers.cells[former * FORMER_STRIDE + ERA] !== 0)
      this.strays(frame, layer, segment, family, former, source, destination, hi, lo);
    else {
      const own = this.senders.find(segment, hi, lo, family);
      if (own >= 0 && this.has(own, destination)) this.over(own);
    }
    const asker = this.senders.find(segment, hiTo, loTo, family);
    if (asker >= 0 && this.has(asker, source)) this.over(asker);
  }

  segment(sender: number): number {
    return this.of(sender, 0);
  }

  hi(sender: number): number {
    return this.of(sender, 1);
  }

  lo(sender: number): number {
    return this.of(sender, 2);
  }

  family(sender: number): number {
    return this.of(sender, 3);
  }

  /** Packets in a row without an answer. */
  sent(sender: number): number {
    return this.of(sender, SENT);
  }

  /** The address that the latest of them came from. */
  source(sender: number): number {
    return this.of(sender, SOURCE);
  }

  /** Whether a latest packet was for this address; of two that share a place the later is known. */
  has(sender: number, address: number): boolean {
    const { cells } = this.senders;
    const at = sender * SENDER_STRIDE;
    return cells[at + SENT] > 0 && cells[at + TARGET + (address & (TARGETS - 1))] === address;
  }

  /** `Frame.time` of the first and last of them. */
  first(sender: number): number {
    return this.senders.doubles[sender * DOUBLES + FIRST];
  }

  last(sender: number): number {
    return this.senders.doubles[sender * DOUBLES + LAST];
  }

  places(sender: number): Place[] {
    return this.lists.read(this.of(sender, LIST));
  }

  /** Who is master instead, and who was: rows of `VirtualRouters`; null if that has changed since. */
  takeover(sender: number): { master: number; former: number; hi: number; lo: number } | null {
    const { cells } = this.formers;
    const at = this.of(sender, TO) * FORMER_STRIDE;
    if (cells[at + ERA] === 0 || cells[at + ERA] !== this.of(sender, OF_ERA)) return null;
    return { master: cells[at + MASTER], former: cells[at + FORMER], hi: cells[at + 1], lo: cells[at + 2] };
  }

  private strays(
    frame: Frame,
    layer: number,
    segment: number,
    family: number,
    former: number,
    source: number,
    destination: number,
    hi: number,
    lo: number,
  ): void {
    const row = this.senders.add(segment, hi, lo, family);
    const { cells, doubles } = this.senders;
    const at = row * SENDER_STRIDE;
    const era = this.formers.cells[former * FORMER_STRIDE + ERA];
    if (cells[at + OF_ERA] !== era) {
      this.forget(row);
      cells[at + TO] = former;
      cells[at + OF_ERA] = era;
    }
    const count = ++cells[at + SENT];
    if (count === 1) {
      // A place that no packet has filled must not look like one that was for 0.0.0.0.
      cells.fill(destination, at + TARGET, at + TARGET + TARGETS);
      doubles[row * DOUBLES + FIRST] = frame.time;
    }
    doubles[row * DOUBLES + LAST] = frame.time;
    cells[at + SOURCE] = source;
    cells[at + TARGET + (destination & (TARGETS - 1))] = destination;
    cells[at + LIST] = this.lists.appendHeader(cells[at + LIST], frame, layer);
    if (isTime(count)) this.tell(row);
  }

  /** A sender gets answers, or sends to another: all is well with it, so far. */
  private over(row: number): void {
    const sent = this.of(row, SENT);
    this.forget(row);
    if (sent >= TOLD) this.tell(row);
  }

  private forget(row: number): void {
    const { cells } = this.senders;
    const at = row * SENDER_STRIDE;
    this.lists.release(cells[at + LIST]);
    cells[at + LIST] = 0;
    cells[at + SENT] = 0;
  }

  private of(sender: number, column: number): number {
    return this.senders.cells[sender * SENDER_STRIDE + column];
  }
}

/** Packets that are told of first. */
const TOLD = 4;

function isTime(count: number): boolean {
  return count >= TOLD && (count & (count - 1)) === 0;
}
