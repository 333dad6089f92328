import type { CaptureInfo } from '../wire/capture-info.js';
import type { Frame } from '../wire/frame.js';
import { damage, type RecordReader, recordLimit, trimFcs } from './records.js';
import type { OnFrame } from './source.js';

/*
 * Classic pcap (draft-ietf-opsawg-pcap, libpcap sf-pcap.c). All fields in the byte order of the writer.
 *
 * File header                                        Record header
 *   0 magic                                            0 seconds since 1970, unsigned
 *   4 major version u16, 6 minor version u16           4 micro- or nanoseconds
 *   8 reserved                                         8 caplen: bytes that follow the header
 *  16 snap length                                     12 len: bytes on the wire
 *  20 link type: 0-15 type, 26 FCS length is known,   16 "modified" only: interface, protocol, packet type
 *     28-31 FCS length in 16-bit units
 */
export const PCAP_HEADER = 24;

/** Bytes of zeros that are no records: a sector of the disk that was never written. */
const SECTOR = 512;
const RECORD_HEADER = 16;
const MODIFIED_RECORD_HEADER = 24;
const UNSWAPPED_MINOR = 3;

/** Magic number → what it says; read big-endian, so the mirrored ones are little-endian files. */
const MAGICS = new Map([
  [0xa1b2c3d4, { littleEndian: false, scale: 1000, header: RECORD_HEADER }],
  [0xd4c3b2a1, { littleEndian: true, scale: 1000, header: RECORD_HEADER }],
  [0xa1b23c4d, { littleEndian: false, scale: 1, header: RECORD_HEADER }],
  [0x4d3cb2a1, { littleEndian: true, scale: 1, header: RECORD_HEADER }],
  [0xa1b2cd34, { littleEndian: false, scale: 1000, header: MODIFIED_RECORD_HEADER }],
  [0x34cdb2a1, { littleEndian: true, scale: 1000, header: MODIFIED_RECORD_HEADER }],
]);

export function isPcapMagic(magic: number): boolean {
  return MAGICS.has(magic);
}

/** The version in a file header, such as '2.4'; `littleEndian` as its magic says. */
export function pcapVersion(header: DataView): string {
  const littleEndian = MAGICS.get(header.getUint32(0))?.littleEndian;
  return `${header.getUint16(4, littleEndian)}.${header.getUint16(6, littleEndian)}`;
}

/** Reads classic pcap. A record header that cannot be true ends the file: nothing marks where the next one is. */
export class PcapReader implements RecordReader {
  pending = PCAP_HEADER;
  needed: number;
  stopped = false;
  readonly #info: CaptureInfo;
  readonly #littleEndian: boolean;
  /** Nanoseconds in a unit of the time stamp. */
  readonly #scale: number;
  readonly #header: number;
  readonly #limit: number;
  readonly #linkType: number;
  readonly #fcs: number;
  /** Offsets of caplen and len in a record header: libpcap before 0.5 (minor version below 3) had them the other way. */
  readonly #captured: number;
  readonly #wire: number;

  /** @param header the file header, `PCAP_HEADER` bytes, its magic known to be one of pcap's */
  constructor(header: DataView, info: CaptureInfo) {
    const format = MAGICS.get(header.getUint32(0));
    if (format === undefined) throw new TypeError('not a pcap header');
    this.#info = info;
    this.#littleEndian = format.littleEndian;
    this.#scale = format.scale;
    this.#header = format.header;
    this.needed = format.header;
    const snapLength = header.getUint32(16, format.littleEndian);
    const link = header.getUint32(20, format.littleEndian);
    const swapped = header.getUint16(6, format.littleEndian) < UNSWAPPED_MINOR;
    this.#captured = swapped ? 12 : 8;
    this.#wire = swapped ? 8 : 12;
    this.#limit = recordLimit(snapLength);
    this.#linkType = link & 0xffff;
    this.#fcs = link & 0x04000000 ? (link >>> 28) * 2 : 0;
    info.interfaces.push({ name: null, description: null, linkType: this.#linkType, snapLength, dropped: null });
  }

  walk(frame: Frame, onFrame: OnFrame, from: number, to: number, base: number): number {
    const view = frame.view;
    // Compared once, it is known to be a boolean: else each reading below asks what it is.
    const littleEndian = this.#littleEndian === true;
    const scale = this.#scale;
    const header = this.#header;
    const limit = this.#limit;
    const fcs = this.#fcs;
    const capturedAt = this.#captured;
    const wireAt = this.#wire;
    frame.interface = 0;
    frame.linkType = this.#linkType;
    let at = from;
    let needed = header;
    while (at + header <= to) {
      const captured = view.getUint32(at + capturedAt, littleEndian);
      if (captured > limit) {
        this.#refuse(base + at, captured);
        break;
      }
      if (captured === 0 && to - at >= SECTOR && isZero(view, at, SECTOR)) {
        this.#refuseZeros(base + at);
        break;
      }
      const start = at + header;
      const end = start + captured;
      if (end > to) {
        needed = header + captured;
        break;
      }
      frame.number++;
      frame.position = base + at;
      frame.start = start;
      frame.end = end;
      frame.wireLength = view.getUint32(at + wireAt, littleEndian);
      // Decoding a cooked header sets it.
      frame.direction = 0;
      let seconds = view.getUint32(at, littleEndian);
      let nanoseconds = view.getUint32(at + 4, littleEndian) * scale;
      if (nanoseconds >= 1e9) {
        seconds += Math.floor(nanoseconds / 1e9);
        nanoseconds %= 1e9;
      }
      frame.setTime(seconds, nanoseconds);
      if (fcs !== 0) trimFcs(frame, fcs);
      onFrame(frame);
      at = end;
    }
    this.pending = base + at;
    this.needed = needed;
    return at;
  }

  /** Each 16 of these bytes would be a packet of 1970 without a byte. */
  #refuseZeros(offset: number): void {
    this.stopped = true;
    damage(
      this.#info,
      offset,
      'zeros stand here instead of a record, as after a crash or on a full disk; nothing behind them can be read',
    );
  }

  #refuse(offset: number, captured: number): void {
    this.stopped = true;
    damage(
      this.#info,
      offset,
      `this record claims ${captured} captured bytes, more than the ${this.#limit} that a record of this file may have; nothing behind it can be read`,
    );
  }
}

function isZero(view: DataView, from: number, length: number): boolean {
  for (let at = from; at < from + length; at += 4) if (view.getUint32(at) !== 0) return false;
  return true;
}
