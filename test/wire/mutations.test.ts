import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCapture } from '../../src/capture/open.js';
import { layerFields } from '../../src/report/frames/fields.js';
import { decode, decodeRest, udpPortTable } from '../../src/wire/decode.js';
import { Frame, MAX_LAYERS, Status } from '../../src/wire/frame.js';
import { protocolOfLinkType } from '../../src/wire/link-types.js';
import { root } from '../support/fixtures.js';
import { randomOf } from '../support/random.js';
import { shared } from '../support/shared.js';

/** Frames as they were captured: one of each shape (layers and link type) that the captures have. */
interface Sample {
  bytes: Uint8Array;
  linkType: number;
}

function capturesIn(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => /\.(pcap|pcapng|cap)$/.test(file)).map((file) => join(folder, file));
}

async function samplesOf(paths: string[]): Promise<Sample[]> {
  const shapes = new Map<string, Sample>();
  const frame = new Frame();
  frame.udpPorts = udpPortTable([4799]);
  for (const path of paths) {
    try {
      const source = await openCapture(path);
      await source.run(frame, (each) => {
        decode(each);
        const shape = `${each.linkType} ${each.kinds.subarray(0, each.layerCount).join()}`;
        if (shapes.has(shape)) return;
        shapes.set(shape, {
          bytes: each.bytes.slice(each.start, Math.min(each.end, each.start + 400)),
          linkType: each.linkType,
        });
      });
    } catch {
      // What is no capture has no frames.
    }
  }
  return [...shapes.values()];
}

/** Lengths, versions, types and flags are where decoders go wrong: values at their edges, and any. */
const EDGES = [0x00, 0x01, 0x3f, 0x40, 0x45, 0x4f, 0x60, 0x7f, 0x80, 0xfe, 0xff];

function mutate(bytes: Uint8Array, random: (below: number) => number): void {
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(2) === 0 ? random(Math.min(bytes.length, 80)) : random(bytes.length);
    bytes[at] = random(2) === 0 ? EDGES[random(EDGES.length)] : random(256);
  }
}

/** What may be relied on whatever the bytes are. */
function wellFormed(frame: Frame): boolean {
  let before = frame.start;
  for (let i = 0; i < frame.layerCount; i++) {
    const { offsets, ends, limits, statuses } = frame;
    if (offsets[i] < before || ends[i] < offsets[i] || limits[i] < ends[i] || limits[i] > frame.end) return false;
    if (statuses[i] !== Status.Ok && i !== frame.layerCount - 1) return false;
    before = ends[i];
  }
  return frame.layerCount <= MAX_LAYERS;
}

const folder = shared === null ? join(root, 'fixtures') : join(shared, 'captures/public/files');

/** Takes real frames, changed here and there and cut anywhere, through `look`. */
async function mutations(frame: Frame, times: number, look: (n: number) => void): Promise<void> {
  const samples = (await samplesOf(capturesIn(folder))).filter(({ bytes }) => bytes.length > 0);
  expect(samples.length).toBeGreaterThan(5);
  const random = randomOf(0x6e657464);
  const buffer = new Uint8Array(512);
  frame.useBuffer(buffer);
  frame.udpPorts = udpPortTable([4799]);
  for (let n = 0; n < times; n++) {
    const { bytes, linkType } = samples[n % samples.length];
    const length = random(3) === 0 ? random(bytes.length + 1) : bytes.length;
    // The frame ends where its buffer ends: a read behind it throws.
    frame.start = buffer.length - length;
    buffer.set(bytes.subarray(0, length), frame.start);
    if (length > 0) mutate(buffer.subarray(frame.start), random);
    frame.end = buffer.length;
    frame.wireLength = random(2) === 0 ? length : bytes.length;
    frame.linkType = linkType;
    look(n);
  }
}

function hexOf({ bytes, start }: Frame): string {
  return Buffer.from(bytes.subarray(start)).toString('hex');
}

/** All that decoding says of a frame. */
function decoded(frame: Frame): string {
  const { kinds, offsets, ends, limits, statuses, layerCount, quotedFrom, readable, protocols, tunnels } = frame;
  const columns = [kinds, offsets, ends, limits, statuses].map((column) => column.subarray(0, layerCount).join());
  return [...columns, quotedFrom, readable, protocols, tunnels].join(' | ');
}

describe('decoding and describing never throw and never look outside of the frame', () => {
  test('100,000 mutations of real frames, cut anywhere', { timeout: 20_000 }, async () => {
    const frame = new Frame();
    await mutations(frame, 100_000, (n) => {
      decode(frame);
      if (!wellFormed(frame)) expect.fail(`mutation ${n}: ${hexOf(frame)}`);
      if (n % 8 === 0) for (let i = 0; i < frame.layerCount; i++) layerFields(frame, i);
    });
  });
});

test('usual headers are decoded as each protocol by itself decodes them', { timeout: 20_000 }, async () => {
  const frame = new Frame();
  await mutations(frame, 100_000, (n) => {
    decode(frame);
    const usual = decoded(frame);
    frame.open();
    decodeRest(frame, protocolOfLinkType(frame.linkType));
    if (decoded(frame) !== usual) expect(usual, `mutation ${n}: ${hexOf(frame)}`).toBe(decoded(frame));
  });
});
