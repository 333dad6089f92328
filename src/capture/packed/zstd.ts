import type { Transform } from 'node:stream';
import { Decompress } from 'fzstd';
import { TransformUnpacker, type Unpacker } from './unpacker.js';

/*
 * Zstandard framing (RFC 8878 section 3.1): frames one after the other, each
 *
 *   0 magic   4 descriptor   window, dictionary and content size as the descriptor says   blocks   checksum
 *
 * and a block is a header of 3 bytes (bit 0 last, 1-2 type, 3-23 size) and its content.
 */
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const BLOCK_HEADER = 3;
const RLE = 1;
const RESERVED = 3;
const LARGEST_BLOCK = 128 * 1024;
const CHECKSUM = 4;
const DICTIONARY_SIZES = [0, 1, 2, 4];
const CONTENT_SIZES = [0, 2, 4, 8];

/** What the zstd program itself unpacks without being told that it may take more memory. */
const LARGEST_WINDOW = 128 * 1024 * 1024;
/** fzstd moves its whole window for each block: more than what RFC 8878 section 3.1.1.1.2 asks for takes too long. */
const LARGEST_FZSTD_WINDOW = 8 * 1024 * 1024;

type CreateTransform = (options: { chunkSize: number }) => Transform;

/** Node 22.15 has zstd, about eight times as fast as fzstd. */
function native(): CreateTransform | undefined {
  return Reflect.get(process.getBuiltinModule('node:zlib'), 'createZstdDecompress');
}

const CHUNK = 1024 * 1024;

/**
 * Unpacks any number of zstd frames. It cuts the input into frames and blocks itself: Node's own unpacker
 * stops after one frame, and fzstd unpacks all that it is given at once, which a few bytes can make gigabytes.
 */
export class ZstdUnpacker implements Unpacker {
  readonly #sink: (bytes: Uint8Array) => void;
  /** Input that does not make a whole header or block yet. */
  #held = Buffer.alloc(0);
  /** Bytes of a skippable frame still to come. */
  #skip = 0;
  /** Unpacks the frame that the input is in; null between frames. */
  #frame: Unpacker | null = null;
  #checksum = 0;

  constructor(sink: (bytes: Uint8Array) => void) {
    this.#sink = sink;
  }

  async write(packed: Uint8Array): Promise<void> {
    const bytes = Buffer.concat([this.#held, packed]);
    let at = 0;
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      const rest = bytes.subarray(at);
      const length = this.#frame === null ? this.#headerLength(rest) : this.#blockLength(rest);
      if (length === 0 || length > rest.length) break;
      const part = rest.subarray(0, length);
      if (this.#frame === null) await this.#begin(part);
      else await this.#unpackBlock(this.#frame, part);
      at += length;
    }
    this.#held = bytes.subarray(at);
  }

  async end(): Promise<void> {
    if (this.#frame !== null || this.#held.length > 0 || this.#skip > 0) throw new Error('unexpected end of file');
  }

  close(): void {
    this.#frame?.close();
  }

  /** Length of the frame header that `bytes` begin with; 0 if more bytes are needed to know. */
  #headerLength(bytes: Buffer): number {
    if (bytes.length < 5) return 0;
    const magic = bytes.readUInt32LE(0);
    if ((magic & 0xfffffff0) === SKIPPABLE) return 8;
    if (magic !== MAGIC) throw new Error('no zstd frame where one should begin');
    const descriptor = bytes[4];
    const single = (descriptor >>> 5) & 1;
    const contentSize = CONTENT_SIZES[descriptor >>> 6] || single;
    return 5 + (1 - single) + DICTIONARY_SIZES[descriptor & 3] + contentSize;
  }

  async #begin(header: Buffer): Promise<void> {
    if (header.readUInt32LE(0) !== MAGIC) {
      this.#skip = header.readUInt32LE(4);
      return;
    }
    const createNative = native();
    const most = createNative === undefined ? LARGEST_FZSTD_WINDOW : LARGEST_WINDOW;
    const window = windowSize(header);
    if (window > most) {
      throw new Error(`its window is ${window} bytes and ${most} is the most; unpack it first: zstd -d --long=31`);
    }
    this.#checksum = header[4] & 4 ? CHECKSUM : 0;
    this.#frame =
      createNative === undefined
        ? new FzstdFrame(this.#sink)
        : new TransformUnpacker(createNative({ chunkSize: CHUNK }), this.#sink);
    await this.#frame.write(header);
  }

  /** Length of the block that `bytes` begin with, the frame's checksum included after the last one; 0 as above. */
  #blockLength(bytes: Buffer): number {
    if (bytes.length < BLOCK_HEADER) return 0;
    const header = bytes.readUIntLE(0, BLOCK_HEADER);
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type === RESERVED || size > LARGEST_BLOCK) throw new Error('a zstd block that cannot be');
    return BLOCK_HEADER + (type === RLE ? 1 : size) + (header & 1 ? this.#checksum : 0);
  }

  async #unpackBlock(frame: Unpacker, block: Buffer): Promise<void> {
    await frame.write(block);
    if ((block[0] & 1) === 0) return;
    await frame.end();
    frame.close();
    this.#frame = null;
  }
}

/** Bytes that must be kept to unpack a frame (RFC 8878 sections 3.1.1.1.2 and 3.1.1.1.4). */
function windowSize(header: Buffer): number {
  const descriptor = header[4];
  if ((descriptor & 0x20) === 0) {
    const base = 2 ** (10 + (header[5] >>> 3));
    return base + (base / 8) * (header[5] & 7);
  }
  const at = 5 + DICTIONARY_SIZES[descriptor & 3];
  switch (descriptor >>> 6) {
    case 0:
      return header[at];
    case 1:
      return header.readUInt16LE(at) + 256;
    case 2:
      return header.readUInt32LE(at);
    default:
      return Number(header.readBigUInt64LE(at));
  }
}

/** One frame unpacked by fzstd. */
class FzstdFrame implements Unpacker {
  readonly #stream: Decompress;

  constructor(sink: (bytes: Uint8Array) => void) {
    this.#stream = new Decompress((bytes) => {
      if (bytes.length > 0) sink(bytes);
    });
  }

  async write(packed: Uint8Array): Promise<void> {
    // Given whole blocks only, fzstd 0.1.1 keeps an empty view of each for ever, and with it the input.
    this.#stream.push(packed.subarray(0, 1));
    this.#stream.push(packed.subarray(1));
  }

  async end(): Promise<void> {
    this.#stream.push(new Uint8Array(0), true);
  }

  close(): void {}
}
