import type { Transform } from 'node:stream';

/** Gets packed bytes and hands unpacked ones to its sink before `write` or `end` resolves. */
export interface Unpacker {
  /** @throws Error if they are damaged; what could be unpacked before went to the sink */
  write(packed: Uint8Array): Promise<void>;
  /** @throws Error if more was to come */
  end(): Promise<void>;
  close(): void;
}

/**
 * An unpacker of node:zlib. It is never paused: a paused stream drops what it holds when damage ends it, so
 * the amount is bounded by writing little at a time instead.
 */
export class TransformUnpacker implements Unpacker {
  readonly #stream: Transform;
  /** Settles when the stream ends: well, damaged, or destroyed. */
  readonly #end: Promise<Error | null>;
  readonly #trailer: number;
  /** The last bytes so far, as many as the trailer may have. */
  #held = Buffer.alloc(0);

  /**
   * @param trailer bytes at the end to be written last and alone: zlib gives out nothing of a write that fails,
   *   and a wrong checksum should not cost the data before it
   */
  constructor(stream: Transform, sink: (bytes: Uint8Array) => void, trailer = 0) {
    this.#stream = stream;
    this.#trailer = trailer;
    this.#end = new Promise((resolve) => {
      stream.once('error', resolve);
      stream.once('end', () => resolve(null));
      stream.once('close', () => resolve(null));
    });
    stream.on('data', sink);
  }

  async write(packed: Uint8Array): Promise<void> {
    const bytes = Buffer.concat([this.#held, packed]);
    const now = Math.max(0, bytes.length - this.#trailer);
    this.#held = bytes.subarray(now);
    if (now > 0) await this.#write(bytes.subarray(0, now));
  }

  async end(): Promise<void> {
    this.#stream.end(this.#held);
    await this.#check(this.#end);
  }

  close(): void {
    this.#stream.destroy();
  }

  async #write(packed: Uint8Array): Promise<void> {
    const written = new Promise<null>((resolve) => this.#stream.write(packed, () => resolve(null)));
    // A write that fails never calls back.
    await this.#check(Promise.race([written, this.#end]));
  }

  async #check(result: Promise<Error | null>): Promise<void> {
    const error = await result;
    if (error !== null) throw error;
  }
}
