import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { read } from './read.js';

const folder = fileURLToPath(new URL('../../fixtures/formats/', import.meta.url));
const rows = readFileSync(`${folder}frames.tsv`, 'utf8').trim().split('\n').slice(1);
const names = [...new Set(rows.map((row) => row.split('\t')[0]))];

describe('fixtures/formats', () => {
  it.each(names)('%s has the frames that another program reads', async (name) => {
    const expected = rows.filter((row) => row.startsWith(`${name}\t`));
    const { frames } = await read(folder + name);
    const ours = frames.slice(0, expected.length).map((frame, i) => {
      const isTimed = expected[i].split('\t')[2] !== '';
      return [name, frame.number, isTimed ? frame.time : '', frame.wireLength, frame.bytes.length].join('\t');
    });
    expect(ours).toEqual(expected);
  });

  it('tells which way a frame went', async () => {
    const { frames } = await read(`${folder}outbound-flag.pcapng`);
    expect(frames.map((frame) => frame.direction)).toEqual([2]);
  });

  it('says where a file cannot be read on', async () => {
    const { info } = await read(`${folder}absurd-length.pcap`);
    expect(info.complete).toBe(false);
    expect(info.problems).toEqual([{ offset: 56, message: expect.stringContaining('claims 411435009') }]);
  });
});
