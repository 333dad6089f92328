import type { Frame } from '../../wire/frame.js';

/** Frames kept in one list at most; later ones are only counted by the list's owner. */
export const MAX_LISTED = 64;
const MAX_ENTRIES = 1 << 17;
const FIRST_ENTRIES = 64;

/** An entry, in 32-bit words and in doubles: the frame's number, as a double, comes first. */
const WORDS = 6;
const DOUBLES = WORDS / 2;
const OFFSET = 2;
const LENGTH = 3;
const NEXT = 4;
/** Last entry and, above it, length of the list, of entries that head one. */
const TAIL = 5;
const TAIL_BITS = 20;
const TAIL_MASK = (1 << TAIL_BITS) - 1;

/** Bytes that count: in which frame, how many before them and how many they are. */
export interface Place {
  frame: number;
  offset: number;
  length: number;
}

/**
 * Lists of frames as evidence, many short ones in one array. A list is named by its first entry (a
 * number above 0) and 0 is the empty list.
 */
export class FrameLists {
  /** Frames that were not listed because all entries were taken. */
  refused = 0;
  private words = new Int32Array(FIRST_ENTRIES * WORDS);
  /** The same memory, for the numbers. */
  private doubles = new Float64Array(this.words.buffer);
  private capacity = FIRST_ENTRIES;
  private used = 1;
  private free = 0;

  /** Adds a frame, with the bytes in it that count, and returns the list's name. */
  append(list: number, frame: number, offset: number, length: number): number {
    if (list !== 0 && this.words[list * WORDS + TAIL] >>> TAIL_BITS >= MAX_LISTED) return list;
    const entry = this.take();
    if (entry === 0) return list;
    const { words } = this;
    const at = entry * WORDS;
    this.doubles[entry * DOUBLES] = frame;
    words[at + OFFSET] = offset;
    words[at + LENGTH] = length;
    words[at + NEXT] = 0;
    if (list === 0) {
      words[at + TAIL] = (1 << TAIL_BITS) | entry;
      return entry;
    }
    const tail = words[list * WORDS + TAIL];
    words[(tail & TAIL_MASK) * WORDS + NEXT] = entry;
    words[list * WORDS + TAIL] = ((tail & ~TAIL_MASK) + (1 << TAIL_BITS)) | entry;
    return list;
  }

  /** Adds a frame with the bytes of one of its headers, and returns the list's name. */
  appendHeader(list: number, frame: Frame, layer: number): number {
    const at = frame.offsets[layer];
    return this.append(list, frame.number, at - frame.start, frame.ends[layer] - at);
  }

  /** Gives the entries of a list back. */
  release(list: number): void {
    if (list === 0) return;
    const { words } = this;
    words[(words[list * WORDS + TAIL] & TAIL_MASK) * WORDS + NEXT] = this.free;
    this.free = list;
  }

  read(list: number): Place[] {
    const { words, doubles } = this;
    const frames: Place[] = [];
    for (let entry = list; entry !== 0; entry = words[entry * WORDS + NEXT]) {
      const at = entry * WORDS;
      frames.push({ frame: doubles[entry * DOUBLES], offset: words[at + OFFSET], length: words[at + LENGTH] });
    }
    return frames;
  }

  private take(): number {
    if (this.free !== 0) {
      const entry = this.free;
      this.free = this.words[entry * WORDS + NEXT];
      return entry;
    }
    if (this.used === this.capacity) {
      if (this.used >= MAX_ENTRIES) {
        this.refused++;
        return 0;
      }
      this.grow();
    }
    return this.used++;
  }

  private grow(): void {
    this.capacity *= 2;
    const words = new Int32Array(this.capacity * WORDS);
    words.set(this.words);
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
  }
}
