import type { Analysis } from '../findings/finding.js';

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
export interface BugReport {
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

/** Turns an analysis into text that ends with a newline. */
export type Reporter = (analysis: Analysis, options: ReportOptions) => string;

/** The formats of `--format`, each with the reporter that is loaded when it is asked for. */
const REPORTERS = {
  text: async () => (await import('./text/report.js')).reportText,
  json: async () => (await import('./json.js')).reportJson,
  ndjson: async () => (await import('./json.js')).reportNdjson,
  markdown: async () => (await import('./document/report.js')).reportMarkdown,
  html: async () => (await import('./document/report.js')).reportHtml,
  sarif: async () => (await import('./sarif.js')).reportSarif,
  junit: async () => (await import('./junit.js')).reportJunit,
  github: async () => (await import('./github.js')).reportGithub,
} satisfies Record<string, () => Promise<Reporter>>;

export type Format = keyof typeof REPORTERS;
export const FORMATS = Object.keys(REPORTERS) as Format[];

/** Formats that want the proving frames themselves (`ReportOptions.frames`). */
const WANT_FRAMES: readonly Format[] = ['markdown', 'html', 'sarif'];

export function wantsFrames(format: Format): boolean {
  return WANT_FRAMES.includes(format);
}

export function loadReporter(format: Format): Promise<Reporter> {
  return REPORTERS[format]();
}
