import { spawnSync } from 'node:child_process';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { pcapHeader, pcapRecord } from './build.js';
import { read, refusal } from './read.js';

const RECORDS = 4000;
const file = Buffer.concat([
  pcapHeader(),
  ...Array.from({ length: RECORDS }, (_, i) => pcapRecord(i, i, Buffer.from(`frame ${(i * 7919) % 65536}`))),
]);

const pack = (bytes: Uint8Array, ...options: string[]) =>
  spawnSync('zstd', ['-q', '-c', ...options], { input: bytes, maxBuffer: 1 << 28 }).stdout;
const hasZstd = spawnSync('zstd', ['--version']).status === 0;

describe('gzip', () => {
  it('is unpacked', async () => {
    const { info, frames } = await read(gzipSync(file));
    expect(frames).toEqual((await read(file)).frames);
    expect(info).toMatchObject({ compression: 'gzip', format: 'pcap', complete: true });
  });

  it('is unpacked from several members, cut anywhere', async () => {
    const members = [0, 1, 100, 30_000, file.length].map((from, i, all) => gzipSync(file.subarray(from, all[i + 1])));
    const { info, frames } = await read(Buffer.concat(members), 1000);
    expect(frames).toHaveLength(RECORDS);
    expect(info.complete).toBe(true);
  });

  it('gives all that a cut file still holds', async () => {
    const packed = gzipSync(file);
    for (const length of [200, 1000, 10_000, packed.length - 9, packed.length - 1]) {
      const cut = packed.subarray(0, length);
      const held = gunzipSync(cut, { finishFlush: constants.Z_SYNC_FLUSH });
      const { info, frames } = await read(cut);
      expect(frames).toEqual((await read(held)).frames);
      expect(info.complete).toBe(false);
      expect(info.problems).toEqual([
        {
          offset: held.length,
          message: 'reading failed here: the gzip data is damaged or cut: unexpected end of file',
        },
      ]);
    }
  });

  it('gives what comes before damage', async () => {
    const packed = gzipSync(file);
    packed[packed.length - 8] ^= 1;
    const { info, frames } = await read(packed);
    expect(frames).toHaveLength(RECORDS);
    expect(info.problems).toEqual([{ offset: file.length, message: expect.stringContaining('incorrect data check') }]);
  });

  it('is refused where nothing is in it that can be read', async () => {
    expect(await refusal(gzipSync('hello world'))).toContain('not a capture: starts with "hello"');
    expect(await refusal(gzipSync(''))).toContain('empty');
    expect(await refusal(gzipSync(gzipSync(file)))).toBe('compressed twice: unpack the gzip first');
    expect(await refusal(gzipSync(file).subarray(0, 12))).toContain('the gzip data is damaged or cut');
  });
});

describe.skipIf(!hasZstd)('zstd', () => {
  it.each([['-1'], ['-19'], ['--no-check'], ['--rsyncable', '-3']])('is unpacked (%s)', async (...options) => {
    const { info, frames } = await read(pack(file, ...options));
    expect(frames).toEqual((await read(file)).frames);
    expect(info).toMatchObject({ compression: 'zstd', complete: true });
  });

  it('is unpacked from several frames, cut anywhere, skippable and empty ones between them', async () => {
    const skippable = Buffer.from('5a2a4d1803000000abc', 'latin1');
    skippable.set([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0], 0);
    const parts = [0, 1, 100, 30_000, file.length].map((from, i, all) => pack(file.subarray(from, all[i + 1])));
    const packed = Buffer.concat([
      skippable.subarray(0, 11),
      ...parts.flatMap((part) => [part, skippable.subarray(0, 11)]),
    ]);
    for (const piece of [7, 1000, 1_000_000]) {
      const { info, frames } = await read(packed, piece);
      expect(frames).toHaveLength(RECORDS);
      expect(info).toMatchObject({ complete: true, problems: [] });
    }
  });

  it('gives the blocks before a cut', async () => {
    // More than one block of 128 KiB.
    const large = Buffer.concat([pcapHeader(), pcapRecord(1, 0, Buffer.alloc(250_000, 7)), file.subarray(24)]);
    const packed = pack(large, '-1');
    const { info, frames } = await read(packed.subarray(0, packed.length - 20));
    expect(frames.length).toBeGreaterThan(0);
    expect(info.complete).toBe(false);
    expect(info.problems[0].message).toContain('the zstd data is damaged or cut: unexpected end of file');
  });

  it('is refused where it wants more memory than it should', async () => {
    const long = Buffer.from(pack(file));
    // Frame header with a window descriptor of 2 GiB, and no single segment.
    const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3]);
    expect(await refusal(Buffer.concat([header, long.subarray(6)]))).toContain('its window is 2147483648 bytes');
  });

  it('is unpacked where a few bytes stand for many, and lacks its end', async () => {
    // A frame of blocks by turns: a record's header as it is, and a run of 128 KiB in 4 bytes.
    const header = pcapRecord(1, 0, Buffer.alloc(131072)).subarray(0, 16);
    const asItIs = Buffer.concat([Buffer.from([header.length << 3, 0, 0]), header]);
    const run = Buffer.from([((131072 << 3) | 2) & 0xff, (131072 >> 5) & 0xff, 131072 >> 13, 7]);
    const bomb = Buffer.concat([
      pack(pcapHeader()),
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3]),
      ...Array<Buffer[]>(40).fill([asItIs, run]).flat(),
    ]);
    const { info, frames } = await read(bomb);
    expect(frames.map(({ wireLength }) => wireLength)).toEqual(Array(40).fill(131072));
    expect(info.complete).toBe(false);
  });
});
