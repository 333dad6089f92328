import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { shared } from '../support/shared.js';
import { read } from './read.js';

interface Packet {
  header: {
    timestampSeconds: number;
    timestampMicroseconds: number;
    capturedLength: number;
    originalLength: number;
  };
  data: Buffer;
}

interface Parser {
  on(event: 'packet', listener: (packet: Packet) => void): Parser;
  on(event: 'end', listener: () => void): Parser;
  on(event: 'error', listener: (error: Error) => void): Parser;
}

/** npm pcap-parser 0.2.1: another reader of microsecond pcap, written by others. It has no types. */
const { parse }: { parse(path: string): Parser } = createRequire(import.meta.url)('pcap-parser');

/** Time, lengths and bytes of each packet, as pcap-parser reads them. */
function parsed(path: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    parse(path)
      .on('packet', ({ header, data }) => {
        const seconds = header.timestampSeconds + Math.floor(header.timestampMicroseconds / 1e6);
        const fraction = String(header.timestampMicroseconds % 1e6).padStart(6, '0');
        lines.push(`${seconds}.${fraction}000 ${header.originalLength} ${data.toString('latin1')}`);
      })
      .on('end', () => resolve(lines))
      .on('error', reject);
  });
}

/** Microsecond pcap files below a folder, in either byte order. */
function microsecondPcaps(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => ['d4c3b2a1', 'a1b2c3d4'].includes(firstBytes(path)));
}

function firstBytes(path: string): string {
  const bytes = Buffer.alloc(4);
  const fd = openSync(path, 'r');
  readSync(fd, bytes);
  closeSync(fd);
  return bytes.toString('hex');
}

/** Files that pcap-parser gets wrong, and why. */
const PARSER_FAILS: Record<string, string> = {
  'clusterfuzz-testcase-minimized-FuzzTarget-6604968558198784': 'version 2.2: takes caplen and len in their new order',
  'lengths-swapped.pcap': 'the same file',
  'pcap-invalid-version-1.pcap': 'version 1.4: accepts what no program wrote',
};

const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url));
const folders = [fixtures, ...(shared === null ? [] : [join(shared, 'captures')])];

describe.each(folders)('pcap-parser on %s', (folder) => {
  it('reads the same times, lengths and bytes', async () => {
    const paths = microsecondPcaps(folder);
    for (const path of paths) {
      if (Object.keys(PARSER_FAILS).some((name) => path.endsWith(name))) continue;
      const { frames } = await read(path);
      const ours = frames.map((frame) => `${frame.time} ${frame.wireLength} ${frame.bytes}`);
      const theirs = await parsed(path);
      expect(ours.length, relative(folder, path)).toBe(theirs.length);
      expect(
        ours.findIndex((frame, i) => frame !== theirs[i]),
        relative(folder, path),
      ).toBe(-1);
    }
    expect(paths.length).toBeGreaterThan(0);
  }, 60_000);
});
