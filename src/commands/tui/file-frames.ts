import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { PCAP_HEADER, PcapReader } from '../../capture/pcap.js';
import { PcapngReader } from '../../capture/pcapng.js';
import { LARGEST_RECORD, type RecordReader } from '../../capture/records.js';
import type { CaptureSource } from '../../capture/source.js';
import { fieldRows } from '../../report/frames/field-rows.js';
import { textLine } from '../../report/frames/text.js';
import type { FrameDetail, FrameRow, FrameStore } from '../../tui/session.js';
import type { CaptureInfo } from '../../wire/capture-info.js';
import { decode, udpPortTable } from '../../wire/decode.js';
import { Frame } from '../../wire/frame.js';

/** Frames between two places in the index: 8 bytes for so many. */
const STRIDE = 64;
/** Bytes kept of the frames of inputs that cannot be read twice. */
const KEPT_BYTES = 32 * 1024 * 1024;
const CHUNK = 256 * 1024;

type OnFrame = (frame: Frame) => void;

/** One capture's frames by number. */
interface Shelf {
  note(frame: Frame): void;
  last(): number;
  visit(from: number, count: number, onFrame: OnFrame): void;
  close(): void;
}

/**
 * The frames of captures for looking at them again: of plain files only their places are kept and they are read from
 * there; of compressed files and streams the first `KEPT_BYTES` are kept themselves.
 */
export class FileFrames implements FrameStore {
  readonly #shelves: Shelf[] = [];
  readonly #ports: Uint8Array;

  constructor(vxlanPorts: readonly number[] = []) {
    this.#ports = udpPortTable(vxlanPorts);
  }

  /** The source as it is, with each frame noted as it passes. */
  watch(source: CaptureSource): CaptureSource {
    const { info } = source;
    const isFile = info.compression === null && info.name !== '-' && statSync(info.name).isFile();
    const shelf: Shelf = isFile ? new PlacesShelf(info) : new KeptShelf();
    this.#shelves.push(shelf);
    const watched: CaptureSource = {
      info,
      progress: source.progress,
      run: (frame, onFrame, signal) =>
        source.run(
          frame,
          (each) => {
            shelf.note(each);
            onFrame(each);
          },
          signal,
        ),
    };
    return watched;
  }

  /** The capture watched last could not be read and gets no number. */
  forgetLast(): void {
    this.#shelves.pop()?.close();
  }

  range(capture: number): readonly [number, number] {
    return [1, this.#shelves[capture]?.last() ?? 0];
  }

  rows(capture: number, from: number, count: number): FrameRow[] {
    const rows: FrameRow[] = [];
    this.#visit(capture, from, count, (frame) => rows.push({ number: frame.number, line: textLine(frame).trimEnd() }));
    return rows;
  }

  detail(capture: number, number: number): FrameDetail | null {
    let detail: FrameDetail | null = null;
    this.#visit(capture, number, 1, (frame) => {
      detail = { number, fields: fieldRows(frame), bytes: frame.bytes.slice(frame.start, frame.end) };
    });
    return detail;
  }

  close(): void {
    for (const shelf of this.#shelves) shelf.close();
  }

  #visit(capture: number, from: number, count: number, onFrame: OnFrame): void {
    this.#shelves[capture]?.visit(Math.max(1, from), count, (frame) => {
      frame.udpPorts = this.#ports;
      decode(frame);
      onFrame(frame);
    });
  }
}

/** Knows where every `STRIDE`th frame of a plain file lies. */
class PlacesShelf implements Shelf {
  readonly #info: CaptureInfo;
  readonly #fd: number;
  readonly #places: number[] = [];
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

  last(): number {
    return this.#last;
  }

  visit(from: number, count: number, onFrame: OnFrame): void {
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
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, length, from));
  }
}

/** Keeps copies of frames until there are too many bytes of them. */
class KeptShelf implements Shelf {
  readonly #kept: Pick<Frame, (typeof KEPT)[number]>[] = [];
  #bytes = 0;

  note(frame: Frame): void {
    if (this.#bytes > KEPT_BYTES) return;
    const bytes = frame.bytes.slice(frame.start, frame.end);
    // An object and its fields cost about as much as a small frame.
    this.#bytes += bytes.length + 256;
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

  last(): number {
    return this.#kept.at(-1)?.number ?? 0;
  }

  visit(from: number, count: number, onFrame: OnFrame): void {
    const frame = new Frame();
    for (const { bytes, ...rest } of this.#kept.slice(from - 1, from - 1 + count)) {
      frame.useBuffer(bytes);
      frame.start = 0;
      frame.end = bytes.length;
      Object.assign(frame, rest);
      onFrame(frame);
    }
  }

  close(): void {}
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
