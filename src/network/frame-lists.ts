/** Frames kept in one list at most; later ones are only counted by the list's owner. */
export const MAX_LISTED = 64;
const MAX_ENTRIES = 1 << 17;

/**
 * Lists of frames as evidence, many short ones in shared columns. A list is named by its first entry (a
 * number above 0) and 0 is the empty list.
 */
export class FrameLists {
  /** Frames that were not listed because all entries were taken. */
  refused = 0;
  private numbers = new Float64Array(256);
  private offsets = new Int32Array(256);
  private lengths = new Int32Array(256);
  private nexts = new Int32Array(256);
  /** Last entry and length, of entries that head a list. */
  private tails = new Int32Array(256);
  private counts = new Int32Array(256);
  private used = 1;
  private free = 0;

  /** Adds a frame, with the bytes in it that count, and returns the list's name. */
  append(list: number, frame: number, offset: number, length: number): number {
    if (list !== 0 && this.counts[list] >= MAX_LISTED) return list;
    const entry = this.take();
    if (entry === 0) return list;
    this.numbers[entry] = frame;
    this.offsets[entry] = offset;
    this.lengths[entry] = length;
    this.nexts[entry] = 0;
    if (list === 0) {
      this.tails[entry] = entry;
      this.counts[entry] = 1;
      return entry;
    }
    this.nexts[this.tails[list]] = entry;
    this.tails[list] = entry;
    this.counts[list]++;
    return list;
  }

  /** Gives the entries of a list back. */
  release(list: number): void {
    if (list === 0) return;
    this.nexts[this.tails[list]] = this.free;
    this.free = list;
  }

  read(list: number): { frame: number; offset: number; length: number }[] {
    const frames = [];
    for (let entry = list; entry !== 0; entry = this.nexts[entry]) {
      frames.push({ frame: this.numbers[entry], offset: this.offsets[entry], length: this.lengths[entry] });
    }
    return frames;
  }

  private take(): number {
    if (this.free !== 0) {
      const entry = this.free;
      this.free = this.nexts[entry];
      return entry;
    }
    if (this.used === this.numbers.length) {
      if (this.used >= MAX_ENTRIES) {
        this.refused++;
        return 0;
      }
      this.grow();
    }
    return this.used++;
  }

  private grow(): void {
    const size = this.numbers.length * 2;
    const numbers = new Float64Array(size);
    numbers.set(this.numbers);
    this.numbers = numbers;
    this.offsets = enlarged(this.offsets, size);
    this.lengths = enlarged(this.lengths, size);
    this.nexts = enlarged(this.nexts, size);
    this.tails = enlarged(this.tails, size);
    this.counts = enlarged(this.counts, size);
  }
}

function enlarged(column: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(size);
  larger.set(column);
  return larger;
}
