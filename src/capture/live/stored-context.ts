import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { Block, BYTE_ORDER, SECTION_FIELDS, TRAILER } from '../pcapng/blocks.js';
import { Option, OptionReader } from '../pcapng/options.js';

/** How the comments begin that hold a host context: `netdiag host context 1/3: {…`. */
const MARK = /^netdiag host context (\d{1,4})\/(\d{1,4}): /;
/** Characters of a comment: an option holds 65,535 bytes, a character takes at most three of them here. */
const PIECE = 20_000;
/** Pieces that are put together at most. */
const MAX_PIECES = 1000;
/** Characters of a host context at most. */
export const MAX_CONTEXT = MAX_PIECES * PIECE;

/** A host context as comments of a pcapng section, which any other reader shows or passes over. */
export function contextComments(context: object): string[] {
  const text = JSON.stringify(context);
  const count = Math.ceil(text.length / PIECE);
  return Array.from({ length: count }, (_, i) => {
    return `netdiag host context ${i + 1}/${count}: ${text.slice(i * PIECE, (i + 1) * PIECE)}`;
  });
}

/** Puts the comments of a section together again. */
class StoredContext {
  readonly #pieces: string[] = [];
  #count = 0;

  add(comment: string): void {
    const match = MARK.exec(comment);
    if (match === null) return;
    const [mark, number, count] = match;
    if (Number(count) > MAX_PIECES || Number(number) !== this.#pieces.length + 1) return;
    this.#count = Number(count);
    this.#pieces.push(comment.slice(mark.length));
  }

  /** The context as JSON; null where there is none or not all of it. */
  get json(): string | null {
    return this.#count === 0 || this.#pieces.length !== this.#count ? null : this.#pieces.join('');
  }
}

/** A section header longer than this holds something else. */
const LARGEST = 64 * 1024 * 1024;

/**
 * The host context, as JSON, that `netdiag live -w` put into the first section header of a pcapng file; null where there
 * is none, and for what is no plain file. Never throws: who reads the capture next says what is wrong with it.
 */
export function storedContext(path: string): string | null {
  let file: number;
  try {
    // To open a named pipe waits for its writer, and to close it again ends the writer.
    if (!statSync(path).isFile()) return null;
    file = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return fromHeader(file);
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}

function fromHeader(file: number): string | null {
  const head = new DataView(new ArrayBuffer(SECTION_FIELDS));
  if (readSync(file, head, 0, SECTION_FIELDS, 0) < SECTION_FIELDS || head.getUint32(0) !== Block.Section) return null;
  const littleEndian = head.getUint32(8, true) === BYTE_ORDER;
  const length = head.getUint32(4, littleEndian);
  if (length <= SECTION_FIELDS + TRAILER || length > Math.min(LARGEST, fstatSync(file).size)) return null;
  const block = new DataView(new ArrayBuffer(length));
  if (readSync(file, block, 0, length, 0) < length) return null;
  const options = new OptionReader();
  options.open(block, SECTION_FIELDS, length - TRAILER, littleEndian);
  const stored = new StoredContext();
  while (options.next()) if (options.code === Option.Comment) stored.add(options.text());
  return stored.json;
}
