import { filtered } from '../capture/filter/filtered.js';
import { openCapture } from '../capture/open.js';
import { CaptureError, type CaptureSource } from '../capture/source.js';
import { ndjsonLine } from '../report/frames/ndjson.js';
import { textLine } from '../report/frames/text.js';
import { decode, udpPortTable } from '../wire/decode.js';
import { Frame } from '../wire/frame.js';
import { checkInputs } from './arguments.js';
import { tellError, UserError } from './errors.js';
import { type CommandIo, Exit, type Output } from './io.js';

export interface FramesOptions {
  format: 'text' | 'ndjson';
  /** UDP ports that carry VXLAN beside the known ones. */
  vxlanPorts: readonly number[];
  /** Only frames that this expression of pcap-filter(7) lets through. */
  filter?: string;
  /** Stop after so many frames. */
  count?: number;
}

/** Characters that are gathered before they are written. */
const BATCH = 65536;

/** `netdiag frames`: every frame of the captures, decoded, one a line. */
export async function runFrames(paths: readonly string[], options: FramesOptions, io: CommandIo): Promise<number> {
  checkInputs(paths);
  const printer = new FramePrinter(options, io);
  let unreadable = false;
  let complete = true;
  for (const path of paths) {
    if (printer.signal.aborted) break;
    try {
      const capture = await openCapture(path, { signal: printer.signal });
      const source = options.filter === undefined ? capture : filtered(capture, options.filter);
      await printer.print(source);
      // A reading that was ended is not complete either, but nothing that was asked for is missing.
      if (source.info.complete || printer.signal.aborted) continue;
      complete = false;
      for (const { offset, message } of source.info.problems) {
        const what = source.info.format === 'text' ? message : `damaged at byte ${offset}: ${message}`;
        tellError(new UserError(path, what, 'what can be read is shown'), io);
      }
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      if (io.signal.aborted) break;
      tellError(error, io);
      unreadable = true;
    }
  }
  if (io.signal.aborted) return Exit.Interrupted;
  if (unreadable) return Exit.Usage;
  return complete ? Exit.Ok : Exit.Partial;
}

class FramePrinter {
  /** Ends the reading: the user has enough, or the count is reached. */
  readonly signal: AbortSignal;
  readonly #enough = new AbortController();
  readonly #line: (frame: Frame) => string;
  readonly #ports: Uint8Array;
  readonly #io: CommandIo;
  #left: number;
  #batch = '';

  constructor({ format, vxlanPorts, count = Number.POSITIVE_INFINITY }: FramesOptions, io: CommandIo) {
    this.signal = AbortSignal.any([io.signal, this.#enough.signal]);
    this.#line = format === 'ndjson' ? ndjsonLine : textLine;
    this.#ports = udpPortTable(vxlanPorts);
    this.#io = io;
    this.#left = count;
  }

  async print(source: CaptureSource): Promise<void> {
    const frame = new Frame();
    frame.udpPorts = this.#ports;
    try {
      await source.run(frame, (each) => this.#show(each, source), this.signal);
    } finally {
      this.#write(source);
    }
  }

  #show(frame: Frame, source: CaptureSource): void {
    // A reader ends at its next pause: what it still hands on until then is not asked for.
    if (this.signal.aborted) return;
    decode(frame);
    this.#batch += this.#line(frame);
    if (this.#batch.length >= BATCH) this.#write(source);
    if (--this.#left === 0) this.#enough.abort();
  }

  #write(source: CaptureSource): void {
    if (this.#batch === '') return;
    const { stdout } = this.#io;
    if (stdout.write(this.#batch) === false) source.hold ??= drained(stdout, this.signal);
    this.#batch = '';
  }
}

/** Waits until a slow reader of the output takes more, or nobody waits any longer because it is gone. */
function drained(output: Output, signal: AbortSignal): Promise<void> | null {
  if (output.once === undefined) return null;
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    output.once?.('drain', done);
  });
}
