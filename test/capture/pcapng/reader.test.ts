import { describe, expect, it } from 'vitest';
import { Blocks, Bytes, type Option } from '../build.js';
import { read } from '../read.js';

const data = Buffer.from('frame');
const orders = [true, false];
const NOW = 1_700_000_000_123_456n;
const TIME = '1700000000.123456000';

const text = (code: number, value: string): Option => [code, Buffer.from(value)];
const byte = (code: number, value: number): Option => [code, Buffer.from([value])];

function word(code: number, value: number, littleEndian = true): Option {
  return [code, new Bytes(littleEndian).u32(value).done()];
}

function long(code: number, value: bigint, littleEndian = true): Option {
  return [code, new Bytes(littleEndian).u64(BigInt.asUintN(64, value)).done()];
}

describe('pcapng', () => {
  it.each(orders)('reads enhanced packets, little-endian %s', async (littleEndian) => {
    const file = new Blocks(littleEndian).section().interface(113, 96, [text(2, 'eth0'), text(3, 'uplink\0')]);
    file.enhanced(NOW, data, { wire: 60 }).enhanced(NOW, Buffer.from('four'));
    const { info, frames } = await read(file.done());
    expect(frames).toEqual([
      expect.objectContaining({ number: 1, time: TIME, bytes: 'frame', wireLength: 60, interface: 0, linkType: 113 }),
      expect.objectContaining({ number: 2, time: TIME, bytes: 'four', wireLength: 4, direction: 0 }),
    ]);
    expect(info).toMatchObject({ format: 'pcapng', complete: true, problems: [], dropped: null, comments: 0 });
    expect(info.interfaces).toEqual([
      { name: 'eth0', description: 'uplink', linkType: 113, snapLength: 96, dropped: null },
    ]);
    expect(frames[0].position).toBe(28 + 20 + 2 * (4 + 4) + 4 + 4);
  });

  it.each(orders)('reads obsolete packets with their drop count, little-endian %s', async (littleEndian) => {
    const file = new Blocks(littleEndian).section().interface().interface(228);
    const packet = (drops: number) =>
      file
        .bytes()
        .u16(1, drops)
        .u32(Number(NOW >> 32n), Number(NOW & 0xffffffffn), 5, 60)
        .padded(data)
        .done();
    const { info, frames } = await read(file.block(2, packet(3)).block(2, packet(0xffff)).done());
    expect(frames).toEqual([
      expect.objectContaining({ time: TIME, bytes: 'frame', wireLength: 60, linkType: 228 }),
      expect.objectContaining({ interface: 1 }),
    ]);
    expect(info.dropped).toBe(3);
  });

  it.each(orders)('reads simple packets, cut at the snap length, little-endian %s', async (littleEndian) => {
    const file = new Blocks(littleEndian).section().interface(1, 3);
    file.enhanced(NOW, data).block(3, file.bytes().u32(5).padded(Buffer.from('fra')).done());
    const { info, frames } = await read(file.done());
    expect(frames[1]).toMatchObject({ number: 2, bytes: 'fra', wireLength: 5, time: TIME });
    expect(info.untimed).toBe(1);
  });

  it('reads simple packets without a snap length to their end', async () => {
    const file = new Blocks().section().interface();
    file.block(3, file.bytes().u32(5).padded(data).done());
    expect((await read(file.done())).frames[0]).toMatchObject({ bytes: 'frame', time: '0.000000000' });
  });

  it('numbers interfaces through sections of either byte order', async () => {
    const first = new Blocks(true).section().interface(1).interface(113).enhanced(NOW, data, { number: 1 });
    const second = new Blocks(false).section().interface(276).enhanced(NOW, data);
    const { info, frames } = await read(Buffer.concat([first.done(), second.done()]));
    expect(frames.map((frame) => [frame.number, frame.interface, frame.linkType])).toEqual([
      [1, 1, 113],
      [2, 2, 276],
    ]);
    expect(info.interfaces.map((described) => described.linkType)).toEqual([1, 113, 276]);
    expect(info.complete).toBe(true);
  });

  it.each(orders)('reads the time stamps of each interface in its own way, little-endian %s', async (littleEndian) => {
    const file = new Blocks(littleEndian).section();
    file.interface(1, 0, [byte(9, 9)]);
    file.interface(1, 0, [byte(9, 0x80 | 10)]);
    file.interface(1, 0, [byte(9, 0), long(14, -100n, littleEndian)]);
    file.interface(1, 0, [long(14, 0x100000000n, littleEndian)]);
    file.enhanced(1_700_000_000_123_456_789n, data, { number: 0 });
    file.enhanced(1_700_000_000n * 1024n + 512n, data, { number: 1 });
    file.enhanced(1_700_000_000n, data, { number: 2 });
    file.enhanced(1n, data, { number: 3 });
    const { frames } = await read(file.done());
    expect(frames.map((frame) => frame.time)).toEqual([
      '1700000000.123456789',
      '1700000000.500000000',
      '1699999900.000000000',
      '4294967296.000001000',
    ]);
  });

  it.each(orders)('reads direction, drops and comments, little-endian %s', async (littleEndian) => {
    const file = new Blocks(littleEndian).section([text(1, 'of the section')]).interface(1, 0, [text(1, 'of it')]);
    const flags = (value: number) => word(2, value, littleEndian);
    file.enhanced(NOW, data, { options: [text(1, 'one'), flags(1), long(4, 7n, littleEndian), text(1, 'two')] });
    file.enhanced(NOW, data, { options: [flags(2)] });
    file.enhanced(NOW, data, { options: [flags(3)] });
    file.enhanced(NOW, data);
    const { info, frames } = await read(file.done());
    expect(frames.map((frame) => frame.direction)).toEqual([1, 2, 0, 0]);
    expect(info).toMatchObject({ comments: 4, dropped: 7 });
  });

  it('keeps the FCS out of the frame: by the interface in bits, by the packet in bytes', async () => {
    const whole = Buffer.from('frameFCS!');
    const file = new Blocks().section().interface(1, 0, [byte(13, 32)]);
    file.enhanced(NOW, whole).enhanced(NOW, whole, { options: [word(2, 2 << 5)] });
    const { frames } = await read(file.done());
    expect(frames.map(({ bytes, wireLength }) => [bytes, wireLength])).toEqual([
      ['frame', 5],
      ['frameFC', 7],
    ]);
  });

  it('takes drops from interface statistics, the last of each interface', async () => {
    const file = new Blocks().section().interface().interface();
    const statistics = (number: number, ...options: Option[]) =>
      file.block(5, file.bytes().u32(number, 0, 0).raw(file.options(options)).done());
    statistics(0, long(5, 2n), long(7, 3n));
    statistics(1, long(4, 1000n));
    statistics(0, long(5, 4n), long(7, 3n));
    statistics(9, long(5, 4n));
    const { info } = await read(file.done());
    expect(info.interfaces.map((described) => described.dropped)).toEqual([7, null]);
    expect(info).toMatchObject({ dropped: 7, complete: true });
  });

  it('skips what says nothing about packets, and leaves out the numbers that Wireshark gives away', async () => {
    const file = new Blocks().section().interface();
    const junk = Buffer.alloc(40, 0xff);
    for (const type of [4, 10, 0, 7, 0x80000001, 0xbad, 0x40000bad, 9]) file.block(type, junk);
    file.enhanced(NOW, data);
    const { info, frames } = await read(file.done());
    expect(frames.map((frame) => frame.number)).toEqual([4]);
    expect(info.complete).toBe(true);
  });

  it('skips a block that is larger than its buffer, in small pieces too', async () => {
    const file = new Blocks().section().interface();
    file.block(0xbad1, Buffer.alloc(2_000_000)).enhanced(NOW, data);
    const { info, frames } = await read(file.done(), 70_000);
    expect(frames).toHaveLength(1);
    expect(info.complete).toBe(true);
  });

  it('leaves out a packet block that is too large to hold, and reads on', async () => {
    const file = new Blocks().section().interface();
    file.block(6, Buffer.alloc(17 * 1024 * 1024)).enhanced(NOW, data);
    const { info, frames } = await read(file.done());
    expect(frames).toHaveLength(1);
    expect(info.problems).toEqual([{ offset: 48, message: expect.stringContaining('claims 17825804 bytes') }]);
  });

  it('grows its buffer for packets that are large in truth', async () => {
    const file = new Blocks().section().interface();
    file.enhanced(NOW, Buffer.alloc(3_000_000, 'x')).enhanced(NOW, data);
    expect((await read(file.done())).frames.map((frame) => frame.bytes.length)).toEqual([3_000_000, 5]);
  });

  describe('damage', () => {
    const head = () => new Blocks().section().interface();
    const AT = 48;

    it.each([
      ['more bytes than its block', head().enhanced(NOW, data, { captured: 9 }), 'claims 9 captured bytes'],
      ['an interface that nothing describes', head().enhanced(NOW, data, { number: 1 }), 'names interface 1'],
      ['fewer bytes than its fields', head().block(6, Buffer.alloc(16)), 'too short for its own fields'],
    ])('a packet with %s is left out', async (_, file, message) => {
      const { info, frames } = await read(file.enhanced(NOW, data).done());
      expect(frames).toEqual([expect.objectContaining({ number: 1, bytes: 'frame' })]);
      expect(info.problems).toEqual([{ offset: AT, message: expect.stringContaining(message) }]);
      expect(info.complete).toBe(false);
    });

    it('a trailing length that differs is noted', async () => {
      const file = head();
      const body = file.bytes().u32(0, 0, 0, 5, 5).padded(data).done();
      const { info, frames } = await read(file.block(6, body, { trailer: 44 }).enhanced(NOW, data).done());
      expect(frames).toHaveLength(2);
      expect(info.problems).toEqual([
        { offset: AT, message: 'the block here does not end with the length that it begins with, 40' },
      ]);
      expect(info.complete).toBe(true);
    });

    it('blocks whose text was made shorter and whose lengths were not are read to where they end', async () => {
      const file = new Blocks();
      const section = file.bytes().u32(0x1a2b3c4d).u16(1, 0).u64(0n).raw(Buffer.from('anonymous at 6.1'));
      file.block(0x0a0d0d0a, section.done(), { length: 52 });
      const described = file
        .bytes()
        .u16(1, 0)
        .u32(0)
        .raw(file.options([text(2, 'any'), byte(9, 9)]));
      // Where the first one claims to end stands the length of the second one.
      file.block(1, described.done(), { length: 48 }).block(1, described.done(), { length: 48 });
      file.enhanced(1_700_000_000_123_456_789n, data).enhanced(1_700_000_000_123_456_790n, data);
      const { info, frames } = await read(file.done());
      expect(frames.map((frame) => frame.time)).toEqual(['1700000000.123456789', '1700000000.123456790']);
      expect(info.interfaces[0].name).toBe('any');
      expect(info.problems).toEqual([
        { offset: 0, message: 'the block here claims 52 bytes and has 44; nothing was lost' },
        { offset: 44, message: 'the block here claims 48 bytes and has 40; nothing was lost' },
        { offset: 84, message: 'the block here claims 48 bytes and has 40; nothing was lost' },
      ]);
      expect(info.complete).toBe(true);
    });

    it('a length without its padding is rounded up', async () => {
      const file = head();
      const body = file.bytes().u32(5).padded(data).done();
      const { info, frames } = await read(file.block(3, body, { length: 21 }).enhanced(NOW, data).done());
      expect(frames.map((frame) => frame.bytes)).toEqual(['frame', 'frame']);
      expect(info.complete).toBe(true);
    });

    it.each([0, 4, 11])('a length of %d ends the file', async (length) => {
      const file = head().enhanced(NOW, data);
      const at = file.done().length;
      const { info, frames } = await read(file.block(6, Buffer.alloc(40), { length }).enhanced(NOW, data).done());
      expect(frames).toHaveLength(1);
      expect(info.problems).toEqual([
        { offset: at, message: expect.stringContaining(`claims ${length} bytes, fewer than its own frame`) },
      ]);
    });

    it('a section without a byte order ends the file', async () => {
      const file = head().enhanced(NOW, data);
      const at = file.done().length;
      const { info, frames } = await read(file.block(0x0a0d0d0a, Buffer.alloc(16)).done());
      expect(frames).toHaveLength(1);
      expect(info.problems).toEqual([{ offset: at, message: expect.stringContaining('no byte-order mark') }]);
    });

    it('options that run out of their block end there', async () => {
      const file = new Blocks().section();
      const name = file.bytes().u16(1, 0).u32(0).u16(2, 4).raw(Buffer.from('eth0')).u16(3, 400).done();
      const { info, frames } = await read(file.block(1, name).enhanced(NOW, data).done());
      expect(info.interfaces).toEqual([expect.objectContaining({ name: 'eth0', description: null })]);
      expect(frames).toHaveLength(1);
    });

    it('a file cut within a block that is skipped says so', async () => {
      const file = head().block(0xbad1, Buffer.alloc(8), { length: 0xfffffff0 }).done();
      const { info } = await read(file);
      expect(info.problems).toEqual([
        { offset: AT, message: expect.stringContaining('needs 4294967280 bytes and only 20 are there') },
      ]);
    });

    it('a file full of damage does not fill the memory with complaints', async () => {
      const file = head();
      for (let i = 0; i < 100; i++) file.enhanced(NOW, data, { number: 5 });
      const { info } = await read(file.done());
      expect(info.problems).toHaveLength(20);
      expect(info.problems[19].message).toBe('more damage from here on, not listed');
    });

    it('texts of interfaces are cut where they are absurdly long', async () => {
      const long = 'x'.repeat(60_000);
      const file = new Blocks()
        .section()
        .interface(1, 96, [text(2, long), text(3, long), [11, Buffer.from(`\0${long}`)]]);
      const { info } = await read(file.enhanced(NOW, data).done());
      const [{ name, description, filter }] = info.interfaces;
      expect([name, description, filter].map((each) => each?.length)).toEqual([1024, 1024, 1024]);
    });

    it('more interfaces than can be held are left out', async () => {
      const one = new Blocks().interface().done();
      const file = Buffer.concat([new Blocks().section().done(), ...Array<Buffer>(65_537).fill(one)]);
      const { info } = await read(file);
      expect(info.interfaces).toHaveLength(65_536);
      expect(info.problems).toHaveLength(1);
    });
  });
});
