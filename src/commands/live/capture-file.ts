import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import {
  interfaceBlock,
  plainPacketSize,
  putPacket,
  type SectionToWrite,
  sectionBlock,
  statisticsBlock,
} from '../../capture/pcapng/writer.js';
import type { CaptureSource } from '../../capture/source.js';
import type { Frame } from '../../wire/frame.js';
import { UserError } from '../errors.js';
import { sectionWith } from '../section.js';
import { reasonOf } from '../system-error.js';
import type { FileRing } from './settings.js';

/** Bytes gathered before they are written, and milliseconds after which they are written all the same. */
const GATHER = 1024 * 1024;
const FLUSH_MS = 500;
/** Bytes of type and length in front of a block. */
const BLOCK_HEAD = 8;

/**
 * Writes what is captured as pcapng: direction, interface names, nanoseconds, drops, and in the section's comments
 * the host context. Only whole blocks are written, so whatever ends the program leaves a file that can be read.
 */
export class CaptureFile {
  #fd = -1;
  #path = '';
  /** Blocks that wait to be written; `#gathered` bytes of it are in use. */
  #buffer = new Uint8Array(GATHER);
  #view = new DataView(this.#buffer.buffer);
  #gathered = 0;
  #written = 0;
  #interfaces = 0;
  #turn = 0;
  #source: CaptureSource | null = null;
  /** Time of the latest packet. */
  #seconds = 0;
  #nanoseconds = 0;
  #section: SectionToWrite;
  readonly #vantage: string | null | undefined;
  /** What made the writing end before the capture. */
  failure: UserError | null = null;

  /**
   * @param ring null for one file without limit
   * @throws UserError if it cannot be written
   */
  constructor(
    readonly file: string,
    readonly ring: FileRing | null,
    context: { vantage?: string | null } | null,
    readonly onFailure: (failure: UserError) => void,
  ) {
    this.#section = sectionWith(context);
    this.#vantage = context?.vantage;
    this.#open();
  }

  /** The machine has changed: the next file of a ring says so. */
  learn(context: object): void {
    this.#section = sectionWith({ ...context, vantage: this.#vantage });
  }

  /** The source with every frame written before it is looked at. */
  writing(source: CaptureSource): CaptureSource {
    this.#source = source;
    const run = source.run.bind(source);
    source.run = async (frame, onFrame, signal) => {
      const timer = setInterval(() => this.#flush(), FLUSH_MS);
      try {
        await run(
          frame,
          (frame) => {
            this.#packet(frame);
            onFrame(frame);
          },
          signal,
        );
      } finally {
        clearInterval(timer);
      }
    };
    return source;
  }

  /** Writes the rest, with what was lost. */
  close(): void {
    if (this.#fd < 0) return;
    this.#statistics();
    this.#flush();
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #packet(frame: Frame): void {
    if (this.ring !== null && this.#written + this.#gathered > this.ring.bytes) this.#rotate();
    if (this.#fd < 0) return;
    const interfaces = this.#source?.info.interfaces ?? [];
    while (this.#interfaces <= frame.interface) this.#add(interfaceBlock(interfaces[this.#interfaces++]));
    this.#seconds = frame.seconds;
    this.#nanoseconds = frame.nanoseconds;
    this.#makeRoom(plainPacketSize(frame.end - frame.start));
    this.#gathered += putPacket(this.#buffer, this.#view, this.#gathered, frame);
  }

  #statistics(): void {
    const interfaces = this.#source?.info.interfaces ?? [];
    for (let number = 0; number < Math.min(this.#interfaces, interfaces.length); number++)
      this.#add(statisticsBlock(number, this.#seconds, this.#nanoseconds, interfaces[number].dropped ?? 0));
  }

  #rotate(): void {
    this.#statistics();
    this.#flush();
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#turn++;
    try {
      this.#open();
    } catch (error) {
      this.#fail(error);
    }
  }

  #open(): void {
    const { ring } = this;
    this.#path = ring === null ? this.file : numbered(this.file, this.#turn);
    try {
      this.#fd = openSync(this.#path, 'w');
    } catch (error) {
      throw cannotWrite(this.#path, error);
    }
    if (ring !== null && this.#turn >= ring.files)
      rmSync(numbered(this.file, this.#turn - ring.files), { force: true });
    this.#written = 0;
    this.#interfaces = 0;
    this.#add(sectionBlock(this.#section));
    this.#flush();
  }

  #add(block: Uint8Array): void {
    this.#makeRoom(block.length);
    this.#buffer.set(block, this.#gathered);
    this.#gathered += block.length;
  }

  /** Writes what waits if so many bytes more do not fit, and takes a larger buffer if they never would. */
  #makeRoom(bytes: number): void {
    if (this.#gathered + bytes <= this.#buffer.length) return;
    this.#flush();
    if (bytes <= this.#buffer.length) return;
    this.#buffer = new Uint8Array(bytes);
    this.#view = new DataView(this.#buffer.buffer);
  }

  #flush(): void {
    if (this.#gathered === 0 || this.#fd < 0) return;
    const length = this.#gathered;
    this.#gathered = 0;
    let at = 0;
    try {
      while (at < length) at += writeSync(this.#fd, this.#buffer, at, length - at);
      this.#written += length;
    } catch (error) {
      this.#cut(this.#written + this.#wholeBlocks(at));
      closeSync(this.#fd);
      this.#fail(cannotWrite(this.#path, error));
    }
  }

  /** How many of the first bytes that wait are whole blocks; a block's length stands behind its type. */
  #wholeBlocks(bytes: number): number {
    let end = 0;
    while (end + BLOCK_HEAD <= bytes && end + this.#view.getUint32(end + 4, true) <= bytes)
      end += this.#view.getUint32(end + 4, true);
    return end;
  }

  /** Takes half a block away that the disk had room for; what is no file (a pipe) has taken it already. */
  #cut(length: number): void {
    try {
      ftruncateSync(this.#fd, length);
    } catch {
      // Readers pass over the half block and say so.
    }
  }

  /** The capture goes on without its file: what is seen matters more than what is kept. */
  #fail(error: unknown): void {
    this.#fd = -1;
    this.failure = error instanceof UserError ? error : cannotWrite(this.#path, error);
    this.onFailure(this.failure);
  }
}

/** `capture.pcapng` becomes `capture.3.pcapng`. */
function numbered(file: string, turn: number): string {
  const dot = file.lastIndexOf('.');
  return dot > file.lastIndexOf('/') + 1 ? `${file.slice(0, dot)}.${turn}${file.slice(dot)}` : `${file}.${turn}`;
}

function cannotWrite(file: string, error: unknown): UserError {
  const { code } = error as NodeJS.ErrnoException;
  const advice = code === 'ENOSPC' ? 'make room, or write elsewhere' : 'check the folder and its permissions';
  return new UserError(file, code === 'ENOSPC' ? 'the disk is full' : `cannot be written (${reasonOf(error)})`, advice);
}
