/*
 * Options of a pcapng block (draft-ietf-opsawg-pcapng section 3.5): code u16, length u16, value, padded to
 * 32 bits; code 0 ends the list, which the end of the block does as well.
 */
const HEADER = 4;

/** Codes of options; those of a block mean something in that block only. */
export const Option = {
  End: 0,
  Comment: 1,
  /** Section header block, section 4.1. */
  SectionSystem: 3,
  SectionApplication: 4,
  /** Interface description block, section 4.2. */
  InterfaceName: 2,
  InterfaceDescription: 3,
  InterfaceResolution: 9,
  InterfaceFilter: 11,
  InterfaceFcsLength: 13,
  InterfaceOffset: 14,
  /** Enhanced packet block, section 4.3: the flags word, and packets lost since the packet before. */
  PacketFlags: 2,
  PacketDropCount: 4,
  /** Interface statistics block, section 4.6: packets lost by the interface and by the system. */
  StatisticsDropped: 5,
  StatisticsSystemDropped: 7,
} as const;

/** Steps through the options of one block after the other without allocating. */
export class OptionReader {
  code = 0;
  /** Where the value of the option lies in the view, and its length in bytes. */
  offset = 0;
  length = 0;
  /** Comments met so far, in all blocks. */
  comments = 0;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #littleEndian = true;
  #next = 0;
  #end = 0;

  open(view: DataView, from: number, end: number, littleEndian: boolean): void {
    this.#view = view;
    this.#next = from;
    this.#end = end;
    this.#littleEndian = littleEndian;
  }

  /** Moves to the next option. False behind the last one, and where an option does not fit in its block. */
  next(): boolean {
    const at = this.#next;
    if (at + HEADER > this.#end) return false;
    this.code = this.#view.getUint16(at, this.#littleEndian);
    if (this.code === Option.End) return false;
    this.offset = at + HEADER;
    this.length = this.#view.getUint16(at + 2, this.#littleEndian);
    if (this.offset + this.length > this.#end) return false;
    this.#next = this.offset + this.length + (-this.length & 3);
    if (this.code === Option.Comment) this.comments++;
    return true;
  }

  uint8(): number {
    return this.#view.getUint8(this.offset);
  }

  uint32(): number {
    return this.#view.getUint32(this.offset, this.#littleEndian);
  }

  /** Exact up to 2^53. */
  uint64(): number {
    const high = this.#view.getUint32(this.offset + (this.#littleEndian ? 4 : 0), this.#littleEndian);
    const low = this.#view.getUint32(this.offset + (this.#littleEndian ? 0 : 4), this.#littleEndian);
    return high * 0x100000000 + low;
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.offset, this.#littleEndian);
  }

  /**
   * The value as UTF-8, up to a first NUL that some writers add, without its first `skip` bytes and behind `most`; text
   * from outside.
   */
  text(skip = 0, most = Number.POSITIVE_INFINITY): string {
    const view = this.#view;
    const length = Math.min(this.length - skip, most);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + this.offset + skip, length);
    const nul = bytes.indexOf(0);
    return utf8.decode(nul < 0 ? bytes : bytes.subarray(0, nul));
  }
}

const utf8 = new TextDecoder();
