import { filtered } from '../../capture/filter/filtered.js';
import { openCapture } from '../../capture/open.js';
import { interfaceBlock, packetBlock, sectionBlock, statisticsBlock } from '../../capture/pcapng/writer.js';
import { version } from '../../package/version.js';
import type { InterfaceInfo } from '../../wire/capture-info.js';
import { decode } from '../../wire/decode.js';
import { type Direction, Frame } from '../../wire/frame.js';
import { UserError } from '../errors.js';

/** Bytes of frames that are held at most: evidence is to be attached to a report. */
const MOST_BYTES = 64 * 1024 * 1024;

/** A frame kept from a capture. */
export interface KeptFrame {
  readonly capture: number;
  /** 1-based in its capture. */
  readonly number: number;
  readonly interface: number;
  readonly linkType: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly wireLength: number;
  readonly direction: Direction;
  readonly bytes: Uint8Array;
}

/** Frames kept of all captures, and the interfaces that they came by. */
export interface Recorded {
  readonly frames: readonly KeptFrame[];
  /** By capture. */
  readonly interfaces: readonly (readonly InterfaceInfo[])[];
}

/**
 * Reads the frames of these captures that `wanted` names by capture and number.
 * @param filter what the analysis did not see is not to be kept either
 * @throws CaptureError, and UserError if they are too many to hold
 */
export async function recordedFrames(
  names: readonly string[],
  filter: string | undefined,
  wanted: (capture: number, number: number, frame: Frame) => boolean,
): Promise<Recorded> {
  const frames: KeptFrame[] = [];
  const interfaces: InterfaceInfo[][] = [];
  let size = 0;
  for (const [capture, name] of names.entries()) {
    const whole = await openCapture(name);
    const source = filter === undefined ? whole : filtered(whole, filter);
    const frame = new Frame();
    await source.run(frame, () => {
      if (size > MOST_BYTES || !wanted(capture, frame.number, frame)) return;
      // Linux cooked headers say which way a frame went: the decoder reads it.
      decode(frame);
      size += frame.end - frame.start;
      frames.push({
        capture,
        number: frame.number,
        interface: frame.interface,
        linkType: frame.linkType,
        seconds: frame.seconds,
        nanoseconds: frame.nanoseconds,
        wireLength: frame.wireLength,
        direction: frame.direction,
        bytes: frame.bytes.slice(frame.start, frame.end),
      });
    });
    if (size > MOST_BYTES)
      throw new UserError(name, 'too much to put into a report', 'cut it first: editcap -A … -B …');
    interfaces.push(source.info.interfaces);
  }
  return { frames, interfaces };
}

/** Where the frames of a written capture came from, by their number there less one. */
export interface Written {
  readonly bytes: Uint8Array;
  readonly order: readonly KeptFrame[];
}

/**
 * One pcapng of all kept frames in the order of their times, each capture with interfaces of its own.
 * @param comments of a frame, by `<capture> <number>`
 */
export function writeRecorded(
  { frames, interfaces }: Recorded,
  comments: ReadonlyMap<string, readonly string[]>,
  about: readonly string[],
): Written {
  // Within one capture its own order stays, disorder of times included: it may be what is to be shown.
  const order =
    interfaces.length === 1
      ? [...frames]
      : frames.toSorted((a, b) => a.seconds - b.seconds || a.nanoseconds - b.nanoseconds);
  const first = interfaces.map((_, i) => interfaces.slice(0, i).reduce((sum, each) => sum + each.length, 0));
  const last = order.at(-1);
  const blocks = [
    sectionBlock({ application: `netdiag ${version()}`, comments: about }),
    ...interfaces.flat().map(interfaceBlock),
    ...order.map((frame) =>
      packetBlock({
        ...frame,
        interface: first[frame.capture] + frame.interface,
        comments: comments.get(`${frame.capture} ${frame.number}`) ?? [],
      }),
    ),
    ...interfaces
      .flat()
      .flatMap(({ dropped }, i) =>
        dropped === null ? [] : [statisticsBlock(i, last?.seconds ?? 0, last?.nanoseconds ?? 0, dropped)],
      ),
  ];
  return { bytes: Buffer.concat(blocks), order };
}
