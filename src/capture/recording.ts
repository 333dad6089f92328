import { setImmediate as turn } from 'node:timers/promises';
import type { CaptureInfo } from '../wire/capture-info.js';
import type { Frame } from '../wire/frame.js';
import type { ByteInput } from './input.js';
import { damage, type RecordReader } from './records.js';
import type { CaptureSource, OnFrame, Progress } from './source.js';

/** Bytes asked for at a time, at most and at least: fewer where frames take their consumer long. */
const LARGEST_READ = 256 * 1024;
const SMALLEST_READ = 16 * 1024;
/** Milliseconds after which the event loop gets a turn. */
const TURN = 8;

/**
 * The bytes of a capture that are in memory: one buffer, read into behind what is there and walked in place.
 * It grows only when it is full of one record, so a record that lies about its length costs what is really
 * there of it.
 */
export class Window {
  bytes = new Uint8Array(2 * LARGEST_READ);
  /** What is read and not walked yet: from `from` to `to`. `from` lies behind `to` while bytes are skipped. */
  from = 0;
  to = 0;
  /** Offset of `bytes[0]` in the uncompressed capture. */
  base = 0;

  /** Reads up to `length` bytes more. @returns how many; 0 at the end of the input */
  async fill(input: ByteInput, length: number): Promise<number> {
    this.#moveTail();
    if (this.bytes.length - this.to < SMALLEST_READ) this.#grow();
    const got = input.read(this.bytes, this.to, Math.min(length, this.bytes.length - this.to));
    const count = typeof got === 'number' ? got : await got;
    this.to += count;
    return count;
  }

  #moveTail(): void {
    const done = Math.min(this.from, this.to);
    this.bytes.copyWithin(0, done, this.to);
    this.base += done;
    this.from -= done;
    this.to -= done;
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.bytes.length);
    larger.set(this.bytes.subarray(0, this.to));
    this.bytes = larger;
  }
}

/** A capture whose records are read from bytes: a file, a compressed file, standard input. */
export class Recording implements CaptureSource {
  readonly info: CaptureInfo;
  readonly progress: Progress;
  hold: Promise<unknown> | null = null;
  readonly #input: ByteInput;
  readonly #window: Window;
  readonly #reader: RecordReader;
  #failed = false;

  constructor(info: CaptureInfo, input: ByteInput, window: Window, reader: RecordReader) {
    this.info = info;
    this.progress = { read: input.taken, total: input.total };
    this.#input = input;
    this.#window = window;
    this.#reader = reader;
  }

  async run(frame: Frame, onFrame: OnFrame, signal?: AbortSignal): Promise<void> {
    const close = () => this.#input.close();
    signal?.addEventListener('abort', close, { once: true });
    this.info.complete = true;
    frame.number = 0;
    frame.deviceIndex = 0;
    try {
      const ended = await this.#walk(frame, onFrame, signal);
      if (ended) this.#noteCut();
      else this.info.complete = false;
    } finally {
      signal?.removeEventListener('abort', close);
      close();
    }
  }

  /** @returns true at the end of the input, false if it was not reached */
  async #walk(frame: Frame, onFrame: OnFrame, signal: AbortSignal | undefined): Promise<boolean> {
    const window = this.#window;
    const reader = this.#reader;
    let length = LARGEST_READ;
    let lastTurn = performance.now();
    while (!signal?.aborted) {
      const begin = performance.now();
      if (frame.bytes !== window.bytes) frame.useBuffer(window.bytes);
      if (window.from <= window.to) window.from = reader.walk(frame, onFrame, window.from, window.to, window.base);
      if (reader.stopped) return false;
      const now = performance.now();
      if (now - begin > TURN) length = Math.max(SMALLEST_READ, length / 2);
      else if (now - begin < TURN / 4) length = Math.min(LARGEST_READ, length * 2);
      if (now - lastTurn > TURN) {
        await turn();
        lastTurn = performance.now();
      }
      if (this.hold !== null) {
        await this.hold;
        this.hold = null;
      }
      if ((await this.#fill(length)) === 0) return !signal?.aborted && !this.#failed;
      this.progress.read = this.#input.taken;
    }
    return false;
  }

  /** Reads on. What cannot be read is damage like any other: what came before it stays. */
  async #fill(length: number): Promise<number> {
    try {
      return await this.#window.fill(this.#input, length);
    } catch (error) {
      this.#failed = true;
      const { base, to } = this.#window;
      damage(this.info, base + to, `reading failed here: ${error instanceof Error ? error.message : String(error)}`);
      return 0;
    }
  }

  #noteCut(): void {
    const { base, to } = this.#window;
    const { pending, needed } = this.#reader;
    const left = base + to - pending;
    if (left === 0) return;
    damage(
      this.info,
      pending,
      `the capture is cut: the record that begins here needs ${needed} bytes and only ${left} are there; what came before it was read`,
    );
  }
}
