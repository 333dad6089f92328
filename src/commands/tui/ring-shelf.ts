import {
  interfaceBlock,
  plainPacketSize,
  putPacket,
  type SectionToWrite,
  sectionBlock,
  statisticsBlock,
} from '../../capture/pcapng/writer.js';
import type { CaptureInfo } from '../../wire/capture-info.js';
import { type Direction, Frame } from '../../wire/frame.js';
import { framesBefore, type Shelf, type VisitFrame } from './shelf.js';

/** Frames of a live capture that are kept at most, and bytes of them. */
const RING_FRAMES = 50_000;
const RING_BYTES = 32 * 1024 * 1024;

/** Copying a small frame byte by byte costs less than a `subarray`. */
const SMALL = 256;

/**
 * The latest frames of a live capture. Everything is allocated once. While it is frozen the frames in it stay, and
 * others are taken in as long as there is room for them.
 */
export class RingShelf implements Shelf {
  readonly #bytes: Uint8Array;
  readonly #capacity: number;
  readonly #numbers: Float64Array;
  readonly #seconds: Float64Array;
  readonly #nanoseconds: Int32Array;
  readonly #offsets: Int32Array;
  readonly #lengths: Int32Array;
  readonly #wireLengths: Int32Array;
  readonly #linkTypes: Int32Array;
  readonly #interfaces: Int32Array;
  readonly #devices: Int32Array;
  readonly #directions: Uint8Array;
  /** Slot of the oldest frame, and how many there are. */
  #oldest = 0;
  #count = 0;
  /** Where the bytes of the next frame go. */
  #next = 0;
  #isFrozen = false;
  /** Frames passed that were not taken in while frozen: what comes after does not follow what is here. */
  #hasGap = false;
  /** Frames that have passed. */
  #seen = 0;
  #saved = 0;

  constructor(frames = RING_FRAMES, bytes = RING_BYTES) {
    this.#capacity = frames;
    this.#bytes = new Uint8Array(bytes);
    this.#numbers = new Float64Array(frames);
    this.#seconds = new Float64Array(frames);
    this.#nanoseconds = new Int32Array(frames);
    this.#offsets = new Int32Array(frames);
    this.#lengths = new Int32Array(frames);
    this.#wireLengths = new Int32Array(frames);
    this.#linkTypes = new Int32Array(frames);
    this.#interfaces = new Int32Array(frames);
    this.#devices = new Int32Array(frames);
    this.#directions = new Uint8Array(frames);
  }

  get seen(): number {
    return this.#seen;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether frames have passed since `noteSaved`. */
  get unsaved(): boolean {
    return this.#seen > this.#saved;
  }

  note(frame: Frame): void {
    this.#seen++;
    const { start, end } = frame;
    const length = end - start;
    if (length > this.#bytes.length || this.#hasGap) return;
    const at = this.#placeFor(length);
    if (at < 0) {
      this.#hasGap = true;
      return;
    }
    const bytes = frame.bytes;
    if (length > SMALL) this.#bytes.set(bytes.subarray(start, end), at);
    else for (let from = start, to = at; from < end; ) this.#bytes[to++] = bytes[from++];
    this.#next = at + length;
    const slot = (this.#oldest + this.#count++) % this.#capacity;
    this.#offsets[slot] = at;
    this.#lengths[slot] = length;
    this.#numbers[slot] = frame.number;
    this.#seconds[slot] = frame.seconds;
    this.#nanoseconds[slot] = frame.nanoseconds;
    this.#wireLengths[slot] = frame.wireLength;
    this.#linkTypes[slot] = frame.linkType;
    this.#interfaces[slot] = frame.interface;
    this.#devices[slot] = frame.deviceIndex;
    this.#directions[slot] = frame.direction;
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  /** Takes frames in again. If some were missed, those from before are let go: what is kept has no holes. */
  thaw(): void {
    this.#isFrozen = false;
    if (this.#hasGap) this.#count = this.#next = 0;
    this.#hasGap = false;
  }

  range(): readonly [number, number] {
    if (this.#count === 0) return [1, 0];
    return [this.#numberAt(0), this.#numberAt(this.#count - 1)];
  }

  nearest(number: number, step: 1 | -1): number {
    const at = this.#indexOf(number);
    if (at < this.#count && this.#numberAt(at) === number) return number;
    const other = step > 0 ? at : at - 1;
    return other >= 0 && other < this.#count ? this.#numberAt(other) : number;
  }

  visit(from: number, count: number, onFrame: VisitFrame): void {
    const frame = new Frame();
    frame.useBuffer(this.#bytes);
    const begin = this.#indexOf(from);
    for (let i = begin; i < Math.min(this.#count, begin + count); i++) {
      const slot = (this.#oldest + i) % this.#capacity;
      frame.start = this.#offsets[slot];
      frame.end = frame.start + this.#lengths[slot];
      frame.number = this.#numbers[slot];
      frame.wireLength = this.#wireLengths[slot];
      frame.linkType = this.#linkTypes[slot];
      frame.interface = this.#interfaces[slot];
      frame.deviceIndex = this.#devices[slot];
      frame.direction = this.#directions[slot] as Direction;
      frame.setTime(this.#seconds[slot], this.#nanoseconds[slot]);
      onFrame(frame);
    }
  }

  /** What is kept, as a pcapng file. */
  pcapng(section: SectionToWrite, { interfaces }: CaptureInfo): Uint8Array {
    const [first] = this.range();
    const heads = [sectionBlock(section), ...interfaces.map(interfaceBlock)];
    let size = 0;
    let seconds = 0;
    let nanoseconds = 0;
    this.visit(first, this.#count, ({ start, end }) => {
      size += plainPacketSize(end - start);
    });
    const packets = new Uint8Array(size);
    const view = new DataView(packets.buffer);
    let length = 0;
    this.visit(first, this.#count, (frame) => {
      length += putPacket(packets, view, length, frame);
      ({ seconds, nanoseconds } = frame);
    });
    const tails = interfaces.map(({ dropped }, number) => statisticsBlock(number, seconds, nanoseconds, dropped ?? 0));
    return Buffer.concat([...heads, packets.subarray(0, length), ...tails]);
  }

  /** All that has passed until now counts as saved. */
  noteSaved(): void {
    this.#saved = this.#seen;
  }

  close(): void {}

  /** Where so many bytes fit in one piece once the oldest frames have gone; -1 if they may not go. */
  #placeFor(length: number): number {
    for (;;) {
      if (this.#count === 0) return 0;
      if (this.#count < this.#capacity) {
        const first = this.#offsets[this.#oldest];
        // Either the free room lies behind the latest and before the oldest, or the oldest comes behind the latest.
        if (this.#next > first) {
          if (this.#next + length <= this.#bytes.length) return this.#next;
          if (length <= first) return 0;
        } else if (this.#next + length <= first) return this.#next;
      }
      if (this.#isFrozen) return -1;
      this.#oldest = (this.#oldest + 1) % this.#capacity;
      this.#count--;
    }
  }

  #numberAt(index: number): number {
    return this.#numbers[(this.#oldest + index) % this.#capacity];
  }

  /** Where the first frame with this number or a higher one is. */
  #indexOf(number: number): number {
    return framesBefore(number, this.#count, (index) => this.#numberAt(index));
  }
}
