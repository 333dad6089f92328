import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Imix } from './imix.js';
import type { Question, Traffic } from './lan.js';
import { Packet } from './packet.js';
import { Random } from './random.js';
import { Small } from './small.js';
import { Vxlan } from './vxlan.js';

export type CorpusName = 'small' | 'imix' | 'vxlan';

interface Corpus {
  readonly seed: number;
  /** Mean distance of two packets in microseconds. */
  readonly gap: number;
  /** Packets, unless told otherwise. */
  readonly packets: number;
  make(random: Random): Traffic;
}

export const CORPORA: Readonly<Record<CorpusName, Corpus>> = {
  small: { seed: 1, gap: 500, packets: 2_000_000, make: (random) => new Small(random) },
  imix: { seed: 2, gap: 20, packets: 1_000_000, make: (random) => new Imix(random) },
  vxlan: { seed: 3, gap: 50, packets: 1_000_000, make: (random) => new Vxlan(random) },
};

/** Where a corpus ends, whichever comes first. */
export interface Limit {
  readonly packets?: number;
  /** Size of the file. */
  readonly bytes?: number;
}

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const CHUNK = 1 << 20;
/** 2026-01-01T00:00:00Z */
const BEGIN = 1_767_225_600;
/** Questions asked before the first is answered: an answer comes 15 packets later, a millisecond or so. */
const IN_FLIGHT = 8;

/**
 * Writes a corpus as a microsecond pcap file, the same bytes for the same limit. A file that is there already is
 * kept.
 */
export function generate(name: CorpusName, path: string, limit: Limit): void {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const file = openSync(part, 'w');
  try {
    for (const chunk of chunks(name, limit)) writeSync(file, chunk);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
}

/** The bytes of a corpus, in pieces of about 1 MiB that are valid until the next is asked for. */
export function* chunks(name: CorpusName, limit: Limit): Generator<Uint8Array> {
  const { packets = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = limit;
  const corpus = CORPORA[name];
  const random = new Random(corpus.seed);
  const traffic = corpus.make(random);
  const packet = new Packet();
  const pending: Question[] = [];
  const chunk = Buffer.alloc(CHUNK + RECORD_HEADER + packet.bytes.length);
  let used = writeFileHeader(chunk);
  let before = 0;
  let microseconds = 0;
  for (let step = 0; step < packets; step++) {
    microseconds += random.below(2 * corpus.gap);
    const reply = step % 2 === 1 && pending.length >= IN_FLIGHT;
    const question = reply ? (pending.shift() as Question) : traffic.ask();
    if (!reply) pending.push(question);
    traffic.write(packet, question, reply, microseconds);
    if (before + used + RECORD_HEADER + packet.length > bytes) break;
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
  to.writeUInt32LE(BEGIN + Math.floor(microseconds / 1e6), at);
  to.writeUInt32LE(microseconds % 1e6, at + 4);
  to.writeUInt32LE(packet.length, at + 8);
  to.writeUInt32LE(packet.length, at + 12);
  to.set(packet.bytes.subarray(packet.start, packet.end), at + RECORD_HEADER);
  return at + RECORD_HEADER + packet.length;
}
