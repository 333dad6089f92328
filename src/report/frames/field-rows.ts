import type { Frame } from '../../wire/frame.js';
import { printable } from '../../wire/printable.js';
import type { Fields } from './describe.js';
import { layerFields } from './fields.js';

/** A header or one of its fields with the bytes it stands in, counted from the begin of the frame. */
export interface PlacedField {
  readonly depth: 0 | 1;
  /** Safe to print. */
  readonly text: string;
  readonly offset: number;
  readonly length: number;
}

/** A view that remembers which bytes were read through it since it was last asked. */
class WatchedView extends DataView<ArrayBufferLike> {
  from = Number.POSITIVE_INFINITY;
  to = -1;

  #note(at: number, length: number): void {
    this.from = Math.min(this.from, at);
    this.to = Math.max(this.to, at + length);
  }

  override getUint8(at: number): number {
    this.#note(at, 1);
    return super.getUint8(at);
  }

  override getUint16(at: number, littleEndian?: boolean): number {
    this.#note(at, 2);
    return super.getUint16(at, littleEndian);
  }

  override getUint32(at: number, littleEndian?: boolean): number {
    this.#note(at, 4);
    return super.getUint32(at, littleEndian);
  }

  override getInt32(at: number, littleEndian?: boolean): number {
    this.#note(at, 4);
    return super.getInt32(at, littleEndian);
  }
}

/**
 * The headers of a decoded frame and their fields, each with its bytes: those that its describer read for it. A field
 * for which nothing new was read stands in the bytes of the one before it; one that was not read through the view, in
 * its whole header.
 */
export function fieldRows(frame: Frame): PlacedField[] {
  const { view, start } = frame;
  const watched = new WatchedView(view.buffer, view.byteOffset, view.byteLength);
  const rows: PlacedField[] = [];
  frame.view = watched;
  try {
    for (let layer = 0; layer < frame.layerCount; layer++) {
      const header = { offset: frame.offsets[layer] - start, length: frame.ends[layer] - frame.offsets[layer] };
      let last = header;
      const fields: PlacedField[] = [];
      const out = new Proxy<Fields>(
        {},
        {
          set(target, name: string, value: Fields[string]) {
            if (watched.to >= 0) last = { offset: watched.from - start, length: watched.to - watched.from };
            watched.from = Number.POSITIVE_INFINITY;
            watched.to = -1;
            target[name] = value;
            if (name !== 'protocol') fields.push({ depth: 1, text: printable(`${name}: ${value}`), ...last });
            return true;
          },
        },
      );
      const { protocol, status } = layerFields(frame, layer, out);
      rows.push({ depth: 0, text: `${protocol}${status === undefined ? '' : ` [${status}]`}`, ...header }, ...fields);
    }
  } finally {
    frame.view = view;
  }
  return rows;
}
