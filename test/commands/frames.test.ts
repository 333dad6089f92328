import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import { type FramesOptions, runFrames } from '../../src/commands/frames.js';
import { Exit } from '../../src/commands/io.js';
import { bytesOf, ethernet } from '../wire/frame-of.js';

const arp = bytesOf(`${ethernet('0806')} 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002`);

/** A pcap of these packets, one a second. */
function pcap(linkType: number, packets: Uint8Array[]): Uint8Array {
  const header = bytesOf('d4c3b2a1 0200 0400 00000000 00000000 00000400 00000000');
  header[20] = linkType;
  const records = packets.map((packet, i) => {
    const record = new DataView(new ArrayBuffer(16));
    record.setUint32(0, i, true);
    record.setUint32(8, packet.length, true);
    record.setUint32(12, packet.length, true);
    return Buffer.concat([new Uint8Array(record.buffer), packet]);
  });
  return Buffer.concat([header, ...records]);
}

/** A pcap of `count` ARP requests. */
function capture(count: number): Uint8Array {
  return pcap(1, Array(count).fill(arp));
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netdiag-frames-'));
  writeFileSync(join(folder, 'ten.pcap'), capture(10));
  writeFileSync(join(folder, 'cut.pcap'), capture(10).slice(0, -20));
  writeFileSync(join(folder, 'many.pcap'), capture(50_000));
  const cooked = (packetType: string) => bytesOf(`${packetType} 0001 0006 020000000001 0000 9000 00`);
  writeFileSync(join(folder, 'cooked.pcap'), pcap(113, ['0004', '0000', '0004'].map(cooked)));
  writeFileSync(join(folder, 'page.pcap'), '<!DOCTYPE html>');
});

function world(signal = new AbortController().signal) {
  const out: string[] = [];
  const errors: string[] = [];
  const io = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => errors.push(text) },
    env: {},
    cwd: folder,
    signal,
  };
  return { io, lines: () => out.join('').split('\n').slice(0, -1), errors };
}

const NDJSON: FramesOptions = { format: 'ndjson', vxlanPorts: [] };

describe('netdiag frames', () => {
  test('prints a line a frame', async () => {
    const { io, lines, errors } = world();
    expect(await runFrames([join(folder, 'ten.pcap')], NDJSON, io)).toBe(Exit.Ok);
    expect(lines().map((line) => JSON.parse(line).number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(errors).toEqual([]);
  });

  test('tells the direction of each cooked frame anew', async () => {
    const { io, lines } = world();
    await runFrames([join(folder, 'cooked.pcap')], NDJSON, io);
    expect(lines().map((line) => JSON.parse(line).direction)).toEqual(['out', 'in', 'out']);
  });

  test('ends after a count, over all captures', async () => {
    const { io, lines } = world();
    const ten = join(folder, 'ten.pcap');
    expect(await runFrames([ten, ten], { format: 'text', vxlanPorts: [], count: 12 }, io)).toBe(Exit.Ok);
    expect(lines()).toHaveLength(12);
  });

  test('shows what a cut file still has, and says so', async () => {
    const { io, lines, errors } = world();
    expect(await runFrames([join(folder, 'cut.pcap')], NDJSON, io)).toBe(Exit.Partial);
    expect(lines()).toHaveLength(9);
    expect(errors).toEqual([expect.stringMatching(/^netdiag: .*cut\.pcap: damaged at byte \d+: .*\n$/)]);
  });

  test('goes on behind an input that is no capture', async () => {
    const { io, lines, errors } = world();
    const paths = ['page.pcap', 'ten.pcap'].map((name) => join(folder, name));
    expect(await runFrames(paths, NDJSON, io)).toBe(Exit.Usage);
    expect(lines()).toHaveLength(10);
    expect(errors).toHaveLength(1);
  });

  test('ends when it is asked to', async () => {
    const ending = new AbortController();
    const { io, lines } = world(ending.signal);
    ending.abort();
    expect(await runFrames([join(folder, 'many.pcap')], NDJSON, io)).toBe(Exit.Interrupted);
    expect(lines()).toEqual([]);
  });

  test('waits for a slow reader instead of filling the memory', async () => {
    const { io } = world();
    const stdout = new PassThrough({ highWaterMark: 1024 });
    const running = runFrames([join(folder, 'many.pcap')], NDJSON, { ...io, stdout });
    // 50,000 lines are above 15 MB; a buffer of the file makes 4 MB of lines at most.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(stdout.writableLength).toBeLessThan(8e6);
    const told = text(stdout);
    expect(await running).toBe(Exit.Ok);
    stdout.end();
    expect((await told).split('\n')).toHaveLength(50_001);
  });
});
