import { Readable } from 'node:stream';
import { openCapture } from '../../src/capture/open.js';
import { Frame } from '../../src/wire/frame.js';
import type { Bytes } from './mutate.js';

/** Link types by the bytes of their frames. */
export type FramesByLinkType = Map<number, Bytes[]>;

/** Copies of all frames of some captures, sorted by link type: a capture file has one only. */
export async function framesOf(captures: Iterable<Bytes>): Promise<FramesByLinkType> {
  const frames: FramesByLinkType = new Map();
  for (const bytes of captures) {
    const source = await openCapture('-', { stdin: Readable.from([bytes]) });
    await source.run(new Frame(), ({ bytes, start, end, linkType }) => {
      const known = frames.get(linkType) ?? [];
      known.push(bytes.slice(start, end) as Bytes);
      frames.set(linkType, known);
    });
  }
  return frames;
}

/** A frame and when it was captured, in microseconds since 1970. */
export interface Stamped {
  bytes: Bytes;
  time: number;
}

/** A pcap file, little-endian, in microseconds. */
export function pcapOf(linkType: number, frames: readonly Stamped[]): Bytes {
  const size = frames.reduce((sum, { bytes }) => sum + 16 + bytes.length, 24);
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 262144, true);
  view.setUint32(20, linkType, true);
  let at = 24;
  for (const { bytes, time } of frames) {
    view.setUint32(at, Math.floor(time / 1e6), true);
    view.setUint32(at + 4, time % 1e6, true);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, bytes.length, true);
    file.set(bytes, at + 16);
    at += 16 + bytes.length;
  }
  return file;
}
