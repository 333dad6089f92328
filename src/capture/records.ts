import type { CaptureInfo } from '../wire/capture-info.js';
import type { Frame } from '../wire/frame.js';
import type { OnFrame } from './source.js';

/** Bytes that a record may claim without its file saying so: libpcap's MAXIMUM_SNAPLEN. */
const USUAL_RECORD = 262_144;
/** Bytes of one record that are ever held in memory, whatever the file says. */
export const LARGEST_RECORD = 16 * 1024 * 1024;

/** Walks the records of one file format in place. It owns no bytes; all state is about where it is. */
export interface RecordReader {
  /**
   * Offset in the uncompressed capture of the record that `walk` stopped at, and the bytes it needs to be
   * whole (its header, until that is there). They tell how much to read, and what is missing in a cut file.
   */
  pending: number;
  needed: number;
  /** Nothing behind `pending` can be read; why is in `info.problems`. */
  stopped: boolean;
  /**
   * Hands on the whole records in `frame.bytes` from `from` to `to`. `base` is the offset of `frame.bytes[0]`
   * in the uncompressed capture.
   * @returns where the first record begins that is not whole; behind `to` if the bytes up to there are of no
   *   interest
   */
  walk(frame: Frame, onFrame: OnFrame, from: number, to: number, base: number): number;
}

/**
 * Bytes that a packet of an interface may have: its snap length between what is usual and what is held. A
 * header without a limit (0, or none that fits a signed integer) gets the usual one, as in libpcap.
 */
export function recordLimit(snapLength: number): number {
  if (snapLength > 0x7fffffff) return USUAL_RECORD;
  return Math.min(Math.max(snapLength, USUAL_RECORD), LARGEST_RECORD);
}

/** Problems listed for one file; the last place says that there are more. */
const MOST_PROBLEMS = 20;

/** Notes a contradiction that cost nothing. A file that is nothing but damage must not fill the memory with complaints. */
export function remark(info: CaptureInfo, offset: number, message: string): void {
  const { problems } = info;
  if (problems.length < MOST_PROBLEMS - 1) problems.push({ offset, message });
  else if (problems.length < MOST_PROBLEMS) problems.push({ offset, message: 'more damage from here on, not listed' });
}

/** Notes damage by which something was lost. */
export function damage(info: CaptureInfo, offset: number, message: string): void {
  info.complete = false;
  remark(info, offset, message);
}

/** Takes the frame check sequence off the end: off the wire length, and off the bytes as far as it was captured. */
export function trimFcs(frame: Frame, bytes: number): void {
  frame.wireLength = Math.max(0, frame.wireLength - bytes);
  frame.end = Math.min(frame.end, frame.start + frame.wireLength);
}
