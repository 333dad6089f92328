import type { Frame } from '../../wire/frame.js';
import type { EvidenceRef } from '../rule.js';

/** The header in `layer` as evidence; `name` is that of its protocol as in `netdiag frames`. */
export function headerOf(frame: Frame, layer: number, name: string, note: string): EvidenceRef {
  const at = frame.offsets[layer];
  return bytesOf(frame, name, at, frame.ends[layer] - at, note);
}

/** `length` bytes at `at`, an offset in the frame's buffer, as evidence. */
export function bytesOf(frame: Frame, name: string, at: number, length: number, note: string): EvidenceRef {
  return { capture: frame.capture, frame: frame.number, layer: name, offset: at - frame.start, length, note };
}

/** A frame and the copy of it that came before, by their outermost header. */
export function pairOf(frame: Frame, earlier: number, notes: readonly [string, string]): EvidenceRef[] {
  const copy = bytesOf(frame, 'ethernet', frame.start, frame.ends[0] - frame.start, notes[1]);
  return [{ ...copy, frame: earlier, note: notes[0] }, copy];
}
