import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CORPORA, type CorpusName, chunks } from '../../bench/traffic/generate.js';

interface Packet {
  readonly time: number;
  readonly bytes: Buffer;
}

function capture(name: CorpusName, packets: number): Buffer {
  const copies: Buffer[] = [];
  for (const chunk of chunks(name, { packets })) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies);
}

function packetsOf(file: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = 24; at < file.length; ) {
    const length = file.readUInt32LE(at + 8);
    packets.push({
      time: file.readUInt32LE(at) * 1e6 + file.readUInt32LE(at + 4),
      bytes: file.subarray(at + 16, at + 16 + length),
    });
    at += 16 + length;
  }
  return packets;
}

/** The ones' complement sum over a header or packet with a right checksum is 0xffff (RFC 1071). */
function sum(bytes: Buffer, initial = 0): number {
  let total = initial;
  for (let i = 0; i < bytes.length; i += 2) total += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

describe.each(Object.keys(CORPORA) as CorpusName[])('corpus %s', (name) => {
  const file = capture(name, 5000);
  const packets = packetsOf(file);

  it('is the same every time', () => {
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    expect(digest(capture(name, 5000))).toBe(digest(file));
  });

  it('holds the packets asked for, in order of time', () => {
    expect(packets).toHaveLength(5000);
    expect(packets.every((packet, i) => i === 0 || packet.time >= packets[i - 1].time)).toBe(true);
  });

  it('never shows the same frame twice', () => {
    expect(new Set(packets.map((packet) => packet.bytes.toString('latin1'))).size).toBe(5000);
  });

  it('has right checksums in IPv4', () => {
    const ipv4 = packets.filter(({ bytes }) => bytes.readUInt16BE(12) === 0x0800);
    expect(ipv4.length).toBeGreaterThan(0);
    for (const { bytes } of ipv4) {
      const end = 14 + bytes.readUInt16BE(16);
      expect(sum(bytes.subarray(14, 34))).toBe(0xffff);
      const pseudo = bytes[23] === 1 ? 0 : sum(bytes.subarray(26, 34)) + bytes[23] + (end - 34);
      expect(sum(bytes.subarray(34, end), pseudo)).toBe(0xffff);
    }
  });
});

describe('corpus small', () => {
  const frames = packetsOf(capture('small', 20_000)).map((packet) => packet.bytes);
  const arp = frames.filter((bytes) => bytes.readUInt16BE(12) === 0x0806);

  it('has frames of 64 to 98 bytes, a fifth of them ARP', () => {
    expect(Math.min(...frames.map((bytes) => bytes.length))).toBe(64);
    expect(Math.max(...frames.map((bytes) => bytes.length))).toBe(98);
    expect(arp.length / frames.length).toBeCloseTo(0.2, 1);
  });

  it('answers every ARP request but the last ones', () => {
    const exchange = (a: Buffer, b: Buffer) => `${a.toString('hex')} ${b.toString('hex')}`;
    const asked = arp.filter((b) => b[21] === 1).map((b) => exchange(b.subarray(28, 32), b.subarray(38, 42)));
    const answered = new Set(
      arp.filter((b) => b[21] === 2).map((b) => exchange(b.subarray(38, 42), b.subarray(28, 32))),
    );
    expect(asked.slice(0, -8).filter((request) => !answered.has(request))).toEqual([]);
  });
});
