import type { Analysis } from '../findings/finding.js';

/**
 * What JSON leaves unescaped and a terminal obeys or is confused by: DEL and the C1 controls, and the
 * marks that turn the direction of writing (Unicode UAX #9).
 */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** JSON that is safe to print, whatever text from captures is in it. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `--format json`: the analysis as one document. */
export function reportJson(analysis: Analysis): string {
  return `${safeJson(analysis, 2)}\n`;
}

/** `--format ndjson`: a line for each finding, then one for all the rest. */
export function reportNdjson({ findings, ...rest }: Analysis): string {
  const lines = [...findings.map((finding) => ({ type: 'finding', ...finding })), { type: 'summary', ...rest }];
  return lines.map((line) => `${safeJson(line)}\n`).join('');
}
