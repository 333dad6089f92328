import type { Frame } from '../wire/frame.js';
import { longer } from './columns.js';
import type { FrameLists } from './frame-lists.js';
import { KeyTable } from './key-table.js';

const MAX_TUNNELS = 1 << 12;

const INNER = 4;
const FRAMES = 5;
const GROUP = 6;
const LIST = 7;
const MALFORMED = 8;
const MALFORMED_LIST = 9;
const TAGGED = 10;
const TAGGED_LIST = 11;
const SOURCE_HI = 12;
const SOURCE_LO = 13;
const SOURCES = 14;
const FLAWS = 15;
const FRAGMENTED = 16;
const FRAGMENTED_LIST = 17;
const STRIDE = 18;

/** Rows at hand by hash of their IPv4 endpoints, port and VNI: what a packet names, before its addresses are looked up. */
const AT_HAND = 256;
const HAND_WORDS = 5;

/** What is wrong with a VXLAN header; bits of `Tunnels.flaws`. */
export const Flaw = {
  /** The I flag is clear: the VNI means nothing (RFC 7348 section 5). */
  NoVni: 1,
  /** Bits are set that RFC 7348 reserves and no known extension uses. */
  Reserved: 2,
  /** Group based policy (G flag). */
  GroupPolicy: 4,
  /** Generic protocol extension (P flag). */
  Generic: 8,
  /** What is inside does not begin like an Ethernet frame. */
  NotEthernet: 16,
} as const;

/**
 * VXLAN as the network below sees it: a row is a way from one tunnel endpoint to another, (outer segment, UDP port,
 * outer source, outer destination, VNI). The way back is another row. Addresses are rows of `Addresses`.
 */
export class Tunnels {
  private readonly table: KeyTable;
  private readonly atHand = new Int32Array(AT_HAND * HAND_WORDS).fill(-1);
  private firsts = new Float64Array(0);
  private lasts = new Float64Array(0);

  constructor(
    private readonly lists: FrameLists,
    /** Told after the 1st, 2nd, 4th, 8th … frame of a row. */
    private readonly tell: (row: number) => void,
  ) {
    this.table = new KeyTable(
      STRIDE,
      MAX_TUNNELS,
      (row) => this.forget(row),
      (capacity) => {
        this.firsts = longer(this.firsts, capacity);
        this.lasts = longer(this.lasts, capacity);
      },
    );
  }

  /**
   * Counts a frame and returns its row. `inner` is the segment that the tunnel carries, -1 where the payload is not
   * decoded because nobody said that the port carries VXLAN.
   */
  carries(
    segment: number,
    port: number,
    source: number,
    destination: number,
    vni: number,
    inner: number,
    frame: Frame,
    layer: number,
  ): number {
    const row = this.table.add((segment << 16) | port, source, destination, vni);
    const { cells } = this.table;
    const at = row * STRIDE;
    if (cells[at + FRAMES] === 0) {
      cells[at + INNER] = inner;
      this.firsts[row] = frame.time;
    }
    this.again(row, frame, layer);
    return row;
  }

  /** Counts a frame of a row that is known. */
  again(row: number, frame: Frame, layer: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    const frames = ++cells[at + FRAMES];
    this.lasts[row] = frame.time;
    cells[at + LIST] = this.append(cells[at + LIST], frame, layer);
    // With more tunnels than there is room for, only the end of the capture tells.
    if ((frames & (frames - 1)) === 0 && this.table.evicted === 0) this.tell(row);
  }

  /** The row that `keepAtHand` was told for this packet, -1 if it is not at hand. `from` and `to` are IPv4 addresses as integers. */
  atHandFor(segment: number, port: number, from: number, to: number, vni: number): number {
    const { atHand } = this;
    const slot = slotOf(from, to, port, vni);
    return atHand[slot] === from &&
      atHand[slot + 1] === to &&
      atHand[slot + 2] === ((segment << 16) | port) &&
      atHand[slot + 3] === vni
      ? atHand[slot + 4]
      : -1;
  }

  keepAtHand(segment: number, port: number, from: number, to: number, vni: number, row: number): void {
    const { atHand } = this;
    const slot = slotOf(from, to, port, vni);
    atHand[slot] = from;
    atHand[slot + 1] = to;
    atHand[slot + 2] = (segment << 16) | port;
    atHand[slot + 3] = vni;
    atHand[slot + 4] = row;
  }

