import type { Frame } from '../../wire/frame.js';
import { DESTINATION as IPV4_DESTINATION, SOURCE as IPV4_SOURCE } from '../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE } from '../../wire/ipv6.js';
import { type FrameLists, MAX_LISTED } from '../rows/frame-lists.js';
import {
  DOUBLES,
  FIRST,
  FLAWS,
  FRAGMENTED,
  FRAGMENTED_LIST,
  FRAMES,
  FROM,
  GROUP,
  INNER,
  LAST,
  LIST,
  MALFORMED,
  MALFORMED_LIST,
  MAX_TUNNELS,
  SOURCE_HI,
  SOURCE_LO,
  SOURCES,
  STRIDE,
  TAGGED,
  TAGGED_LIST,
  TO,
  TunnelRows,
  VERSION,
} from './tunnel-rows.js';

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
  /** The I flag is clear, and no usual Ethernet frame follows: something else that uses the port. Its VNI is noted as 0, and nothing is read inside. */
  Foreign: 32,
} as const;

/**
 * VXLAN as the network below sees it: a row is a way from one tunnel endpoint to another, (outer segment, UDP port,
 * outer source, outer destination, VNI). The way back is another row. Addresses are rows of `Addresses`.
 */
export class Tunnels extends TunnelRows {
  /** Row and 1 by hash of what a packet tells of its tunnel: found so before its addresses are looked up. */
  private readonly atHand = new Int32Array(MAX_TUNNELS);

  constructor(
    lists: FrameLists,
    /** Told after the 1st, 2nd, 4th, 8th … frame of a row. */
    private readonly tell: (row: number) => void,
  ) {
    super(lists);
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
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    if (cells[at + FRAMES] === 0) {
      cells[at + INNER] = inner;
      doubles[row * DOUBLES + FIRST] = frame.time;
      this.link(row);
    }
    this.again(row, frame, layer);
    return row;
  }

  /** Counts a frame of a row that is known. */
  again(row: number, frame: Frame, layer: number): void {
    const { cells, doubles } = this.table;
    const at = row * STRIDE;
    const frames = ++cells[at + FRAMES];
    doubles[row * DOUBLES + LAST] = frame.time;
    if (frames <= MAX_LISTED) cells[at + LIST] = this.append(cells[at + LIST], frame, layer);
    // With more tunnels than there is room for, only the end of the capture tells.
    if ((frames & (frames - 1)) === 0 && this.table.evicted === 0) this.tell(row);
  }

  /** The row of a packet that `keepAtHand` was told of, -1 if it is not at hand; `ip` is where its outer IPv4 header is. */
  atHandForIpv4(segment: number, port: number, vni: number, view: DataView, ip: number): number {
    const { cells } = this.table;
    const from = view.getInt32(ip + IPV4_SOURCE);
    const to = view.getInt32(ip + IPV4_DESTINATION);
    const row = this.atHand[slotOf(from, to, vni)] - 1;
    const at = row * STRIDE;
    return row >= 0 &&
      cells[at + FROM] === from &&
      cells[at + TO] === to &&
      cells[at + 3] === vni &&
      cells[at] === ((segment << 16) | port) &&
      cells[at + VERSION] === 4
      ? row
      : -1;
  }

  /** The same for IPv6. */
  atHandForIpv6(segment: number, port: number, vni: number, view: DataView, ip: number): number {
    const { cells } = this.table;
    const row = this.atHand[slotOf(folded(view, ip + IPV6_SOURCE), folded(view, ip + IPV6_DESTINATION), vni)] - 1;
    const at = row * STRIDE;
    if (row < 0 || cells[at + VERSION] !== 6 || cells[at + 3] !== vni || cells[at] !== ((segment << 16) | port))
      return -1;
    for (let word = 0; word < 4; word++) {
      if (cells[at + FROM + word] !== view.getInt32(ip + IPV6_SOURCE + word * 4)) return -1;
      if (cells[at + TO + word] !== view.getInt32(ip + IPV6_DESTINATION + word * 4)) return -1;
    }
    return row;
  }

  /** Notes the TTL or hop limit of its first packet. */
  sentWith(row: number, hops: number): void {
    if (this.table.cells[row * STRIDE + FRAMES] === 1) this.ttls[row] = hops;
  }

  /** Keeps the row of a packet at hand. */
  keepAtHand(row: number, vni: number, view: DataView, ip: number, isIpv4: boolean): void {
    const { cells } = this.table;
    const at = row * STRIDE;
    const source = ip + (isIpv4 ? IPV4_SOURCE : IPV6_SOURCE);
    const destination = ip + (isIpv4 ? IPV4_DESTINATION : IPV6_DESTINATION);
    cells[at + VERSION] = isIpv4 ? 4 : 6;
    for (let word = 0; word < (isIpv4 ? 1 : 4); word++) {
      cells[at + FROM + word] = view.getInt32(source + word * 4);
      cells[at + TO + word] = view.getInt32(destination + word * 4);
    }
    const slot = isIpv4
      ? slotOf(cells[at + FROM], cells[at + TO], vni)
      : slotOf(folded(view, source), folded(view, destination), vni);
    this.atHand[slot] = row + 1;
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

  /** Notes a frame for a station behind the source, of which `lo` is the low half of the MAC. */
  copied(row: number, lo: number): void {
    if (this.copies[row] === 0) {
      this.copies[row] = 1;
      this.copiedTo[row] = lo;
    } else if (this.copiedTo[row] !== lo) this.copies[row] = 2;
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

  private append(list: number, frame: Frame, layer: number): number {
    const offset = frame.offsets[layer];
    return this.lists.append(list, frame.number, offset - frame.start, frame.ends[layer] - offset);
  }
}

function slotOf(from: number, to: number, vni: number): number {
  return Math.imul(from ^ Math.imul(to ^ Math.imul(vni, 0x9e3779b1), 0x85ebca6b), 0xc2b2ae35) >>> 20;
}

/** An IPv6 address in one word, for a hash. */
function folded(view: DataView, at: number): number {
  const network = view.getInt32(at) ^ Math.imul(view.getInt32(at + 4), 0x9e3779b1);
  return network ^ Math.imul(view.getInt32(at + 8), 0x85ebca6b) ^ view.getInt32(at + 12);
}
