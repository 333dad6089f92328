import { resolve } from 'node:path';
import type { Analysis } from '../../findings/finding.js';
import { type Format, loadReporter } from '../../report/reporter.js';
import { printable } from '../../wire/printable.js';
import { UserError } from '../errors.js';
import { writeWhole } from '../output-file.js';

const FORMATS_BY_ENDING: Readonly<Record<string, Format>> = {
  json: 'json',
  ndjson: 'ndjson',
  md: 'markdown',
  html: 'html',
  sarif: 'sarif',
  xml: 'junit',
};

/** Writes reports for `e`; the ending of the file's name says in which format. */
export function exporter(analysis: () => Analysis, cwd: string): (file: string) => Promise<string> {
  return async (file) => {
    const ending = file.slice(file.lastIndexOf('.') + 1).toLowerCase();
    const report = await loadReporter(FORMATS_BY_ENDING[ending] ?? 'text');
    return write(file, cwd, report(analysis(), { width: 100, color: false, detail: 'normal' }));
  };
}

/** @returns a line that says so; @throws an error whose message is the line that says why not */
export function write(file: string, cwd: string, content: string | Uint8Array): string {
  try {
    writeWhole(resolve(cwd, file), content);
    return `Wrote ${printable(file)}`;
  } catch (error) {
    if (error instanceof UserError) throw new Error(`${file}: ${error.message}: ${error.advice}`);
    throw error;
  }
}
