import type { CaptureInfo } from '../../wire/capture-info.js';
import type { Frame } from '../../wire/frame.js';
import { damage, LARGEST_RECORD, type RecordReader, remark, trimFcs } from '../records.js';
import type { OnFrame } from '../source.js';
import {
  BLOCK_HEADER,
  Block,
  BYTE_ORDER,
  descriptionExtent,
  endsWithLength,
  isDescription,
  isNumbered,
  isRead,
  SECTION_FIELDS,
  TRAILER,
} from './blocks.js';
import { type PacketInterface, readDropped, readInterface } from './interface.js';
import { Option, OptionReader } from './options.js';

/** Bytes of the fixed fields, from the block's begin: where packet data or options begin. */
const INTERFACE_FIELDS = 16;
const SIMPLE_FIELDS = 12;
const STATISTICS_FIELDS = 20;
const PACKET_FIELDS = 28;

/** Interfaces described in one file. Rings of files glued together have hundreds; memory must stay bounded. */
const MOST_INTERFACES = 65_536;

/** The drop count of an obsolete packet block whose writer does not know it. */
const DROPS_UNKNOWN = 0xffff;

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
        next = this.#end(view, type, at, length, base);
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

  /** Where the block that begins at `at` and claims `length` bytes ends; told if that is somewhere else. */
  #end(view: DataView, type: number, at: number, length: number, base: number): number {
    const extent = isDescription(type) ? descriptionExtent(view, at, length, this.#littleEndian) : length;
    if (extent < length) {
      remark(this.#info, base + at, `the block here claims ${length} bytes and has ${extent}; nothing was lost`);
    } else if (!endsWithLength(view, at, length, this.#littleEndian)) {
      remark(this.#info, base + at, `the block here does not end with the length that it begins with, ${length}`);
    }
    return at + extent;
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
    // It has no time stamp: the time of the packet before it, as near as can be told, stays. The first of all begins the count.
    frame.setTime(frame.seconds, frame.nanoseconds);
    this.#info.untimed++;
    if (described.fcs !== 0) trimFcs(frame, described.fcs);
    return true;
  }

  #readPacket(frame: Frame, at: number, end: number): boolean {
    if (at + PACKET_FIELDS > end) return this.#tooShort(frame, 'packet');
    const number = frame.view.getUint16(at + 8, this.#littleEndian);
    if (!this.#readTimedPacket(frame, at, end, number)) return false;
    const drops = frame.view.getUint16(at + 10, this.#littleEndian);
    if (drops !== DROPS_UNKNOWN) this.#lose(drops);
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
  }

  /** Direction and drops of a packet. Returns the length of its frame check sequence in bytes, 0 if not said. */
  #readPacketOptions(frame: Frame, from: number, end: number): number {
    const options = this.#options;
    let fcs = 0;
    options.open(frame.view, from, end, this.#littleEndian);
    while (options.next()) {
      if (options.code === Option.PacketFlags && options.length === 4) {
        const flags = options.uint32();
        const direction = flags & 3;
        if (direction === 1 || direction === 2) frame.direction = direction;
        fcs = (flags >>> 5) & 0xf;
      } else if (options.code === Option.PacketDropCount && options.length === 8) {
        this.#lose(options.uint64());
      }
    }
    return fcs;
  }

  #lose(drops: number): void {
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
