import { closeSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** Bytes on their way in, pulled by whoever reads the capture. */
export interface ByteInput {
  /** Bytes taken from the disk or the pipe so far, and how many there are, null if nobody knows. */
  readonly taken: number;
  readonly total: number | null;
  /**
   * Puts some bytes, at most `length`, into `into` from `at` on.
   * @returns how many; 0 at the end, and after `close`. A number at once where nothing has to be waited for.
   * @throws Error if the bytes cannot be had (input/output error, damaged compression)
   */
  read(into: Uint8Array, at: number, length: number): number | Promise<number>;
  close(): void;
}

/**
 * A regular file. Synchronous reads: from the page cache they take less time than handing them to another
 * thread would; whoever reads in a loop gives the event loop its turns.
 */
export class FileInput implements ByteInput {
  taken = 0;
  #open = true;

  /** @param fd read from where it stands, and closed by `close` unless it is standard input */
  constructor(
    readonly fd: number,
    readonly total: number,
  ) {}

  read(into: Uint8Array, at: number, length: number): number {
    if (!this.#open) return 0;
    const got = readSync(this.fd, into, at, length, null);
    this.taken += got;
    return got;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.fd !== 0) closeSync(this.fd);
  }
}

/** A pipe, a terminal, a socket: bytes come when they come, and are handed on as they do. */
export class StreamInput implements ByteInput {
  taken = 0;
  readonly total = null;
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Of the chunk at hand, what was not asked for yet. */
  #rest: Uint8Array = new Uint8Array(0);
  #open = true;

  constructor(stream: Readable) {
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  read(into: Uint8Array, at: number, length: number): number | Promise<number> {
    return this.#rest.length > 0 ? this.#take(into, at, length) : this.#wait(into, at, length);
  }

  close(): void {
    this.#open = false;
    this.#rest = new Uint8Array(0);
    this.#stream.destroy();
  }

  async #wait(into: Uint8Array, at: number, length: number): Promise<number> {
    try {
      while (this.#open && this.#rest.length === 0) {
        const { done, value } = await this.#chunks.next();
        if (done) return 0;
        this.#rest = value;
      }
    } catch (error) {
      // A read that waits when the input is closed ends with ERR_STREAM_PREMATURE_CLOSE: asked for, no failure.
      if (this.#open) throw error;
    }
    return this.#open ? this.#take(into, at, length) : 0;
  }

  #take(into: Uint8Array, at: number, length: number): number {
    const part = this.#rest.subarray(0, length);
    into.set(part, at);
    this.#rest = this.#rest.subarray(part.length);
    this.taken += part.length;
    return part.length;
  }
}
