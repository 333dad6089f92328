import { Frame } from '../../wire/frame.js';
import { framesBefore, type Shelf, type VisitFrame } from './shelf.js';

/** Bytes kept of the frames of inputs that cannot be read twice. */
const KEPT_BYTES = 32 * 1024 * 1024;
/** What the object of a frame and its fields cost besides its bytes: about as much as a small frame. */
const OBJECT_BYTES = 256;

/** Keeps copies of frames until there are too many bytes of them. */
export class KeptShelf implements Shelf {
  readonly #kept: Pick<Frame, (typeof KEPT)[number]>[] = [];
  #bytes = 0;

  note(frame: Frame): void {
    if (this.#bytes > KEPT_BYTES) return;
    const bytes = frame.bytes.slice(frame.start, frame.end);
    this.#bytes += bytes.length + OBJECT_BYTES;
    const { number, linkType, wireLength, seconds, nanoseconds, direction, deviceIndex } = frame;
    this.#kept.push({
      bytes,
      number,
      linkType,
      wireLength,
      seconds,
      nanoseconds,
      direction,
      deviceIndex,
      interface: frame.interface,
    });
  }

  range(): readonly [number, number] {
    return [this.#kept[0]?.number ?? 1, this.#kept.at(-1)?.number ?? 0];
  }

  nearest(number: number, step: 1 | -1): number {
    const at = this.#indexOf(number);
    if (this.#kept[at]?.number === number) return number;
    return this.#kept[step > 0 ? at : at - 1]?.number ?? number;
  }

  visit(from: number, count: number, onFrame: VisitFrame): void {
    const frame = new Frame();
    const begin = this.#indexOf(from);
    for (const { bytes, ...rest } of this.#kept.slice(begin, begin + count)) {
      frame.useBuffer(bytes);
      frame.start = 0;
      frame.end = bytes.length;
      Object.assign(frame, rest);
      onFrame(frame);
    }
  }

  close(): void {}

  /** Where the first frame with this number or a higher one is. */
  #indexOf(number: number): number {
    return framesBefore(number, this.#kept.length, (index) => this.#kept[index].number);
  }
}

const KEPT = [
  'bytes',
  'number',
  'linkType',
  'wireLength',
  'seconds',
  'nanoseconds',
  'direction',
  'deviceIndex',
  'interface',
] as const;
