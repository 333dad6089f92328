import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../../src/analyze.js';
import { openCapture } from '../../../src/capture/open.js';
import { exporter, FilesOfView } from '../../../src/commands/tui/export.js';
import { KeptShelf } from '../../../src/commands/tui/kept-shelf.js';
import { RingShelf } from '../../../src/commands/tui/ring-shelf.js';
import type { Shelf } from '../../../src/commands/tui/shelf.js';
import { Shelves } from '../../../src/commands/tui/shelves.js';
import type { CaptureInfo } from '../../../src/wire/capture-info.js';
import { Frame } from '../../../src/wire/frame.js';
import { netdiag } from '../../support/netdiag.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-shelves-'));
const DEMO = 'fixtures/demo/vepa.pcap';

/** An Ethernet frame of so many bytes, each its number modulo 256. */
function frameOf(number: number, length = 60): Frame {
  const frame = new Frame();
  frame.useBuffer(new Uint8Array(length).fill(number % 256));
  frame.end = length;
  Object.assign(frame, { number, linkType: 1, wireLength: length });
  frame.setTime(1000 + number, number);
  return frame;
}

function visited(shelf: Shelf, from: number, count: number): [number, number, number][] {
  const seen: [number, number, number][] = [];
  shelf.visit(from, count, (frame) => seen.push([frame.number, frame.end - frame.start, frame.bytes[frame.start]]));
  return seen;
}

/** A pcap of Ethernet frames, 60 bytes each, the first two bytes their number. */
function longCapture(frames: number): string {
  const file = join(folder, `${frames}.pcap`);
  const bytes = Buffer.alloc(24 + frames * 76);
  for (const [at, value] of [0xa1b2c3d4, 0x00040002, 0, 0, 262144, 1].entries()) bytes.writeUInt32LE(value, at * 4);
  for (let i = 0; i < frames; i++) {
    const at = 24 + i * 76;
    for (const [word, value] of [1000 + i, 0, 60, 60].entries()) bytes.writeUInt32LE(value, at + word * 4);
    bytes.writeUInt16BE(i + 1, at + 16);
  }
  writeFileSync(file, bytes);
  return file;
}

async function read(path: string): Promise<Shelves> {
  const shelves = new Shelves();
  const source = shelves.watch(await openCapture(path));
  await source.run(new Frame(), () => {});
  return shelves;
}

/** What `netdiag frames` prints of a capture: another way through the same file. */
async function printed(path: string): Promise<string[]> {
  return (await netdiag(['frames', path])).stdout.trimEnd().split('\n');
}

describe('shelves', () => {
  test('a plain file and its gzip give the frames that are printed, from any number on', async () => {
    const plain = longCapture(1000);
    const zipped = `${plain}.gz`;
    writeFileSync(zipped, spawnSync('gzip', ['-c', plain]).stdout);
    const lines = await printed(plain);
    expect(lines).toHaveLength(1000);
    for (const path of [plain, zipped]) {
      const shelves = await read(path);
      expect(shelves.range(0)).toEqual([1, 1000]);
      for (const from of [1, 63, 64, 65, 128, 640, 999])
        expect(shelves.rows(0, from, 5)).toEqual(
          lines.slice(from - 1, from + 4).map((line, i) => ({ number: from + i, line: line.trimEnd() })),
        );
      expect([...(shelves.detail(0, 777)?.bytes.subarray(0, 2) ?? [])]).toEqual([777 >> 8, 777 & 255]);
      expect(shelves.rows(0, 1001, 5)).toEqual([]);
      expect(shelves.detail(0, 1001)).toBeNull();
      shelves.close();
    }
  });

  test('a file that was cut after it was read gives what is left of it', async () => {
    const file = join(folder, 'cut.pcap');
    copyFileSync(longCapture(300), file);
    const shelves = await read(file);
    writeFileSync(file, readFileSync(file).subarray(0, 24 + 76 * 200 + 10));
    expect(shelves.rows(0, 199, 10).map(({ number }) => number)).toEqual([199, 200]);
    shelves.close();
  });

  test('fields stand in the bytes that they were read from', async () => {
    const shelves = await read(DEMO);
    const detail = shelves.detail(0, 1);
    const type = detail?.fields.find(({ text }) => text === 'etherType: 2054');
    expect(type).toMatchObject({ depth: 1, offset: 0, length: 2 });
    const sender = detail?.fields.find(({ text }) => text === 'senderIp: 172.16.91.101');
    // SLL2 has 20 bytes, and the sender's address stands 14 bytes into ARP (RFC 826).
    expect(sender).toMatchObject({ offset: 34, length: 4 });
    expect([...(detail?.bytes.subarray(34, 38) ?? [])]).toEqual([172, 16, 91, 101]);
    shelves.close();
  });
});

describe('what cannot be read twice', () => {
  test('keeps frames by number, also where numbers are left out', () => {
    const shelf = new KeptShelf();
    for (const number of [3, 10, 11, 40]) shelf.note(frameOf(number));
    expect(shelf.range()).toEqual([3, 40]);
    expect(visited(shelf, 4, 2).map(([number]) => number)).toEqual([10, 11]);
    expect([shelf.nearest(12, 1), shelf.nearest(12, -1), shelf.nearest(11, 1)]).toEqual([40, 11, 11]);
  });

  test('stops at its bound', () => {
    const shelf = new KeptShelf();
    const big = frameOf(1, 1024 * 1024);
    for (let number = 1; number <= 100; number++) shelf.note(Object.assign(big, { number }));
    expect(shelf.range()[1]).toBeGreaterThan(30);
    expect(shelf.range()[1]).toBeLessThan(35);
  });
});

