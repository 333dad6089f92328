import type { Packet } from './packet.js';

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const CHUNK = 1 << 20;
/** 2026-01-01T00:00:00Z */
const BEGIN = 1_767_225_600;

/**
 * A microsecond pcap file, in pieces of about 1 MiB that are valid until the next is asked for.
 * @param next makes `packet` the packet of this step and returns its time in microseconds; null at the end
 * @param bytes size that the file does not exceed
 */
export function* pcapChunks(
  packet: Packet,
  next: (step: number) => number | null,
  bytes = Number.POSITIVE_INFINITY,
): Generator<Uint8Array> {
  const chunk = Buffer.alloc(CHUNK + RECORD_HEADER + packet.bytes.length);
  let used = writeFileHeader(chunk);
  let before = 0;
  for (let step = 0; ; step++) {
    const microseconds = next(step);
    if (microseconds === null || before + used + RECORD_HEADER + packet.length > bytes) break;
    used = writeRecord(chunk, used, packet, microseconds);
    if (used < CHUNK) continue;
    yield chunk.subarray(0, used);
    before += used;
    used = 0;
  }
  yield chunk.subarray(0, used);
}

/** The header of draft-ietf-opsawg-pcap, little-endian, LINKTYPE_ETHERNET. Returns its length. */
function writeFileHeader(to: Buffer): number {
  to.writeUInt32LE(0xa1b2c3d4, 0);
  to.writeUInt16LE(2, 4);
  to.writeUInt16LE(4, 6);
  to.writeUInt32LE(262_144, 16);
  to.writeUInt32LE(1, 20);
  return FILE_HEADER;
}

/** Returns the offset behind the record. */
function writeRecord(to: Buffer, at: number, packet: Packet, microseconds: number): number {
  to.writeUInt32LE((BEGIN + Math.floor(microseconds / 1e6)) >>> 0, at);
  to.writeUInt32LE(microseconds % 1e6, at + 4);
  to.writeUInt32LE(packet.length, at + 8);
  to.writeUInt32LE(packet.length, at + 12);
  to.set(packet.bytes.subarray(packet.start, packet.end), at + RECORD_HEADER);
  return at + RECORD_HEADER + packet.length;
}
