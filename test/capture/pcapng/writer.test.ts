import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packetBlock, plainPacketSize, putPacket } from '../../../src/capture/pcapng/writer.js';
import { Direction } from '../../../src/wire/frame.js';

const packets = fc.record({
  interface: fc.nat(5),
  seconds: fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: -9e9, max: 9e9 })),
  nanoseconds: fc.nat(999_999_999),
  bytes: fc.uint8Array({ maxLength: 600 }),
  wireLength: fc.nat(0xffff),
  direction: fc.constantFrom(Direction.Unknown, Direction.In, Direction.Out),
});

/** The 64-bit number of nanoseconds of a block, read with the arithmetic that the writer avoids. */
function timeOf(block: Uint8Array): bigint {
  const view = new DataView(block.buffer, block.byteOffset);
  return BigInt.asIntN(64, (BigInt(view.getUint32(12, true)) << 32n) | BigInt(view.getUint32(16, true)));
}

describe('packets written to pcapng', () => {
  it('carry their time to the nanosecond', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const expected = BigInt(packet.seconds) * 1_000_000_000n + BigInt(packet.nanoseconds);
        expect(timeOf(packetBlock(packet))).toBe(expected);
      }),
    );
  });

  it('are the same bytes whether put in place or made as a block', () => {
    fc.assert(
      fc.property(packets, fc.nat(7), (packet, before) => {
        const block = packetBlock(packet);
        const room = plainPacketSize(packet.bytes.length);
        const buffer = new Uint8Array(before + room + 4).fill(0xaa);
        // The packet lies somewhere in the reader's buffer.
        const around = new Uint8Array(packet.bytes.length + 9).fill(0xbb);
        around.set(packet.bytes, 5);
        const place = { ...packet, bytes: around, start: 5, end: 5 + packet.bytes.length };
        const length = putPacket(buffer, new DataView(buffer.buffer), before, place);
        expect(length).toBeLessThanOrEqual(room);
        expect(buffer.subarray(before, before + length)).toEqual(block);
        expect(buffer.subarray(before + length)).toEqual(new Uint8Array(room - length + 4).fill(0xaa));
      }),
    );
  });
});
