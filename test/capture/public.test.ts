import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CaptureError } from '../../src/capture/source.js';
import { shared } from '../support/shared.js';
import { type Read, read } from './read.js';

const base = shared === null ? null : join(shared, 'captures/public');

function files(): string[] {
  if (base === null) return [];
  return readdirSync(join(base, 'files'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(base, 'files'), join(entry.parentPath, entry.name)));
}

/** Frame number, wire length and captured length as tshark 4.0 printed them. */
function oracle(file: string): string[] {
  const path = join(base as string, 'oracle', `${file}.tsv`);
  if (!existsSync(path)) return [];
  const rows = readFileSync(path, 'latin1').split('\n').slice(1);
  return rows.filter((row) => row !== '').map((row) => row.split('\t').slice(0, 3).join(' '));
}

const line = (frame: Read) => `${frame.number} ${frame.wireLength} ${frame.bytes.length}`;

const endsWith =
  (...names: string[]) =>
  (file: string) =>
    names.some((name) => file.endsWith(name));

/** Formats that this program does not read; the message names them. */
const isOtherFormat = endsWith('solaris.snoop', 'BitTorrent.Transfer1.cap', 'tcpshake.cap');

/** Where more is read than by tshark, and what tshark says. */
const READ_FURTHER: Record<string, { frames: number; because: string }> = {
  'shb-option-too-long.pcapng': { frames: 1, because: 'trailing block lengths differ; the leading ones are true' },
  'test007.ntar': { frames: 1, because: 'a block length of 139 without its padding, and so the trailing one' },
  'timestamps_issue_1.ntar': { frames: 413, because: 'a Bluetooth frame too short for its pseudo header' },
};

/** Custom blocks, which tshark prints as frames. Here they have numbers and no frames. */
const CUSTOM_BLOCKS: Record<string, number[]> = { 'test102.pcapng': [1, 3, 8], 'test202.pcapng': [1, 7, 10] };

/** A wire length of 2^32 - 14671840, which tshark bounds by 2^31 - 1. */
const hasHugeWireLength = endsWith('clusterfuzz-testcase-minimized-FuzzTarget-6604968558198784');

const DAMAGED = endsWith(
  'ejemplo.pcap',
  'fuzz-2021-10-13.pcap',
  'FuzzTarget-6207688043397120',
  'FuzzTarget-5717750942269440',
);

const NO_CAPTURE = endsWith(
  'courvoif+pcap-file/benches/bench.pcap',
  'pcap-invalid-version-1.pcap',
  'packetout.pcap',
  'generator/input/dummy.pcap',
);

describe.skipIf(base === null)('public captures', () => {
  it.each(files())('%s: the frames that tshark reads', async (file) => {
    const expected = oracle(file);
    if (NO_CAPTURE(file) || isOtherFormat(file)) {
      const result = read(join(base as string, 'files', file));
      // What tcpdump printed, saved under the name of a capture: read as text, which tshark does not.
      if (file.endsWith('/packetout.pcap')) expect((await result).info.format).toBe('text');
      else await expect(result).rejects.toThrow(CaptureError);
      return;
    }
    const { info, frames } = await read(join(base as string, 'files', file));
    expect(info.complete).toBe(!DAMAGED(file));
    const further = Object.keys(READ_FURTHER).find((name) => file.endsWith(name));
    const custom = Object.keys(CUSTOM_BLOCKS).find((name) => file.endsWith(name));
    if (further !== undefined) {
      expect(frames).toHaveLength(READ_FURTHER[further].frames);
      expect(frames.slice(0, expected.length).map(line)).toEqual(expected);
    } else if (custom !== undefined) {
      const numbers = CUSTOM_BLOCKS[custom];
      expect(frames.map(line)).toEqual(expected.filter((row) => !numbers.includes(Number.parseInt(row, 10))));
    } else if (hasHugeWireLength(file)) {
      expect(frames.map(line)).toEqual(['1 4280295456 21']);
      expect(expected).toEqual(['1 2147483647 21']);
    } else {
      expect(frames.map(line)).toEqual(expected);
    }
  });
});