  /** Notes the addresses of the frame inside: its source, and whether it is for a group. */
  inside(row: number, hi: number, lo: number, isGroup: boolean): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    if (isGroup) cells[at + GROUP]++;
    if (cells[at + SOURCES] === 0) {
      cells[at + SOURCES] = 1;
      cells[at + SOURCE_HI] = hi;
      cells[at + SOURCE_LO] = lo;
    } else if (cells[at + SOURCE_LO] !== lo || cells[at + SOURCE_HI] !== hi) cells[at + SOURCES] = 2;
  }

  flawed(row: number, flaws: number, frame: Frame, layer: number): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    cells[at + FLAWS] |= flaws;
    cells[at + MALFORMED]++;
    cells[at + MALFORMED_LIST] = this.append(cells[at + MALFORMED_LIST], frame, layer);
  }

  tagged(row: number, frame: Frame, layer: number): void {
    const at = row * STRIDE;
    this.table.cells[at + TAGGED]++;
    this.table.cells[at + TAGGED_LIST] = this.append(this.table.cells[at + TAGGED_LIST], frame, layer);
  }

  /** Notes that the outer packet is the first of several fragments; `layer` is its IP header. */
  fragmented(row: number, frame: Frame, layer: number): void {
    const at = row * STRIDE;
    this.table.cells[at + FRAGMENTED]++;
    this.table.cells[at + FRAGMENTED_LIST] = this.append(this.table.cells[at + FRAGMENTED_LIST], frame, layer);
  }

  get count(): number {
    return this.table.rowCount;
  }

  find(segment: number, port: number, source: number, destination: number, vni: number): number {
    return this.table.find((segment << 16) | port, source, destination, vni);
  }

  /** The segment of the outer frames. */
  segment(row: number): number {
    return this.table.cells[row * STRIDE] >>> 16;
  }

  /** UDP destination port. */
  port(row: number): number {
    return this.table.cells[row * STRIDE] & 0xffff;
  }

  source(row: number): number {
    return this.table.cells[row * STRIDE + 1];
  }

  destination(row: number): number {
    return this.table.cells[row * STRIDE + 2];
  }

  vni(row: number): number {
    return this.table.cells[row * STRIDE + 3];
  }

  /** The segment carried inside, -1 where the port is not known to carry VXLAN. */
  inner(row: number): number {
    return this.table.cells[row * STRIDE + INNER];
  }

  frames(row: number): number {
    return this.table.cells[row * STRIDE + FRAMES];
  }

  /** Frames whose inner destination is a group: flooded. The others are for one station. */
  groupFrames(row: number): number {
    return this.table.cells[row * STRIDE + GROUP];
  }

  unicastFrames(row: number): number {
    const at = row * STRIDE;
    return this.table.cells[at + INNER] < 0 ? 0 : this.table.cells[at + FRAMES] - this.table.cells[at + GROUP];
  }

  malformed(row: number): number {
    return this.table.cells[row * STRIDE + MALFORMED];
  }

  /** Bits of `Flaw`, of all malformed frames. */
  flaws(row: number): number {
    return this.table.cells[row * STRIDE + FLAWS];
  }

  /** Frames with a VLAN tag inside. */
  taggedFrames(row: number): number {
    return this.table.cells[row * STRIDE + TAGGED];
  }

  /** Outer packets that were sent in fragments. */
  fragmentedPackets(row: number): number {
    return this.table.cells[row * STRIDE + FRAGMENTED];
  }

  /** Whether all frames have one inner source MAC, `sourceHi` and `sourceLo`. */
  hasOneSource(row: number): boolean {
    return this.table.cells[row * STRIDE + SOURCES] === 1;
  }

  sourceHi(row: number): number {
    return this.table.cells[row * STRIDE + SOURCE_HI];
  }

  sourceLo(row: number): number {
    return this.table.cells[row * STRIDE + SOURCE_LO];
  }

  first(row: number): number {
    return this.firsts[row];
  }

  last(row: number): number {
    return this.lasts[row];
  }

  /** The first frames of the row, with their VXLAN headers. */
  places(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  malformedPlaces(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + MALFORMED_LIST]);
  }

  taggedPlaces(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + TAGGED_LIST]);
  }

  fragmentedPlaces(row: number): { frame: number; offset: number; length: number }[] {
    return this.lists.read(this.table.cells[row * STRIDE + FRAGMENTED_LIST]);
  }

  private append(list: number, frame: Frame, layer: number): number {
    const offset = frame.offsets[layer];
    return this.lists.append(list, frame.number, offset - frame.start, frame.ends[layer] - offset);
  }

  private forget(row: number): void {
    this.atHand.fill(-1);
    const at = row * STRIDE;
    for (const list of [LIST, MALFORMED_LIST, TAGGED_LIST, FRAGMENTED_LIST])
      this.lists.release(this.table.cells[at + list]);
  }
}

function slotOf(from: number, to: number, port: number, vni: number): number {
  const hash = Math.imul(from ^ Math.imul(to, 0x85ebca6b), 0xc2b2ae35) ^ vni ^ port;
  return ((hash ^ (hash >>> 16)) & (AT_HAND - 1)) * HAND_WORDS;
}
