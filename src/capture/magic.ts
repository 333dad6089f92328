import { isPcapMagic, PCAP_HEADER } from './pcap.js';
import { BLOCK_HEADER, isSectionHeader } from './pcapng/blocks.js';

/** Bytes at the head of an input that are enough to tell any format. */
export const HEAD = Math.max(PCAP_HEADER, BLOCK_HEADER);

export type Format = 'pcap' | 'pcapng' | 'gzip' | 'zstd';

/** The format of an input by its first bytes, as many as there are; null if it is none that is read here. */
export function formatOf(head: Uint8Array): Format | null {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (head.length >= BLOCK_HEADER && isSectionHeader(view)) return 'pcapng';
  if (head.length >= 4 && isPcapMagic(view.getUint32(0))) return 'pcap';
  if (head.length >= 4 && isZstdMagic(view.getUint32(0, true))) return 'zstd';
  if (head.length >= 2 && view.getUint16(0) === 0x1f8b) return 'gzip';
  return null;
}

/** A zstd frame, or a skippable one before it (RFC 8878 sections 3.1.1 and 3.1.2). */
function isZstdMagic(magic: number): boolean {
  return magic === 0xfd2fb528 || (magic >= 0x184d2a50 && magic <= 0x184d2a5f);
}

const CONVERT = 'convert it first: editcap -F pcap <this file> <new file>';
const UNPACK = 'unpack it first';

/** Beginnings of what people take for a capture: what it is, and what to do. Latin-1, matched without case. */
const LOOKALIKES: readonly (readonly [begin: string, what: string, advice: string])[] = [
  ['version https://git-lfs', 'a Git LFS pointer', 'fetch the file itself: git lfs pull'],
  ['<', 'a web page or XML', 'save the file itself, not its web page'],
  ['PK\x03\x04', 'a zip archive', UNPACK],
  ['\xfd7zXZ\0', 'compressed with xz', UNPACK],
  ['BZh', 'compressed with bzip2', UNPACK],
  ['7z\xbc\xaf\x27\x1c', 'a 7-Zip archive', UNPACK],
  ['\x04\x22\x4d\x18', 'compressed with lz4', UNPACK],
  ['snoop\0\0\0', 'a Solaris snoop capture', CONVERT],
  ['btsnoop\0', 'a Bluetooth snoop capture', CONVERT],
  ['RTSS', 'a Microsoft Network Monitor 1 capture', CONVERT],
  ['GMBU', 'a Microsoft Network Monitor 2 capture', CONVERT],
  ['TRSNIFF data', 'a Sniffer (DOS) capture', CONVERT],
  ['XCP\0', 'a NetXRay or Windows Sniffer capture', CONVERT],
  ['iptrace ', 'an AIX iptrace capture', CONVERT],
  ['\x7fpkt', 'a WildPackets capture', CONVERT],
  ['\x7fver', 'a WildPackets capture', CONVERT],
  ['\xa1\xb1\x2c\x3d', 'a Navtel pcap variant', CONVERT],
];

const SHOWN = 24;

/** Why an input that has no known format is no capture, and what to do about it. */
export function explainOther(head: Uint8Array): string {
  const begin = afterBlanks(head);
  const text = String.fromCharCode(...begin);
  const known = LOOKALIKES.find(([mark]) => text.toLowerCase().startsWith(mark.toLowerCase()));
  if (known !== undefined) {
    const [mark, what, advice] = known;
    return mark === '<' ? `starts with ${quoted(begin)}; ${advice}` : `it is ${what}; ${advice}`;
  }
  if (/^\d\d:\d\d:\d\d\.\d+ /.test(text))
    return 'it is what tcpdump prints; have it write the packets: tcpdump -w <file>';
  if (head.length < 4)
    return `it has only ${head.length === 1 ? '1 byte' : `${head.length} bytes`}; capture or copy it again`;
  return `starts with ${quoted(begin)}; give a pcap or pcapng file, as it is or compressed with gzip or zstd`;
}

/** Blanks and line ends, and the byte-order mark of UTF-8, that may come before what a text begins with. */
const BLANKS = [0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf];

function afterBlanks(head: Uint8Array): Uint8Array {
  const first = head.findIndex((byte) => !BLANKS.includes(byte));
  return head.subarray(Math.max(0, first));
}

/** The first word of a text, or the first bytes in hexadecimal: nothing that a terminal would obey. */
function quoted(head: Uint8Array): string {
  const text = String.fromCharCode(...head.subarray(0, SHOWN));
  const word = /^[\x21-\x7e]+/.exec(text)?.[0] ?? '';
  const isText = word.length > 1 && /^[\x20-\x7e\t\r\n]*$/.test(text);
  return isText ? `"${word}"` : `the bytes ${Buffer.from(head.subarray(0, 4)).toString('hex')}`;
}
