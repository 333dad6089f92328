import type { Analysis } from '../findings/finding.js';

/** How a report is to look; formats for machines ignore it. */
export interface ReportOptions {
  /** Columns of the terminal. */
  width: number;
  color: boolean;
  detail: 'quiet' | 'normal' | 'verbose';
}

/** Turns an analysis into text that ends with a newline. */
export type Reporter = (analysis: Analysis, options: ReportOptions) => string;

/** The formats of `--format`, each with the reporter that is loaded when it is asked for. */
const REPORTERS = {
  text: async () => (await import('./text/report.js')).reportText,
  json: async () => (await import('./json.js')).reportJson,
  ndjson: async () => (await import('./json.js')).reportNdjson,
} satisfies Record<string, () => Promise<Reporter>>;

export type Format = keyof typeof REPORTERS;
export const FORMATS = Object.keys(REPORTERS) as Format[];

export function loadReporter(format: Format): Promise<Reporter> {
  return REPORTERS[format]();
}
