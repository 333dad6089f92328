import { LARGEST_RECORD } from '../records.js';

/*
 * pcapng (draft-ietf-opsawg-pcapng). A file is blocks, each framed by its length, twice:
 *
 *   0 type   4 total length   8 body …   total length again
 *
 * A section header block sets the byte order of what follows and starts a new numbering of interfaces;
 * here they are numbered through the whole file.
 */
export const Block = {
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
export const BYTE_ORDER = 0x1a2b3c4d;
/** Bytes of a block's length behind its options. */
export const TRAILER = 4;
/** Bytes of a section header in front of its options. */
export const SECTION_FIELDS = 24;

/** Whether the first `BLOCK_HEADER` bytes of a file begin a section. */
export function isSectionHeader(header: DataView): boolean {
  if (header.getUint32(0) !== Block.Section) return false;
  return header.getUint32(8) === BYTE_ORDER || header.getUint32(8, true) === BYTE_ORDER;
}

/** Blocks that say something about packets. Names, secrets, journals, custom and unknown blocks do not. */
export function isRead(type: number): boolean {
  return type === Block.Section || (type <= Block.EnhancedPacket && type !== 0 && type !== 4);
}

/** Blocks without a packet that Wireshark counts as frames. They are left out, but their numbers are not given away. */
export function isNumbered(type: number): boolean {
  return type === Block.Custom || type === Block.CustomNotToCopy || type === Block.Journal;
}

/** Blocks that hold text about the capture. */
export function isDescription(type: number): boolean {
  return type === Block.Section || type === Block.Interface;
}

/** The shortest description: an interface without options. */
const SHORTEST_DESCRIPTION = 20;

/** Whether a block ends with the length that it begins with, be it rounded up or not. */
export function endsWithLength(view: DataView, at: number, length: number, littleEndian: boolean): boolean {
  const trailer = view.getUint32(at + length - TRAILER, littleEndian);
  return trailer === length || trailer === view.getUint32(at + 4, littleEndian);
}

/**
 * The true length of a description that claims `length` bytes, all of them at hand. Programs that make its
 * text shorter and forget the lengths leave the claim standing where it ends, before another block.
 * That is looked for even if the claimed end looks right: in a run of such blocks, the length of the next one
 * stands there.
 */
export function descriptionExtent(view: DataView, at: number, length: number, littleEndian: boolean): number {
  const claimed = view.getUint32(at + 4, littleEndian);
  for (let extent = SHORTEST_DESCRIPTION; extent < length; extent += 4) {
    if (view.getUint32(at + extent - TRAILER, littleEndian) !== claimed) continue;
    if (extent <= length - 8) {
      if (beginsBlock(view, at + extent, littleEndian)) return extent;
    } else if (!endsWithLength(view, at, length, littleEndian)) return extent;
  }
  return length;
}

function beginsBlock(view: DataView, at: number, littleEndian: boolean): boolean {
  const length = view.getUint32(at + 4, littleEndian);
  return isRead(view.getUint32(at, littleEndian)) && length >= BLOCK_HEADER && length <= LARGEST_RECORD;
}
