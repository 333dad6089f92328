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

  constructor(stream: Transform, sink: (bytes: Uint8Array) => void) {
    this.#stream = stream;
    this.#end = new Promise((resolve) => {
      stream.once('error', resolve);
      stream.once('end', () => resolve(null));
      stream.once('close', () => resolve(null));
    });
    stream.on('data', sink);
  }

  async write(packed: Uint8Array): Promise<void> {
    const written = new Promise<null>((resolve) => this.#stream.write(packed, () => resolve(null)));
    // A stream that fails calls back as well, but only the event says in which order its data came.
    await this.#check(Promise.race([written, this.#end]));
    if (this.#stream.errored) throw this.#stream.errored;
  }

  async end(): Promise<void> {
    this.#stream.end();
    await this.#check(this.#end);
  }

  close(): void {
    this.#stream.destroy();
  }

  async #check(result: Promise<Error | null>): Promise<void> {
    const error = await result;
    if (error !== null) throw error;
  }
}
