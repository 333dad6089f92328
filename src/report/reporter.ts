import type { Analysis } from '../findings/finding.js';
import type { ReportOptions } from './options.js';

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
