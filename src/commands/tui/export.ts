import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Analysis } from '../../findings/finding.js';
import { type Format, loadReporter } from '../../report/reporter.js';
import { printable } from '../../wire/printable.js';
import { UserError } from '../errors.js';
import { checkOutputs, writeWhole } from '../output-file.js';

const FORMATS_BY_ENDING: Readonly<Record<string, Format>> = {
  json: 'json',
  ndjson: 'ndjson',
  md: 'markdown',
  html: 'html',
  sarif: 'sarif',
  xml: 'junit',
};

/** Writes reports for `e`; the ending of the file's name says in which format. */
export function exporter(analysis: () => Analysis, files: FilesOfView): (file: string) => Promise<string> {
  return async (file) => {
    const ending = file.slice(file.lastIndexOf('.') + 1).toLowerCase();
    const report = await loadReporter(FORMATS_BY_ENDING[ending] ?? 'text');
    return files.write(file, report(analysis(), { width: 100, color: false, detail: 'normal' }));
  };
}

/** What the view writes. A name is soon typed: what was there before is replaced only if it is typed twice. */
export class FilesOfView {
  readonly #cwd: string;
  readonly #taken: readonly string[];
  /** Files that may be replaced. */
  readonly #free = new Set<string>();

  /** @param taken what this run reads or writes otherwise: it is never replaced */
  constructor(cwd: string, taken: readonly string[]) {
    this.#cwd = cwd;
    this.#taken = taken;
  }

  /** @returns a line that says so; @throws an error whose message is the line that says why not */
  write(file: string, content: string | Uint8Array): string {
    try {
      checkOutputs({ 'the name': file }, this.#taken, this.#cwd);
      const path = resolve(this.#cwd, file);
      const isNew = statSync(path, { throwIfNoEntry: false })?.isFile() !== true;
      const isFree = isNew || this.#free.has(path);
      this.#free.add(path);
      if (!isFree) throw new UserError(file, 'is there already', 'write it once more to replace it');
      writeWhole(path, content);
      return `Wrote ${printable(file)}`;
    } catch (error) {
      if (error instanceof UserError) throw new Error(`${file}: ${error.message}: ${error.advice}`);
      throw error;
    }
  }
}
