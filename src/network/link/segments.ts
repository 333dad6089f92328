import { Direction, type Frame } from '../../wire/frame.js';
import { KeyTable } from '../rows/key-table.js';

/** Segments at most; traffic of further ones is not observed, only counted. */
const MAX_SEGMENTS = 1 << 16;

const Kind = { Port: 1, Vlan: 2, Vni: 3, Mirror: 4 } as const;
/** Rows: kind, parent or capture, id or interface, device index | depth, base. */
const DEPTH = 4;
const BASE = 5;
const DIRECTIONS = 6;
/** In what carries VLANs: row of the VLAN seen last in it. In a VLAN: the one before. 0 is none: row 0 is a port. */
const LATEST = 7;
const EARLIER = 8;
const TPIDS = 9;
const STRIDE = 10;
/** Tag protocol identifiers that are told apart (IEEE 802.1Q and 802.1ad, and those in use before the latter). */
const TPID_VALUES = [0x8100, 0x88a8, 0x9100, 0x9200] as const;
/** Rows at hand, by hash of what they are found by. */
const NEAR = 1 << 8;
/** Ports of one run that are compared with each other at most, the first of them. */
const MAX_PORTS = 256;
/** VLANs of one trunk that are compared with each other at most, the latest of them. */
const MAX_SIBLINGS = 256;

/** The bit of a tag protocol identifier, by its place in `TPID_VALUES`. */
function tpidBit(tpid: number): number {
  if (tpid === 0x8100) return 1;
  if (tpid === 0x88a8) return 2;
  return tpid === 0x9100 ? 4 : 8;
}

export interface SegmentPath {
  capture: number;
  interface: number;
  /** Device number where each packet tells it (LINUX_SLL2), else 0. */
  deviceIndex: number;
  /** Outermost first, without priority tags. */
  vlans: number[];
  vnis: number[];
}

/**
 * Broadcast domains as they can be told apart: (capture, interface, VLAN stack, path of VNIs). What is known of
 * stations and addresses is known per segment: one address in two VLANs is no conflict.
 */
export class Segments {
  /** Frames (or the inner parts of frames) that belong to no row because the table is full. */
  refused = 0;
  private readonly table = new KeyTable(STRIDE, MAX_SEGMENTS);
  /** The row found last for each hash: what it is found by tells whether it is the right one. */
  private readonly near = new Int32Array(NEAR);
  private readonly allPorts: number[] = [];
  private lastBase = -1;
  private lastCapture = -1;
  private lastInterface = -1;
  private lastDevice = -1;

  /** The untagged segment at the port where a frame was captured; -1 if the table is full. */
  base(frame: Frame): number {
    if (
      this.lastInterface !== frame.interface ||
      this.lastDevice !== frame.deviceIndex ||
      this.lastCapture !== frame.capture
    ) {
      this.lastBase = this.row(Kind.Port, frame.capture, frame.interface, frame.deviceIndex | 0, 0, -1);
      this.lastCapture = frame.capture;
      this.lastInterface = frame.interface;
      this.lastDevice = frame.deviceIndex;
    }
    return this.lastBase;
  }

  /** The segment of a VLAN inside another; priority tags (id 0) lead to no other segment. */
  vlan(parent: number, id: number): number {
    return id === 0 || parent < 0 ? parent : this.child(Kind.Vlan, parent, id);
  }

  /** The segment that a tunnel carries through another. */
  vni(parent: number, vni: number): number {
    return parent < 0 ? parent : this.child(Kind.Vni, parent, vni);
  }

  /** The segment whose frames a mirror session carries through another. */
  mirror(parent: number, session: number): number {
    return parent < 0 ? parent : this.child(Kind.Mirror, parent, session);
  }

  get count(): number {
    return this.table.rowCount;
  }

  /** Row of the port that a segment was seen at. */
  baseOf(row: number): number {
    return this.table.cells[row * STRIDE + BASE];
  }

  /** How many VLANs and tunnels deep the segment is: 0 for untagged frames of the port itself. */
  depth(row: number): number {
    return this.table.cells[row * STRIDE + DEPTH];
  }

  /** The other ports of the capture that a port belongs to. */
  otherPorts(base: number): number[] {
    const capture = this.captureOf(base);
    return this.allPorts.filter((port) => port !== base && this.captureOf(port) === capture);
  }

  /** Notes the direction of a frame of a base segment. */
  noteDirection(base: number, direction: Direction): void {
    if (base >= 0) this.table.cells[base * STRIDE + DIRECTIONS] |= 1 << direction;
  }

  /** Whether frames that came in (out) were seen at the port of a segment; false where directions are unknown. */
  sawInbound(row: number): boolean {
    return (this.table.cells[this.baseOf(row) * STRIDE + DIRECTIONS] & (1 << Direction.In)) !== 0;
  }

