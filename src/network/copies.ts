import { Direction, type Frame } from '../wire/frame.js';
import { Protocol } from '../wire/protocol.js';
import { SLL_ADDRESS, SLL2_ADDRESS } from '../wire/sll.js';

/** Frames remembered at once, the latest ones: what 100 ms hold at 300,000 frames/s. */
const ROWS = 1 << 15;
/** A frame that comes again within this time, counted from its last coming, is the same frame (catalogue 3.4, D1). */
export const COPY_WINDOW_NS = 100e6;
/** A reflective relay takes microseconds, a hardware one at most this (catalogue 3.4). */
export const REFLECTION_WINDOW_NS = 50e6;
/** Bytes behind the MACs that are compared word by word; of longer frames every 64th byte as well. */
const HEAD = 128;
const STEP = 64;
/** A row in 32-bit words and in doubles: half a cache line. */
const WORDS = 8;
const DOUBLES = WORDS / 2;
const HIGH = 1;
/** Base segment, and in the lowest two bits the direction. */
const PORT = 2;
const COUNT = 3;
const NUMBER = 2;
const TIME = 3;

/**
 * Recognises frames that come again at the same port, byte for byte from the destination MAC to the end of the
 * packet: padding and VLAN tags are left out, for a relay may add or strip them. Of frames longer than
 * 128 bytes samples are compared, which headers, checksums and sequence numbers make distinct in practice.
 * A row describes the first sighting and counts the later ones.
 */
export class Copies {
  /** Frames that came again, by direction: out and then in (a reflection), and any other pair. */
  reflected = 0;
  others = 0;
  /**
   * By hash, the row, and above its bits those of the hash that tell most frames apart: small enough to stay in the
   * processor's cache, while the rows are written one behind the other. Two frames that meet here forget the older one.
   */
  private readonly index = new Int32Array(ROWS);
  private readonly words = new Int32Array(ROWS * WORDS);
  private readonly doubles = new Float64Array(this.words.buffer);
  /** Of rows that came again, the time of the latest sighting. */
  private readonly lastTimes = new Float64Array(ROWS);
  private next = 0;
  /** What `hash` made of the frame at hand. */
  private low = 0;
  private high = 0;

  /** The row of the frame seen before if this is a copy of it, else -1 and the frame is remembered. */
  observe(frame: Frame, base: number): number {
    if (!this.hash(frame, base)) return -1;
    const { index, low, high } = this;
    const slot = (low ^ high) & (ROWS - 1);
    const entry = index[slot];
    if (((entry ^ high) & ~(ROWS - 1)) === 0 && this.isCopyOf(entry & (ROWS - 1), frame, base))
      return entry & (ROWS - 1);
    const { words, doubles, next: row } = this;
    index[slot] = (high & ~(ROWS - 1)) | row;
    const word = row * WORDS;
    words[word] = low;
    words[word + HIGH] = high;
    words[word + PORT] = (base << 2) | frame.direction;
    words[word + COUNT] = 0;
    doubles[row * DOUBLES + NUMBER] = frame.number;
    doubles[row * DOUBLES + TIME] = frame.time;
    this.next = (row + 1) & (ROWS - 1);
    return -1;
  }

  /** Whether the frame is a copy of the one in `row`; then it is counted there. */
  private isCopyOf(row: number, frame: Frame, base: number): boolean {
    const { words } = this;
    const { time } = frame;
    const word = row * WORDS;
    if (words[word] !== this.low || words[word + HIGH] !== this.high || words[word + PORT] >> 2 !== base) return false;
    const first = this.firstTime(row);
    const last = words[word + COUNT] === 0 ? first : this.lastTimes[row];
    if (time - last > COPY_WINDOW_NS || time < first - COPY_WINDOW_NS) return false;
    words[word + COUNT]++;
    this.lastTimes[row] = time;
    if (this.firstDirection(row) === Direction.Out && frame.direction === Direction.In) this.reflected++;
    else this.others++;
    return true;
  }

  /**
   * Hashes a frame into `low` and `high`; false if it has no link header. Four lanes, each turned and multiplied
   * as in MurmurHash3, so that no multiplication waits for the one before; little-endian reads need no swap.
   */
  private hash(frame: Frame, base: number): boolean {
    const { view } = frame;
    const start = frame.offsets[0];
    // Ports must not share slots: they show the same frames.
    let a = Math.imul(base + 1, 0x9e3779b1);
    let b = 0x2c1b3c6d;
    let c = 0x165667b1;
    const kind = frame.kinds[0];
    if (kind === Protocol.Ethernet) {
      a ^= view.getInt32(start, true);
      b ^= view.getInt32(start + 4, true);
      c ^= view.getInt32(start + 8, true);
    } else if (kind === Protocol.Sll || kind === Protocol.Sll2) {
      const sender = start + (kind === Protocol.Sll ? SLL_ADDRESS : SLL2_ADDRESS);
      a ^= view.getInt32(sender, true);
      b ^= view.getUint16(sender + 4, true);
    } else return false;

    const layer = packetLayer(frame);
    const end = packetEnd(frame, layer);
    let at = frame.ends[layer - 1];
    let d = end - at;
    const head = Math.min(end, at + HEAD);
    for (; at + 16 <= head; at += 16) {
      a = mix(a ^ view.getInt32(at, true));
      b = mix(b ^ view.getInt32(at + 4, true));
      c = mix(c ^ view.getInt32(at + 8, true));
      d = mix(d ^ view.getInt32(at + 12, true));
    }
    for (; at + 4 <= head; at += 4) a = mix(a ^ view.getInt32(at, true));
    for (; at < head; at++) b = mix(b ^ view.getUint8(at));
    for (; at + 4 <= end; at += STEP) c = mix(c ^ view.getInt32(at, true));
    this.low = finish(mix(a) + c);
    this.high = finish(mix(b) + d);
    return true;
  }

  /** How often the frame came again. */
  count(row: number): number {
    return this.words[row * WORDS + COUNT];
  }

  /** Number, time and direction of the first sighting. */
  firstNumber(row: number): number {
    return this.doubles[row * DOUBLES + NUMBER];
  }

  firstTime(row: number): number {
    return this.doubles[row * DOUBLES + TIME];
  }

  firstDirection(row: number): Direction {
    return (this.words[row * WORDS + PORT] & 3) as Direction;
  }
}

/** The layer behind the link header and its VLAN tags; one behind the last if there is none. */
function packetLayer(frame: Frame): number {
  const { kinds, layerCount } = frame;
  let layer = 1;
  while (layer < layerCount && kinds[layer] === Protocol.Vlan) layer++;
  return layer;
}

/** The packet ends where its own length says; without such a layer, where the capture does. */
function packetEnd(frame: Frame, layer: number): number {
  if (layer >= frame.layerCount) return frame.end;
  const kind = frame.kinds[layer];
  if (kind === Protocol.Arp) return frame.ends[layer];
  return kind === Protocol.Ipv4 || kind === Protocol.Ipv6 ? frame.limits[layer] : frame.end;
}

function mix(h: number): number {
  return Math.imul((h << 13) | (h >>> 19), 0x85ebca6b);
}

function finish(h: number): number {
  const folded = Math.imul(h ^ (h >>> 16), 0xc2b2ae35);
  return folded ^ (folded >>> 13);
}
