import { closeSync, openSync, readSync } from 'node:fs';
import { PCAP_HEADER, PcapReader } from '../../capture/pcap.js';
import { PcapngReader } from '../../capture/pcapng/reader.js';
import { LARGEST_RECORD, type RecordReader } from '../../capture/records.js';
import type { CaptureInfo } from '../../wire/capture-info.js';
import { Frame } from '../../wire/frame.js';
import type { Shelf, VisitFrame } from './shelf.js';

/** Frames between two places in the index: 8 bytes for so many. */
const STRIDE = 64;
const CHUNK = 256 * 1024;

/** Knows where every `STRIDE`th frame of a plain file lies. */
export class PlacesShelf implements Shelf {
  readonly #info: CaptureInfo;
  readonly #fd: number;
  readonly #places: number[] = [];
  /** One for all reading: a search would leave thousands behind. */
  readonly #chunk = new Uint8Array(CHUNK);
  /** Interfaces described before the first frame: a reader that begins later knows only these. */
  #interfaces = 0;
  #last = 0;

  constructor(info: CaptureInfo) {
    this.#info = info;
    this.#fd = openSync(info.name, 'r');
  }

  note(frame: Frame): void {
    if (this.#last === 0) this.#interfaces = this.#info.interfaces.length;
    // Numbers skip where a record was damaged: the index goes by what was handed on.
    if (frame.number > this.#places.length * STRIDE) {
      while (this.#places.length * STRIDE + 1 < frame.number) this.#places.push(this.#places.at(-1) ?? frame.position);
      if (this.#places.length * STRIDE < frame.number) this.#places.push(frame.position);
    }
    this.#last = frame.number;
  }

  range(): readonly [number, number] {
    return [1, this.#last];
  }

  nearest(number: number): number {
    return number;
  }

  visit(from: number, count: number, onFrame: VisitFrame): void {
    if (this.#last === 0 || from > this.#last) return;
    // Interfaces or sections that come between frames: only from the beginning on is it known what frames mean.
    const isSimple = this.#info.format === 'pcap' || this.#info.interfaces.length === this.#interfaces;
    const slot = isSimple ? Math.floor((from - 1) / STRIDE) : 0;
    const frame = new Frame();
    const reader = this.#primed(frame);
    frame.number = slot * STRIDE;
    const until = Math.min(this.#last, from + count - 1);
    this.#walk(reader, frame, this.#places[slot], () => {
      if (frame.number >= from && frame.number <= until) onFrame(frame);
      return frame.number < until;
    });
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** A reader that has seen what comes before the first frame. */
  #primed(frame: Frame): RecordReader {
    const info: CaptureInfo = { ...this.#info, interfaces: [], problems: [] };
    const head = this.#bytes(0, this.#places[0]);
    if (info.format === 'pcap') return new PcapReader(new DataView(head.buffer, 0, PCAP_HEADER), info);
    const reader = new PcapngReader(info);
    frame.useBuffer(head);
    reader.walk(frame, () => {}, 0, head.length, 0);
    return reader;
  }

  /** Reads on from `place` as long as `onFrame` wants more. */
  #walk(reader: RecordReader, frame: Frame, place: number, onFrame: () => boolean): void {
    let base = place;
    let length = CHUNK;
    let wantsMore = true;
    while (wantsMore && !reader.stopped) {
      const bytes = this.#bytes(base, length);
      if (bytes.length === 0) return;
      frame.useBuffer(bytes);
      const next = reader.walk(
        frame,
        () => {
          if (wantsMore) wantsMore = onFrame();
        },
        0,
        bytes.length,
        base,
      );
      if (next === 0) {
        if (bytes.length < length || length > 2 * LARGEST_RECORD) return;
        length *= 2;
      }
      base += next;
    }
  }

  #bytes(from: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = length === CHUNK ? this.#chunk : new Uint8Array(length);
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, length, from));
  }
}
