import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { openCapture } from '../../src/capture/open.js';
import { CaptureError } from '../../src/capture/source.js';
import { decode, udpPortTable } from '../../src/wire/decode.js';
import { Frame } from '../../src/wire/frame.js';
import type { Bytes } from './mutate.js';
import { seeds } from './pipeline.js';

const udpPorts = udpPortTable();

/** What is read of a capture: a checksum of each frame's bytes, time and decoded headers. Nothing is read of what is refused as no capture. */
async function framesIn(bytes: Bytes): Promise<number[]> {
  const frames: number[] = [];
  const frame = new Frame();
  frame.udpPorts = udpPorts;
  try {
    const source = await openCapture('-', { stdin: Readable.from([bytes]) });
    await source.run(frame, () => {
      decode(frame);
      const headers = new Uint8Array(frame.kinds.slice(0, frame.layerCount));
      frames.push(crc32(headers, crc32(frame.bytes.subarray(frame.start, frame.end), frame.time >>> 0)));
    });
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
  }
  return frames;
}

test('every small fixture, cut at every byte, shows the frames before the cut as they are, and no others', {
  timeout: 900_000,
}, async () => {
  for (const { path, bytes } of seeds()) {
    const whole = await framesIn(bytes);
    let known = 0;
    for (let length = 0; length < bytes.length; length++) {
      const frames = await framesIn(bytes.subarray(0, length));
      expect(frames, `${path} cut at ${length}`).toEqual(whole.slice(0, frames.length));
      // A byte more never shows less.
      expect(frames.length, `${path} cut at ${length}`).toBeGreaterThanOrEqual(known);
      known = frames.length;
    }
    // Without its last byte a capture lacks one frame at most; compressed, a block of them.
    if (!path.endsWith('.zst')) expect(known, path).toBeGreaterThanOrEqual(whole.length - 1);
  }
});
