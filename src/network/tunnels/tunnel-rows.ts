import type { FrameLists, Place } from '../rows/frame-lists.js';
import { KeyTable } from '../rows/key-table.js';

export const MAX_TUNNELS = 1 << 12;
/** Tunnels between two ends that are looked at, the latest of them: two endpoints may share thousands of VNIs. */
const MAX_BETWEEN = 64;

/** The outer addresses as packets have them, four words each, IPv4 in the first; the version of IP, 0 where they are not told. */
export const FROM = 4;
export const TO = 8;
export const VERSION = 12;
export const INNER = 13;
export const FRAMES = 14;
export const GROUP = 15;
/** Times, counted in doubles. */
export const LAST = 8;
export const FIRST = 9;
export const SOURCES = 20;
export const SOURCE_HI = 21;
export const SOURCE_LO = 22;
export const LIST = 23;
/** Row and 1 of the next tunnel whose ends have the same hash. */
const NEXT = 24;
export const MALFORMED = 25;
export const MALFORMED_LIST = 26;
export const TAGGED = 27;
export const TAGGED_LIST = 28;
export const FLAWS = 29;
export const FRAGMENTED = 30;
export const FRAGMENTED_LIST = 31;
export const STRIDE = 32;
export const DOUBLES = STRIDE / 2;

/** What is known of each tunnel, and what rules ask of it; `Tunnels` writes it. */
export abstract class TunnelRows {
  protected readonly table: KeyTable;
  /** First of the tunnels whose ends have one hash, row and 1. */
  private readonly heads = new Int32Array(MAX_TUNNELS);
  /**
   * Whether frames for stations behind the source pass, by row: 0 none, 1 for one, 2 for several. Beside the rows, which are 128 bytes: two
   * cache lines.
   */
  protected readonly copies = new Uint8Array(MAX_TUNNELS);
  /** Low half of the MAC of the first of these stations. */
  protected readonly copiedTo = new Int32Array(MAX_TUNNELS);
  /** TTL or hop limit of the first outer packet, by row. */
  protected readonly ttls = new Uint8Array(MAX_TUNNELS);
  /** Row and 1 of the tunnel before it, by row: the first to go is the last of them. */
  private readonly before = new Int32Array(MAX_TUNNELS);

  constructor(protected readonly lists: FrameLists) {
    this.table = new KeyTable(STRIDE, MAX_TUNNELS, (row) => this.forget(row));
  }

  get count(): number {
    return this.table.rowCount;
  }

  find(segment: number, port: number, source: number, destination: number, vni: number): number {
    return this.table.find((segment << 16) | port, source, destination, vni);
  }

  /**
   * Tunnels between two endpoints, both ways, with whatever ports and VNIs, in the order of their rows. Of more than
   * `MAX_BETWEEN` the latest: `find` knows all.
   */
  between(segment: number, a: number, b: number): number[] {
    const { cells } = this.table;
    const found: number[] = [];
    let left = MAX_BETWEEN;
    for (
      let row = this.heads[slotOfEnds(segment, a, b)] - 1;
      row >= 0 && left > 0;
      row = cells[row * STRIDE + NEXT] - 1, left--
    ) {
      const at = row * STRIDE;
      const isWay = cells[at + 1] === a && cells[at + 2] === b;
      const isWayBack = cells[at + 1] === b && cells[at + 2] === a;
      if ((isWay || isWayBack) && cells[at] >>> 16 === segment) found.push(row);
    }
    return found.sort((one, other) => one - other);
  }

  /** The segment of the outer frames. */
  segment(row: number): number {
    return this.table.cells[row * STRIDE] >>> 16;
  }

  /** TTL or hop limit of its first packet here. */
  hops(row: number): number {
    return this.ttls[row];
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

  /**
   * Whether it carries what stations behind its source say to each other: copies for a collector (port mirroring, as clouds and
   * `tc mirred` make them), which never answers. One station alone may have moved to the destination.
   */
  isMirror(row: number): boolean {
    return this.copies[row] > 1;
  }

  first(row: number): number {
    return this.table.doubles[row * DOUBLES + FIRST];
  }

  last(row: number): number {
    return this.table.doubles[row * DOUBLES + LAST];
  }

  /** The first frames of the row, with their VXLAN headers. */
  places(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + LIST]);
  }

  malformedPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + MALFORMED_LIST]);
  }

  taggedPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + TAGGED_LIST]);
  }

  fragmentedPlaces(row: number): Place[] {
    return this.lists.read(this.table.cells[row * STRIDE + FRAGMENTED_LIST]);
  }

  /** Makes a new row known to `between`. */
  protected link(row: number): void {
    const { heads, before } = this;
    const slot = this.slotOf(row);
    const next = heads[slot];
    this.table.cells[row * STRIDE + NEXT] = next;
    before[row] = 0;
    if (next > 0) before[next - 1] = row + 1;
    heads[slot] = row + 1;
  }

  private forget(row: number): void {
    const { heads, before } = this;
    const { cells } = this.table;
    const at = row * STRIDE;
    for (const list of [LIST, MALFORMED_LIST, TAGGED_LIST, FRAGMENTED_LIST]) this.lists.release(cells[at + list]);
    this.copies[row] = 0;
    const next = cells[at + NEXT];
    const previous = before[row];
    if (previous > 0) cells[(previous - 1) * STRIDE + NEXT] = next;
    else heads[this.slotOf(row)] = next;
    if (next > 0) before[next - 1] = previous;
  }

  private slotOf(row: number): number {
    return slotOfEnds(this.segment(row), this.source(row), this.destination(row));
  }
}

/** The same for both ways. */
function slotOfEnds(segment: number, a: number, b: number): number {
  const ends = Math.imul(Math.min(a, b), 0x85ebca6b) ^ Math.max(a, b) ^ (segment << 8);
  return Math.imul(ends, 0x9e3779b1) >>> 20;
}
