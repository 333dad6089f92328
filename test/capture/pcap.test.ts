import { describe, expect, it } from 'vitest';
import { type PcapHeader, pcapHeader, pcapRecord } from './build.js';
import { read, refusal } from './read.js';

const data = Buffer.from('frame');

function file(header: PcapHeader, ...records: Buffer[]): Buffer {
  return Buffer.concat([pcapHeader(header), ...records]);
}

describe('pcap', () => {
  it.each([
    ['microseconds', 0xa1b2c3d4, 123456, '1700000000.123456000'],
    ['nanoseconds', 0xa1b23c4d, 123456789, '1700000000.123456789'],
  ])('reads %s in both byte orders', async (_, magic, fraction, time) => {
    for (const littleEndian of [true, false]) {
      const record = pcapRecord(1700000000, fraction, data, { wire: 60, littleEndian });
      const { info, frames } = await read(file({ magic, littleEndian, link: 113, snapLength: 96 }, record, record));
      expect(frames).toEqual([
        expect.objectContaining({ number: 1, time, bytes: 'frame', wireLength: 60, linkType: 113, position: 24 }),
        expect.objectContaining({ number: 2, time, bytes: 'frame', wireLength: 60, linkType: 113, position: 45 }),
      ]);
      expect(info).toMatchObject({ format: 'pcap', compression: null, complete: true, problems: [], dropped: null });
      expect(info.interfaces).toEqual([
        { name: null, description: null, linkType: 113, snapLength: 96, dropped: null },
      ]);
    }
  });

  it('reads the modified format, whose record headers have 24 bytes', async () => {
    const extra = Buffer.from([2, 0, 0, 0, 8, 0, 4, 0]);
    const record = pcapRecord(1, 2, Buffer.concat([extra, data]), { wire: 5, captured: 5 });
    const { info, frames } = await read(file({ magic: 0xa1b2cd34 }, record, record));
    expect(frames.map((frame) => frame.bytes)).toEqual(['frame', 'frame']);
    expect(info.complete).toBe(true);
  });

  it('takes the lengths of versions before 2.3 in their old order', async () => {
    const { frames } = await read(file({ minor: 2 }, pcapRecord(1, 2, data, { captured: 60, wire: 5 })));
    expect(frames).toEqual([expect.objectContaining({ bytes: 'frame', wireLength: 60 })]);
  });

  it('keeps the link type apart from the FCS length above it, and the FCS out of the frame', async () => {
    // f bit 26, two 16-bit units in bits 28-31.
    const link = 0x24000001;
    const whole = Buffer.from('frameFCS!');
    const { info, frames } = await read(
      file(
        { link },
        pcapRecord(1, 0, whole),
        // Cut within the FCS, and before it.
        pcapRecord(1, 0, whole.subarray(0, 7), { wire: 9 }),
        pcapRecord(1, 0, whole.subarray(0, 3), { wire: 9 }),
        pcapRecord(1, 0, whole.subarray(0, 3)),
      ),
    );
    expect(info.interfaces[0].linkType).toBe(1);
    expect(frames.map(({ bytes, wireLength }) => [bytes, wireLength])).toEqual([
      ['frame', 5],
      ['frame', 5],
      ['fra', 5],
      ['', 0],
    ]);
  });

  it('ignores an FCS length that is not marked as known', async () => {
    const { frames } = await read(file({ link: 0x20000001 }, pcapRecord(1, 0, data)));
    expect(frames[0].bytes).toBe('frame');
  });

  it('carries a fraction of a second and more into the seconds', async () => {
    const { frames } = await read(file({}, pcapRecord(10, 1_000_000, data), pcapRecord(0xffffffff, 0xffffffff, data)));
    expect(frames.map((frame) => frame.time)).toEqual(['11.000000000', '4294971589.967295000']);
  });

  it('reads records that were captured longer than their wire length, and longer than the snap length', async () => {
    const { info, frames } = await read(
      file({ snapLength: 2 }, pcapRecord(1, 0, data, { wire: 3 }), pcapRecord(1, 0, data)),
    );
    expect(frames.map(({ bytes, wireLength }) => [bytes, wireLength])).toEqual([
      ['frame', 3],
      ['frame', 5],
    ]);
    expect(info.complete).toBe(true);
  });

  it('reads records as long as a large snap length allows', async () => {
    const large = Buffer.alloc(3_000_000, 'x');
    const { frames } = await read(file({ snapLength: 4_000_000 }, pcapRecord(1, 0, large), pcapRecord(2, 0, data)));
    expect(frames.map((frame) => frame.bytes.length)).toEqual([3_000_000, 5]);
  });

  it.each([
    ['the usual limit', 65535, 262_145],
    ['the usual limit where none is given', 0, 262_145],
    ['the usual limit where none can be true', 0xffffffff, 1_131_376_244],
    ['its own limit', 1_000_000, 1_000_001],
    ['what is held in memory', 0x7fffffff, 0x7fffffff],
  ])('stops at a record that exceeds %s', async (_, snapLength, captured) => {
    const { info, frames } = await read(
      file({ snapLength }, pcapRecord(1, 0, data), pcapRecord(1, 0, data, { captured })),
    );
    expect(frames).toHaveLength(1);
    expect(info.complete).toBe(false);
    expect(info.problems).toEqual([{ offset: 45, message: expect.stringContaining(`claims ${captured} captured`) }]);
  });

  it('keeps what came before a cut, at every place of the cut', async () => {
    const record = pcapRecord(1, 0, data);
    const whole = file({}, record, record);
    for (let length = 24; length < whole.length; length++) {
      const { info, frames } = await read(whole.subarray(0, length));
      const records = Math.floor((length - 24) / record.length);
      expect(frames).toHaveLength(records);
      const offset = 24 + records * record.length;
      expect(info.complete).toBe(length === offset);
      expect(info.problems.map((problem) => problem.offset)).toEqual(length === offset ? [] : [offset]);
    }
  });

  it('ends where zeros stand instead of a record, but not at a packet without bytes', async () => {
    const whole = Buffer.concat([
      pcapHeader(),
      pcapRecord(1, 0, Buffer.from('one')),
      pcapRecord(1, 1, Buffer.alloc(0)),
    ]);
    const { info, frames } = await read(Buffer.concat([whole, Buffer.alloc(1_000_000)]));
    expect(frames).toHaveLength(2);
    expect(info.complete).toBe(false);
    expect(info.problems).toEqual([{ offset: whole.length, message: expect.stringMatching(/^zeros stand here/) }]);
  });

  it('takes a few zeros for packets without bytes, as others do', async () => {
    const { info, frames } = await read(Buffer.concat([pcapHeader(), Buffer.alloc(3 * 16)]));
    expect(frames).toHaveLength(3);
    expect(info.complete).toBe(true);
  });

  it('says how much of a cut record is missing', async () => {
    const { info } = await read(file({}, pcapRecord(1, 0, data, { captured: 60 })));
    expect(info.problems[0].message).toBe(
      'the capture is cut: the record that begins here needs 76 bytes and only 21 are there; what came before it was read',
    );
  });

  it('reads a header without records', async () => {
    const { info, frames } = await read(file({}));
    expect(frames).toEqual([]);
    expect(info.complete).toBe(true);
  });

  it('refuses a cut header and a version that never was', async () => {
    expect(await refusal(file({}).subarray(0, 23))).toBe(
      'cut before its first packet: the file header needs 24 bytes and only 23 are there; capture or copy it again',
    );
    const version = file({});
    version[4] = 1;
    expect(await refusal(version)).toContain('pcap version 1.4 does not exist');
  });
});
