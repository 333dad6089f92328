import type { Random } from '../../bench/traffic/random.js';

export type Bytes = Uint8Array<ArrayBuffer>;

/** Values that lengths, counts and offsets stumble over. */
const EDGES = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xfe, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
/** Longest stretch that is taken away, doubled or taken from elsewhere, in bytes. */
const STRETCH = 64;

/** A copy of `seed` with one to four random damages, some with bytes of `other`. */
export function mutate(seed: Bytes, other: Bytes, random: Random): Bytes {
  let bytes = Uint8Array.from(seed);
  for (let i = random.below(4); i >= 0; i--) bytes = damage(bytes, other, random);
  return bytes;
}

function damage(bytes: Bytes, other: Bytes, random: Random): Bytes {
  if (bytes.length === 0) return Uint8Array.from(other);
  const at = random.below(bytes.length);
  const length = Math.min(1 + random.below(STRETCH), bytes.length - at);
  switch (random.below(8)) {
    case 0:
      bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 1:
      bytes[at] = random.below(256);
      return bytes;
    case 2:
      return write(bytes, at, 2, random);
    case 3:
      return write(bytes, at, 4, random);
    case 4:
      return bytes.slice(0, at);
    case 5:
      return join(bytes.subarray(0, at), bytes.subarray(at + length));
    case 6:
      return join(bytes.subarray(0, at + length), bytes.subarray(at));
    default:
      return join(bytes.subarray(0, at), stretch(other, random), bytes.subarray(at));
  }
}

/** Writes an edge value over `size` bytes, in either byte order. */
function write(bytes: Bytes, at: number, size: number, random: Random): Bytes {
  const value = EDGES[random.below(EDGES.length)];
  const bigEndian = random.below(2) === 0;
  for (let i = 0; i < size && at + i < bytes.length; i++) {
    bytes[at + i] = value >>> (8 * (bigEndian ? size - 1 - i : i));
  }
  return bytes;
}

function stretch(bytes: Bytes, random: Random): Bytes {
  const at = random.below(bytes.length + 1);
  return bytes.subarray(at, at + random.below(STRETCH));
}

function join(...parts: Bytes[]): Bytes {
  return Uint8Array.from(Buffer.concat(parts));
}
