import { Direction, type Frame } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import type { Digest } from '../rows/digest.js';

/** Frames remembered at once, the latest ones: what 100 ms hold at 300,000 frames/s. */
const ROWS = 1 << 15;
/** A frame that comes again within this time, counted from its last coming, is the same frame (catalogue 3.4, D1). */
const COPY_WINDOW_NS = 100e6;
/** A reflective relay takes microseconds, a hardware one at most this (catalogue 3.4). */
export const REFLECTION_WINDOW_NS = 50e6;
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
 * Recognises frames that come again at the same port, by what `Digest` reads of a frame. A row describes the first sighting
 * and counts the later ones.
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

  constructor(private readonly digest: Digest) {}

  /** The row of the frame seen before if this is a copy of it, else -1 and the frame is remembered. */
  observe(frame: Frame, base: number): number {
    const { digest, index } = this;
    if (digest.readFrame(frame, packetLayer(frame)) === false) return -1;
    const { low, high } = digest;
    // Ports must not share slots: they show the same frames.
    const slot = (low ^ Math.imul(base + 1, 0x9e3779b1)) & (ROWS - 1);
    const entry = index[slot];
    if (((entry ^ high) & ~(ROWS - 1)) === 0 && this.isCopyOf(entry & (ROWS - 1), frame, base))
      return entry & (ROWS - 1);
    const { words, doubles } = this;
    // A number whose range V8 knows: sums and products of it need no check for overflow.
    const row = this.next & (ROWS - 1);
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
    const { words, digest } = this;
    const { time } = frame;
    const word = row * WORDS;
    if (words[word] !== digest.low || words[word + HIGH] !== digest.high || words[word + PORT] >> 2 !== base)
      return false;
    const first = this.firstTime(row);
    const last = words[word + COUNT] === 0 ? first : this.lastTimes[row];
    if (time - last > COPY_WINDOW_NS || time < first - COPY_WINDOW_NS) return false;
    words[word + COUNT]++;
    this.lastTimes[row] = time;
    if (this.firstDirection(row) === Direction.Out && frame.direction === Direction.In) this.reflected++;
    else this.others++;
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
