import { createGunzip } from 'node:zlib';
import type { ByteInput } from '../input.js';
import { TransformUnpacker, type Unpacker } from './unpacker.js';
import { ZstdUnpacker } from './zstd.js';

/** Packed bytes unpacked at a time. The worst gzip makes a thousand times as many of them. */
const SLICE = 32 * 1024;
/** Output buffers of zlib; its default of 16 KiB takes twice the time. */
const CHUNK = 1024 * 1024;
/** What ends a gzip file: CRC32 and size (RFC 1952 section 2.3.1). */
const GZIP_TRAILER = 8;

/** The unpacked bytes of a compressed input. Unpacks one slice ahead of what was asked for, and no further. */
export class UnpackInput implements ByteInput {
  readonly total: number | null;
  readonly #packed: ByteInput;
  readonly #kind: string;
  readonly #unpacker: Unpacker;
  readonly #slice = new Uint8Array(SLICE);
  /** Packed bytes that were read to find out that they are packed. */
  #head: Uint8Array;
  /** Unpacked and not asked for yet. */
  readonly #ready: Uint8Array[] = [];
  #work: Promise<void> | null = null;
  #ended = false;
  #error: Error | null = null;

  constructor(kind: 'gzip' | 'zstd', head: Uint8Array, packed: ByteInput) {
    const sink = (bytes: Uint8Array) => this.#ready.push(bytes);
    this.#kind = kind;
    this.#head = head;
    this.#packed = packed;
    this.#unpacker =
      kind === 'gzip'
        ? new TransformUnpacker(createGunzip({ chunkSize: CHUNK }), sink, GZIP_TRAILER)
        : new ZstdUnpacker(sink);
    this.total = packed.total;
  }

  get taken(): number {
    return this.#packed.taken;
  }

  read(into: Uint8Array, at: number, length: number): number | Promise<number> {
    return this.#ready.length > 0 ? this.#take(into, at, length) : this.#wait(into, at, length);
  }

  close(): void {
    this.#ended = true;
    this.#packed.close();
    this.#unpacker.close();
  }

  async #wait(into: Uint8Array, at: number, length: number): Promise<number> {
    while (this.#ready.length === 0) {
      if (this.#error !== null) throw this.#error;
      if (this.#ended && this.#work === null) return 0;
      await this.#unpackSlice();
    }
    return this.#take(into, at, length);
  }

  #take(into: Uint8Array, at: number, length: number): number {
    const first = this.#ready[0];
    const part = first.subarray(0, length);
    into.set(part, at);
    if (part.length === first.length) this.#ready.shift();
    else this.#ready[0] = first.subarray(part.length);
    if (this.#ready.length === 0 && !this.#ended) void this.#unpackSlice();
    return part.length;
  }

  /** Unpacks the next slice, or joins in waiting for the one under way. Never rejects. */
  #unpackSlice(): Promise<void> {
    this.#work ??= this.#unpackNext()
      .catch((error) => {
        // What was unpacked before the damage is handed out first.
        if (!this.#ended) this.#error = new Error(`the ${this.#kind} data is damaged or cut: ${error.message}`);
        this.#ended = true;
      })
      .finally(() => {
        this.#work = null;
      });
    return this.#work;
  }

  async #unpackNext(): Promise<void> {
    let slice = this.#head;
    if (slice.length > 0) this.#head = slice.subarray(slice.length);
    else slice = this.#slice.subarray(0, await this.#packed.read(this.#slice, 0, SLICE));
    if (this.#ended) return;
    if (slice.length > 0) return this.#unpacker.write(slice);
    await this.#unpacker.end();
    this.#ended = true;
  }
}
