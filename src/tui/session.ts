import type { Analysis, Finding } from '../findings/finding.js';
import type { PlacedField } from '../report/frames/field-rows.js';

/** What the full-screen view shows: filled in by whoever reads the capture, looked at when there is time to draw. */
export interface Session {
  /** The findings until now, made anew on each call; may take some milliseconds. */
  analysis(): Analysis;
  /** The failing path of a finding, drawn; safe to print. Empty where there is none. */
  picture?(finding: Finding): readonly string[];
  readonly status: Status;
  /** Null where frames cannot be read a second time. */
  readonly frames: FrameStore | null;
  /** Writes a report for `e`; says where, or throws an error whose message says why not. */
  export?(file: string): Promise<string>;
  /** A key has come: whatever works in the background should leave it the time. */
  onKey?(): void;
  /** Live sessions only: what was captured and is in no file yet. */
  readonly live?: LiveControls;
}

/** How far the reading is. */
export interface Status {
  readonly state: 'reading' | 'done';
  /** One line: percent and speed while reading; what could not be read afterwards. Safe to print. */
  readonly text: string;
}

export interface LiveControls {
  /** While paused the analysis and the frames stay as they are; the capture and its diagnosis go on. */
  readonly paused: boolean;
  /** Frames that the kernel dropped because they came too fast; null where nobody says (a stream). */
  readonly dropped: number | null;
  /** What happened to the devices and the machine, latest last. */
  readonly notes: readonly LiveNote[];
  /** Whether frames would be lost on quitting. */
  readonly unsaved: boolean;
  pause(): void;
  resume(): void;
  /** Writes the frames that are kept as pcapng; says where, or throws an error whose message says why not. */
  save(file: string): Promise<string>;
}

export interface LiveNote {
  /** As ISO 8601 writes it. */
  readonly time: string;
  /** Safe to print. */
  readonly text: string;
}

/** A frame in one line, as the list shows it. */
export interface FrameRow {
  /** 1-based, as Wireshark counts. */
  readonly number: number;
  /** As `netdiag frames` prints it, without its newline; safe to print. */
  readonly line: string;
}

export interface FrameDetail {
  readonly number: number;
  /** The tree of headers, a line each. */
  readonly fields: readonly PlacedField[];
  /** What was captured of it; a copy. */
  readonly bytes: Uint8Array;
}

/** Frames by number, read again from where they lie. Calls are synchronous and take milliseconds at most. */
export interface FrameStore {
  /** The first and the last frame number that can be had now; [1, 0] if there are none. */
  range(capture: number): readonly [first: number, last: number];
  /** Numbers may leave some out: the nearest there is, at `number` or behind it (`step` 1) or before it (-1). */
  nearest(capture: number, number: number, step: 1 | -1): number;
  rows(capture: number, from: number, count: number): FrameRow[];
  detail(capture: number, number: number): FrameDetail | null;
}
