/** A proving frame, read a second time when the findings are known. */
export interface ProvingFrame {
  /** Decoded, as `netdiag frames` prints it. */
  readonly line: string;
  /** Offset of its bytes in the capture file; null where the file is compressed and has none. */
  readonly byteOffset: number | null;
  /** Bytes of it that were captured. */
  readonly byteLength: number;
}

/** What a bug report says beside the findings. */
interface BugReport {
  /** The host context in short, one line a device. */
  readonly host: readonly string[];
  readonly environment: readonly string[];
  /** Commands that give this report again. */
  readonly commands: readonly string[];
}

/** How a report is to look; formats for machines ignore width, colour and detail. */
export interface ReportOptions {
  /** Columns of the terminal. */
  width: number;
  color: boolean;
  detail: 'quiet' | 'normal' | 'verbose';
  /** By `<capture> <frame>`: the frames that findings name, for formats that tell more of them than their number. */
  frames?: ReadonlyMap<string, ProvingFrame>;
  bugReport?: BugReport;
}
