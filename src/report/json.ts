import type { Analysis } from '../findings/finding.js';
import { printableJson } from '../wire/printable.js';

/** `--format json`: the analysis as one document. */
export function reportJson(analysis: Analysis): string {
  return `${printableJson(analysis, 2)}\n`;
}

/** `--format ndjson`: a line for each finding, then one for all the rest. */
export function reportNdjson({ findings, ...rest }: Analysis): string {
  const lines = [...findings.map((finding) => ({ type: 'finding', ...finding })), { type: 'summary', ...rest }];
  return lines.map((line) => `${printableJson(line)}\n`).join('');
}