describe('the ring of a live capture', () => {
  test('keeps the latest frames, by their count', () => {
    const ring = new RingShelf(10, 10_000);
    expect(ring.range()).toEqual([1, 0]);
    for (let number = 1; number <= 25; number++) ring.note(frameOf(number));
    expect(ring.range()).toEqual([16, 25]);
    expect(visited(ring, 1, 3)).toEqual([16, 17, 18].map((number) => [number, 60, number]));
  });

  test('keeps the latest frames, by their bytes, whole', () => {
    const ring = new RingShelf(1000, 1000);
    // Lengths that never fit evenly, so that the end of the ring is met at every distance.
    for (let number = 1; number <= 500; number++) ring.note(frameOf(number, 60 + ((number * 37) % 240)));
    const [first, last] = ring.range();
    expect(last).toBe(500);
    const kept = visited(ring, first, 1000);
    expect(kept.map(([number]) => number)).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i));
    for (const [number, length, byte] of kept)
      expect([length, byte]).toEqual([60 + ((number * 37) % 240), number % 256]);
    expect(kept.reduce((sum, [, length]) => sum + length, 0)).toBeLessThanOrEqual(1000);
    expect(kept.length).toBeGreaterThan(2);
  });

  test('passes over a frame that is larger than all of it', () => {
    const ring = new RingShelf(10, 100);
    ring.note(frameOf(1));
    ring.note(frameOf(2, 101));
    expect(ring.range()).toEqual([1, 1]);
  });

  test('stays as it is while frozen, and has no holes afterwards', () => {
    const ring = new RingShelf(10, 10_000);
    for (let number = 1; number <= 8; number++) ring.note(frameOf(number));
    ring.freeze();
    for (let number = 9; number <= 30; number++) ring.note(frameOf(number));
    expect(ring.range()).toEqual([1, 10]);
    ring.thaw();
    for (let number = 31; number <= 33; number++) ring.note(frameOf(number));
    expect(ring.range()).toEqual([31, 33]);
  });

  test('loses nothing in a pause that it has room for', () => {
    const ring = new RingShelf(10, 10_000);
    ring.note(frameOf(1));
    ring.freeze();
    ring.note(frameOf(2));
    ring.thaw();
    ring.note(frameOf(3));
    expect(ring.range()).toEqual([1, 3]);
  });

  test('is written as a capture that gives the same frames', async () => {
    const ring = new RingShelf(10, 10_000);
    for (let number = 1; number <= 25; number++) ring.note(frameOf(number));
    expect(ring.unsaved).toBe(true);
    const info = { interfaces: [{ name: 'ens34', description: null, linkType: 1, snapLength: 0, dropped: 2 }] };
    const file = join(folder, 'ring.pcapng');
    new FilesOfView(folder, []).write(file, ring.pcapng({ application: 'test' }, info as CaptureInfo));
    ring.noteSaved();
    expect(ring.unsaved).toBe(false);
    const { captures } = await analyze([file]);
    expect(captures[0]).toMatchObject({ frames: 10, complete: true, dropped: 2 });
    expect(captures[0].first).toBe('1970-01-01T00:16:56.000000016Z');
  });
});

describe('export', () => {
  test('writes in the format that the name ends in, and says why it cannot', async () => {
    const analysis = await analyze([DEMO]);
    const report = exporter(() => analysis, new FilesOfView(folder, []));
    expect(await report('a.json')).toBe('Wrote a.json');
    expect(JSON.parse(readFileSync(join(folder, 'a.json'), 'utf8')).schema).toBe('netdiag.findings/1');
    await report('a.html');
    expect(readFileSync(join(folder, 'a.html'), 'utf8')).toMatch(/^<!doctype html>/i);
    await report('a');
    expect(readFileSync(join(folder, 'a'), 'utf8')).toContain(analysis.findings[0].title.slice(0, 30));
    await expect(report('nowhere/a.json')).rejects.toThrow(
      'nowhere/a.json: cannot be written (no such file or folder)',
    );
  });

  test('replaces what was there only when asked twice, and never what is read', () => {
    const files = new FilesOfView(folder, ['read.pcap']);
    for (const name of ['read.pcap', 'notes.txt']) writeFileSync(join(folder, name), 'mine');
    const now = (name: string) => readFileSync(join(folder, name), 'utf8');
    for (let turn = 0; turn < 2; turn++)
      expect(() => files.write('./read.pcap', 'new')).toThrow('./read.pcap: is used in this run already');
    expect(now('read.pcap')).toBe('mine');
    expect(() => files.write('notes.txt', 'new')).toThrow('notes.txt: is there already: write it once more');
    expect(now('notes.txt')).toBe('mine');
    expect(files.write('notes.txt', 'new')).toBe('Wrote notes.txt');
    expect(now('notes.txt')).toBe('new');
    // What it wrote itself is its own.
    files.write('fresh.txt', 'one');
    files.write('fresh.txt', 'two');
    expect(now('fresh.txt')).toBe('two');
    expect(files.write('/dev/null', 'two')).toBe('Wrote /dev/null');
  });
});
