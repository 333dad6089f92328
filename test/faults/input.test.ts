import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openCapture } from '../../src/capture/open.js';
import { Frame } from '../../src/wire/frame.js';
import { pcapHeader, pcapRecord } from '../capture/build.js';
import { netdiag } from '../support/netdiag.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-faults-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FRAMES = 6000;
const record = (i: number) => pcapRecord(1_700_000_000 + i, 0, Buffer.alloc(1400, i));
const LENGTH = record(0).length;
/** 8 MB: more than is read at a time. */
const large = Buffer.concat([pcapHeader(), ...Array.from({ length: FRAMES }, (_, i) => record(i))]);

/** Reads a file to which something is done when the hundredth frame is looked at. */
async function meanwhile(name: string, change: (path: string) => void) {
  const path = join(folder, name);
  writeFileSync(path, large);
  const source = await openCapture(path);
  let frames = 0;
  await source.run(new Frame(), () => {
    if (++frames === 100) change(path);
  });
  return { frames, info: source.info };
}

describe('a capture that changes while it is read', () => {
  it('is read on when it grows', async () => {
    const { frames, info } = await meanwhile('grows.pcap', (path) => appendFileSync(path, record(FRAMES)));
    expect([FRAMES, FRAMES + 1]).toContain(frames);
    expect(info.complete).toBe(true);
  });

  it('keeps what was read when it grows by half a record', async () => {
    const { frames, info } = await meanwhile('half.pcap', (path) => appendFileSync(path, record(0).subarray(0, 100)));
    expect(frames).toBe(FRAMES);
    for (const { offset } of info.problems) expect(offset).toBe(24 + FRAMES * LENGTH);
  });

  it('keeps what was read when it shrinks, and says where it ends', async () => {
    const { frames, info } = await meanwhile('shrinks.pcap', (path) => truncateSync(path, 24 + 3000 * LENGTH + 700));
    expect(frames).toBeGreaterThanOrEqual(100);
    expect(frames).toBeLessThanOrEqual(FRAMES);
    if (frames < FRAMES) expect(info).toMatchObject({ complete: false, problems: [{ message: expect.any(String) }] });
  });

  it('keeps what was read when it is emptied', async () => {
    const { frames } = await meanwhile('emptied.pcap', (path) => truncateSync(path, 0));
    expect(frames).toBeGreaterThanOrEqual(100);
  });

  it('is read to its end when it is deleted', async () => {
    const { frames, info } = await meanwhile('deleted.pcap', unlinkSync);
    expect(frames).toBe(FRAMES);
    expect(info.complete).toBe(true);
  });
});

describe('an input that is no capture', () => {
  const path = (name: string) => join(folder, name);
  const cases: [name: string, words: string, make: () => void][] = [
    ['folder', 'folder', () => mkdirSync(path('folder'))],
    ['empty', 'empty', () => writeFileSync(path('empty'), '')],
    ['zeros', 'not a capture', () => writeFileSync(path('zeros'), Buffer.alloc(100_000))],
    ['dangling', 'no such file', () => symlinkSync(path('nowhere'), path('dangling'))],
    ['circle', 'symbolic links that lead in a circle', () => symlinkSync(path('circle'), path('circle'))],
  ];

  it.each(cases)('%s is one line that says so', async (name, words, make) => {
    make();
    const { status, stdout, stderr } = await netdiag(['analyze', path(name), '--format', 'json']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^netdiag: [^\n]+: [^\n]+: [^\n]+\n$/);
    expect(stderr).toContain(words);
  });

  it('a device without end is refused at once', async () => {
    const { status, stderr } = await netdiag(['analyze', '/dev/zero']);
    expect(status).toBe(2);
    expect(stderr).toContain('not a capture');
  });

  it('a socket is refused', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path('socket'), resolve));
    const { status, stderr } = await netdiag(['analyze', path('socket')]);
    server.close();
    expect(status).toBe(2);
    expect(stderr).toMatch(/^netdiag: [^\n]+\n$/);
  });

  it('does not keep the others from being read', async () => {
    const { status, stdout } = await netdiag([
      'analyze',
      '/nonexistent.pcap',
      'fixtures/demo/vepa.pcap',
      '--format',
      'json',
    ]);
    expect(status).toBe(2);
    expect(JSON.parse(stdout).captures).toMatchObject([{ frames: 3 }]);
  });
});