  sawOutbound(row: number): boolean {
    return (this.table.cells[this.baseOf(row) * STRIDE + DIRECTIONS] & (1 << Direction.Out)) !== 0;
  }

  /** The segment that the innermost tunnel around `row` carries, `row` itself or one around its VLANs; -1 outside tunnels. */
  tunnelOf(row: number): number {
    const trunk = this.trunkOf(row);
    return this.table.cells[trunk * STRIDE] === Kind.Vni ? trunk : -1;
  }

  /** VNI of the innermost tunnel around `row`; -1 outside tunnels. */
  vniOf(row: number): number {
    const tunnel = this.tunnelOf(row);
    return tunnel < 0 ? -1 : this.table.cells[tunnel * STRIDE + 2];
  }

  /** The port or tunnel in which the tags of a segment are put on frames; the segment itself if it has none. */
  trunkOf(row: number): number {
    const { cells } = this.table;
    let at = row;
    while (cells[at * STRIDE] === Kind.Vlan) at = cells[at * STRIDE + 1];
    return at;
  }

  /** The other segments, tagged and untagged, of the port or tunnel that a segment belongs to. */
  siblings(row: number): number[] {
    const { cells } = this.table;
    const pending = [this.trunkOf(row)];
    const found: number[] = [];
    for (let each = pending.pop(); each !== undefined && found.length < MAX_SIBLINGS; each = pending.pop()) {
      if (each !== row) found.push(each);
      for (let vlan = cells[each * STRIDE + LATEST]; vlan !== 0; vlan = cells[vlan * STRIDE + EARLIER]) {
        if (pending.length === MAX_SIBLINGS) break;
        pending.push(vlan);
      }
    }
    return found;
  }

  /** Notes the identifier of a tag that leads into a VLAN. */
  noteTpid(row: number, tpid: number): void {
    if (row < 0) return;
    this.table.cells[row * STRIDE + TPIDS] |= tpidBit(tpid);
  }

  /** For each tag of a segment, outermost first, the identifiers that it was seen with. */
  tpids(row: number): number[][] {
    const { cells } = this.table;
    const found: number[][] = [];
    for (let at = row; cells[at * STRIDE] === Kind.Vlan; at = cells[at * STRIDE + 1])
      found.unshift(TPID_VALUES.filter((_, index) => (cells[at * STRIDE + TPIDS] & (1 << index)) !== 0));
    return found;
  }

  captureOf(row: number): number {
    return this.table.cells[this.baseOf(row) * STRIDE + 1];
  }

  describe(row: number): SegmentPath {
    const { cells } = this.table;
    const vlans: number[] = [];
    const vnis: number[] = [];
    let at = row * STRIDE;
    while (cells[at] !== Kind.Port) {
      if (cells[at] !== Kind.Mirror) (cells[at] === Kind.Vlan ? vlans : vnis).unshift(cells[at + 2]);
      at = cells[at + 1] * STRIDE;
    }
    return { capture: cells[at + 1], interface: cells[at + 2], deviceIndex: cells[at + 3] >>> 0, vlans, vnis };
  }

  private child(kind: number, parent: number, id: number): number {
    const { cells } = this.table;
    return this.row(kind, parent, id, 0, cells[parent * STRIDE + DEPTH] + 1, cells[parent * STRIDE + BASE]);
  }

  private row(kind: number, a: number, b: number, c: number, depth: number, base: number): number {
    const { near } = this;
    const slot = (b ^ Math.imul(a, 37) ^ kind) & (NEAR - 1);
    const at = near[slot] * STRIDE;
    const { cells } = this.table;
    if (cells[at + 2] === b && cells[at + 1] === a && cells[at] === kind && cells[at + 3] === c) return near[slot];
    const row = this.fetch(kind, a, b, c, depth, base);
    if (row >= 0) near[slot] = row;
    return row;
  }

  private fetch(kind: number, a: number, b: number, c: number, depth: number, base: number): number {
    const found = this.table.find(kind, a, b, c);
    if (found >= 0) return found;
    if (this.table.rowCount === MAX_SEGMENTS) {
      this.refused++;
      return -1;
    }
    const row = this.table.add(kind, a, b, c);
    const { cells } = this.table;
    cells[row * STRIDE + DEPTH] = depth;
    cells[row * STRIDE + BASE] = base < 0 ? row : base;
    if (kind === Kind.Port && this.allPorts.length < MAX_PORTS) this.allPorts.push(row);
    if (kind === Kind.Vlan) {
      cells[row * STRIDE + EARLIER] = cells[a * STRIDE + LATEST];
      cells[a * STRIDE + LATEST] = row;
    }
    return row;
  }
}
