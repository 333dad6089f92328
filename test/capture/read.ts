import { Readable } from 'node:stream';
import { openCapture } from '../../src/capture/open.js';
import { CaptureError } from '../../src/capture/source.js';
import type { CaptureInfo } from '../../src/wire/capture-info.js';
import { Frame } from '../../src/wire/frame.js';

/** One record as the reader gave it. */
export interface Read {
  number: number;
  /** Seconds and nine digits of nanoseconds. */
  time: string;
  bytes: string;
  wireLength: number;
  interface: number;
  linkType: number;
  direction: number;
  position: number;
}

/** Reads a file, or the bytes of one as they would come through standard input, in pieces of `piece` bytes. */
export async function read(
  input: string | Uint8Array,
  piece = Number.POSITIVE_INFINITY,
): Promise<{ info: CaptureInfo; frames: Read[] }> {
  const stdin = typeof input === 'string' ? undefined : Readable.from(pieces(input, piece));
  const source = await openCapture(typeof input === 'string' ? input : '-', stdin && { stdin });
  const frames: Read[] = [];
  await source.run(new Frame(), (frame) => {
    frames.push({
      number: frame.number,
      time: `${frame.seconds}.${String(frame.nanoseconds).padStart(9, '0')}`,
      bytes: Buffer.from(frame.bytes.subarray(frame.start, frame.end)).toString('latin1'),
      wireLength: frame.wireLength,
      interface: frame.interface,
      linkType: frame.linkType,
      direction: frame.direction,
      position: frame.position,
    });
  });
  return { info: source.info, frames };
}

/** The error of an input that cannot be read at all, as it is printed. */
export async function refusal(input: string | Uint8Array): Promise<string> {
  try {
    await read(input);
  } catch (error) {
    if (error instanceof CaptureError) return `${error.message}: ${error.advice}`;
    throw error;
  }
  throw new Error('it was read');
}

function* pieces(bytes: Uint8Array, piece: number): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += piece) yield Buffer.from(bytes.subarray(at, at + piece));
}
