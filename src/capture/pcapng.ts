import type { CaptureInfo } from '../wire/capture-info.js';
import type { Frame } from '../wire/frame.js';
import { type PacketInterface, readDropped, readInterface } from './pcapng-interface.js';
import { OptionReader } from './pcapng-options.js';
import { damage, LARGEST_RECORD, type RecordReader, remark, trimFcs } from './records.js';
import type { OnFrame } from './source.js';

/*
 * pcapng (draft-ietf-opsawg-pcapng). A file is blocks, each framed by its length, twice:
 *
 *   0 type   4 total length   8 body …   total length again
 *
 * A section header block sets the byte order of what follows and starts a new numbering of interfaces;
 * here they are numbered through the whole file.
 */
const Block = {
  Section: 0x0a0d0d0a,
  Interface: 1,
  /** The obsolete packet block. */
  Packet: 2,
  SimplePacket: 3,
  Statistics: 5,
  EnhancedPacket: 6,
  Journal: 9,
  Custom: 0xbad,
  CustomNotToCopy: 0x40000bad,
} as const;

/** Type, length, and for a section header the byte-order magic: what tells the extent of a block. */
export const BLOCK_HEADER = 12;
const BYTE_ORDER = 0x1a2b3c4d;
const TRAILER = 4;

/** Bytes of the fixed fields, from the block's begin: where packet data or options begin. */
const SECTION_FIELDS = 24;
const INTERFACE_FIELDS = 16;
const SIMPLE_FIELDS = 12;
const STATISTICS_FIELDS = 20;
const PACKET_FIELDS = 28;

/** Interfaces described in one file. Rings of files glued together have hundreds; memory must stay bounded. */
const MOST_INTERFACES = 65_536;

/** Packet options (section 4.3): the flags word, and packets lost since the packet before. */
const EPB_FLAGS = 2;
const EPB_DROPCOUNT = 4;
/** The drop count of an obsolete packet block whose writer does not know it. */
const DROPS_UNKNOWN = 0xffff;

/** Whether the first `BLOCK_HEADER` bytes of a file begin a section. */
export function isSectionHeader(header: DataView): boolean {
  if (header.getUint32(0) !== Block.Section) return false;
  return header.getUint32(8) === BYTE_ORDER || header.getUint32(8, true) === BYTE_ORDER;
}

/** Blocks that say something about packets. Names, secrets, journals, custom and unknown blocks do not. */
function isRead(type: number): boolean {
  return type === Block.Section || (type <= Block.EnhancedPacket && type !== 0 && type !== 4);
}

/** Blocks without a packet that Wireshark counts as frames. They are left out, but their numbers are not given away. */
function isNumbered(type: number): boolean {
  return type === Block.Custom || type === Block.CustomNotToCopy || type === Block.Journal;
}

/**
 * Reads pcapng. Damage inside a block costs that block, since its length still leads to the next one; a
 * length that cannot be true ends the file.
 */
export class PcapngReader implements RecordReader {
  pending = 0;
  needed = BLOCK_HEADER;
  stopped = false;
  readonly #info: CaptureInfo;
  readonly #options = new OptionReader();
  #littleEndian = true;
  /** Interfaces of this section, and the number of its first one in the file. */
  #interfaces: PacketInterface[] = [];
  #first = 0;
  /** Drops according to interface statistics, and according to the packets; both tell of the same losses. */
  #reported = 0;
  #lost = 0;

  constructor(info: CaptureInfo) {
    this.#info = info;
  }

