import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CaptureSource } from '../../capture/source.js';
import { fieldRows } from '../../report/frames/field-rows.js';
import { textLine } from '../../report/frames/text.js';
import type { FrameDetail, FrameRow, FrameStore } from '../../tui/session.js';
import { decode, udpPortTable } from '../../wire/decode.js';
import type { Frame } from '../../wire/frame.js';
import { KeptShelf } from './kept-shelf.js';
import { PlacesShelf } from './places-shelf.js';
import type { Shelf } from './shelf.js';

/**
 * The frames of captures for looking at them again: of plain files only their places are kept and they are read from
 * there; of compressed files, pasted text and streams the first are kept themselves.
 */
export class Shelves implements FrameStore {
  readonly #shelves: Shelf[] = [];
  readonly #ports: Uint8Array;
  /** What the reading waits for before it goes on. */
  #rest: Promise<void> | null = null;

  constructor(vxlanPorts: readonly number[] = []) {
    this.#ports = udpPortTable(vxlanPorts);
  }

  /** The source, which from now on puts each frame on the shelf as it passes. */
  watch(source: CaptureSource, shelf: Shelf = shelfFor(source)): CaptureSource {
    this.#shelves.push(shelf);
    const run = source.run.bind(source);
    source.run = (frame, onFrame, signal) =>
      run(
        frame,
        (frame) => {
          if (this.#rest !== null) {
            source.hold = this.#rest;
            this.#rest = null;
          }
          shelf.note(frame);
          onFrame(frame);
        },
        signal,
      );
    return source;
  }

  /** Lets the reading rest for so many milliseconds. */
  rest(milliseconds: number): void {
    this.#rest = sleep(milliseconds);
  }

  /** The capture watched last could not be read and gets no number. */
  forgetLast(): void {
    this.#shelves.pop()?.close();
  }

  range(capture: number): readonly [number, number] {
    return this.#shelves[capture]?.range() ?? [1, 0];
  }

  nearest(capture: number, number: number, step: 1 | -1): number {
    return this.#shelves[capture]?.nearest(number, step) ?? number;
  }

  rows(capture: number, from: number, count: number): FrameRow[] {
    const rows: FrameRow[] = [];
    this.#visit(capture, from, count, (frame) => rows.push({ number: frame.number, line: textLine(frame).trimEnd() }));
    return rows;
  }

  detail(capture: number, number: number): FrameDetail | null {
    let detail: FrameDetail | null = null;
    this.#visit(capture, number, 1, (frame) => {
      if (frame.number === number)
        detail = { number, fields: fieldRows(frame), bytes: frame.bytes.slice(frame.start, frame.end) };
    });
    return detail;
  }

  close(): void {
    for (const shelf of this.#shelves) shelf.close();
  }

  #visit(capture: number, from: number, count: number, onFrame: (frame: Frame) => void): void {
    this.#shelves[capture]?.visit(Math.max(1, from), count, (frame) => {
      frame.udpPorts = this.#ports;
      decode(frame);
      onFrame(frame);
    });
  }
}

function shelfFor({ info }: CaptureSource): Shelf {
  const isBinary = info.format === 'pcap' || info.format === 'pcapng';
  const isFile = isBinary && info.compression === null && info.name !== '-' && statSync(info.name).isFile();
  return isFile ? new PlacesShelf(info) : new KeptShelf();
}