  walk(frame: Frame, onFrame: OnFrame, from: number, to: number, base: number): number {
    const view = frame.view;
    let at = from;
    let next = from;
    this.needed = BLOCK_HEADER;
    while (at + BLOCK_HEADER <= to) {
      const type = view.getUint32(at, this.#littleEndian);
      if (type === Block.Section && !this.#setByteOrder(view, at, base)) break;
      const length = this.#blockLength(view, at, base);
      if (length === 0) break;
      next = at + length;
      if (isNumbered(type)) frame.number++;
      if (!isRead(type) || this.#isTooLong(length, base + at)) {
        if (next > to) {
          this.needed = length;
          break;
        }
      } else if (next > to) {
        this.needed = length;
        next = at;
        break;
      } else {
        next = at + this.#extent(view, at, length, base);
        frame.position = base + at;
        if (this.#read(type, frame, at, next - TRAILER)) onFrame(frame);
      }
      at = next;
    }
    this.pending = base + at;
    this.#info.comments = this.#options.comments;
    return Math.max(at, next);
  }

  /** Takes the byte order from a section header. False if it has neither, which nothing can be read after. */
  #setByteOrder(view: DataView, at: number, base: number): boolean {
    const big = view.getUint32(at + 8);
    const little = view.getUint32(at + 8, true);
    this.#littleEndian = little === BYTE_ORDER;
    if (this.#littleEndian || big === BYTE_ORDER) return true;
    return this.#stop(base + at, 'the section header that begins here has no byte-order mark');
  }

  /** The length of the block, rounded up where its writer forgot the padding as Wireshark does; 0 if impossible. */
  #blockLength(view: DataView, at: number, base: number): number {
    const length = view.getUint32(at + 4, this.#littleEndian);
    if (length >= BLOCK_HEADER) return length + (-length & 3);
    this.#stop(base + at, `the block here claims ${length} bytes, fewer than its own frame`);
    return 0;
  }

  #stop(offset: number, message: string): false {
    this.stopped = true;
    damage(this.#info, offset, `${message}; nothing behind it can be read`);
    return false;
  }

  #isTooLong(length: number, offset: number): boolean {
    if (length <= LARGEST_RECORD) return false;
    damage(this.#info, offset, `the block here claims ${length} bytes, more than ${LARGEST_RECORD}; it was skipped`);
    return true;
  }

  /**
   * Where the block really ends. It must end with its length again; if it does not, it may be that text in it
   * was made shorter and its length forgotten. Then the length stands where it ends, before another block.
   */
  #extent(view: DataView, at: number, length: number, base: number): number {
    const claimed = view.getUint32(at + 4, this.#littleEndian);
    const trailer = view.getUint32(at + length - TRAILER, this.#littleEndian);
    if (trailer === claimed || trailer === length) return length;
    for (let end = BLOCK_HEADER; end < length; end += 4) {
      if (view.getUint32(at + end - TRAILER, this.#littleEndian) !== claimed) continue;
      // Of the block behind it, what lies in this one is there to be looked at.
      if (end <= length - 8 && !this.#beginsBlock(view, at + end)) continue;
      remark(this.#info, base + at, `the block here claims ${claimed} bytes and has ${end}; nothing was lost`);
      return end;
    }
    const message = `the block here has ${claimed} bytes by its begin and ${trailer} by its end; the first was believed`;
    remark(this.#info, base + at, message);
    return length;
  }

  #beginsBlock(view: DataView, at: number): boolean {
    const length = view.getUint32(at + 4, this.#littleEndian);
    return isRead(view.getUint32(at, this.#littleEndian)) && length >= BLOCK_HEADER && length <= LARGEST_RECORD;
  }

  /** Reads a whole block whose body ends at `end`. True if it was a packet and `frame` holds it. */
  #read(type: number, frame: Frame, at: number, end: number): boolean {
    switch (type) {
      case Block.EnhancedPacket:
        return this.#readEnhancedPacket(frame, at, end);
      case Block.SimplePacket:
        return this.#readSimplePacket(frame, at, end);
      case Block.Packet:
        return this.#readPacket(frame, at, end);
      case Block.Interface:
        return this.#readInterface(frame, at, end);
      case Block.Statistics:
        return this.#readStatistics(frame, at, end);
      default:
        return this.#readSection(frame, at, end);
    }
  }

  #readSection(frame: Frame, at: number, end: number): false {
    this.#first += this.#interfaces.length;
    this.#interfaces = [];
    if (at + SECTION_FIELDS > end) return this.#tooShort(frame, 'section header');
    this.#options.open(frame.view, at + SECTION_FIELDS, end, this.#littleEndian);
    while (this.#options.next());
    return false;
  }

  #readInterface(frame: Frame, at: number, end: number): false {
    if (at + INTERFACE_FIELDS > end) return this.#tooShort(frame, 'interface description');
    if (this.#info.interfaces.length === MOST_INTERFACES) {
      return this.#damaged(frame, `more than ${MOST_INTERFACES} interfaces; this one and its packets were left out`);
    }
    const view = frame.view;
    this.#options.open(view, at + INTERFACE_FIELDS, end, this.#littleEndian);
    const linkType = view.getUint16(at + 8, this.#littleEndian);
    const snapLength = view.getUint32(at + 12, this.#littleEndian);
    const described = readInterface(linkType, snapLength, this.#options);
    this.#interfaces.push(described);
    this.#info.interfaces.push(described.info);
    return false;
  }

  #readStatistics(frame: Frame, at: number, end: number): false {
    if (at + STATISTICS_FIELDS > end) return this.#tooShort(frame, 'interface statistics');
    const described = this.#interfaces[frame.view.getUint32(at + 8, this.#littleEndian)];
    this.#options.open(frame.view, at + STATISTICS_FIELDS, end, this.#littleEndian);
    const dropped = readDropped(this.#options);
    if (described === undefined || dropped === null) return false;
    // The counters run from the begin of the capture: a later block replaces an earlier one.
    this.#reported += dropped - (described.info.dropped ?? 0);
    described.info.dropped = dropped;
    this.#info.dropped = Math.max(this.#reported, this.#lost);
    return false;
  }

  #readSimplePacket(frame: Frame, at: number, end: number): boolean {
    if (at + SIMPLE_FIELDS > end) return this.#tooShort(frame, 'packet');
    const described = this.#interfaces[0];
    if (described === undefined) return this.#unknownInterface(frame, 0);
    const wireLength = frame.view.getUint32(at + 8, this.#littleEndian);
    const snapLength = described.info.snapLength;
    const kept = snapLength === 0 ? wireLength : Math.min(wireLength, snapLength);
    const captured = Math.min(kept, end - at - SIMPLE_FIELDS);
    this.#fill(frame, 0, described, at + SIMPLE_FIELDS, captured, wireLength);
    // It has no time stamp: the time of the packet before it, as near as can be told, stays.
    this.#info.untimed++;
    if (described.fcs !== 0) trimFcs(frame, described.fcs);
    return true;
  }

  #readPacket(frame: Frame, at: number, end: number): boolean {
    if (at + PACKET_FIELDS > end) return this.#tooShort(frame, 'packet');
    const number = frame.view.getUint16(at + 8, this.#littleEndian);
    if (!this.#readTimedPacket(frame, at, end, number)) return false;
    const drops = frame.view.getUint16(at + 10, this.#littleEndian);
    if (drops !== DROPS_UNKNOWN) this.#lose(frame, drops);
    return true;
  }

  #readEnhancedPacket(frame: Frame, at: number, end: number): boolean {
    if (at + PACKET_FIELDS > end) return this.#tooShort(frame, 'packet');
    return this.#readTimedPacket(frame, at, end, frame.view.getUint32(at + 8, this.#littleEndian));
  }

  /** What enhanced and obsolete packet blocks have in common: all but the fields at 8. */
  #readTimedPacket(frame: Frame, at: number, end: number, number: number): boolean {
    const view = frame.view;
    const littleEndian = this.#littleEndian;
    const described = this.#interfaces[number];
    if (described === undefined) return this.#unknownInterface(frame, number);
    const start = at + PACKET_FIELDS;
    const captured = view.getUint32(at + 20, littleEndian);
    if (start + captured > end) {
      return this.#damaged(frame, `this packet claims ${captured} captured bytes, more than its block has; left out`);
    }
    this.#fill(frame, number, described, start, captured, view.getUint32(at + 24, littleEndian));
    const clock = described.clock;
    clock.set(view.getUint32(at + 12, littleEndian), view.getUint32(at + 16, littleEndian));
    frame.setTime(clock.seconds, clock.nanoseconds);
    const options = start + captured + (-captured & 3);
    let fcs = described.fcs;
    if (options < end) fcs = this.#readPacketOptions(frame, options, end) || fcs;
    if (fcs !== 0) trimFcs(frame, fcs);
    return true;
  }

  #fill(frame: Frame, number: number, described: PacketInterface, start: number, captured: number, wire: number): void {
    frame.number++;
    frame.interface = this.#first + number;
    frame.linkType = described.info.linkType;
    frame.start = start;
    frame.end = start + captured;
    frame.wireLength = wire;
    frame.direction = 0;
    frame.deviceIndex = 0;
    frame.droppedBefore = 0;
  }

  /** Direction and drops of a packet. Returns the length of its frame check sequence in bytes, 0 if not said. */
  #readPacketOptions(frame: Frame, from: number, end: number): number {
    const options = this.#options;
    let fcs = 0;
    options.open(frame.view, from, end, this.#littleEndian);
    while (options.next()) {
      if (options.code === EPB_FLAGS && options.length === 4) {
        const flags = options.uint32();
        const direction = flags & 3;
        if (direction === 1 || direction === 2) frame.direction = direction;
        fcs = (flags >>> 5) & 0xf;
      } else if (options.code === EPB_DROPCOUNT && options.length === 8) {
        this.#lose(frame, options.uint64());
      }
    }
    return fcs;
  }

  #lose(frame: Frame, drops: number): void {
    frame.droppedBefore = drops;
    this.#lost += drops;
    this.#info.dropped = Math.max(this.#reported, this.#lost);
  }

  #unknownInterface(frame: Frame, number: number): false {
    return this.#damaged(frame, `this packet names interface ${number}, which its section does not describe; left out`);
  }

  #tooShort(frame: Frame, what: string): false {
    return this.#damaged(frame, `the ${what} here is too short for its own fields; left out`);
  }

  #damaged(frame: Frame, message: string): false {
    damage(this.#info, frame.position, message);
    return false;
  }
}
