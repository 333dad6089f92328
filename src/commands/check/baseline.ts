import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Finding } from '../../findings/finding.js';
import { UserError } from '../errors.js';
import { readJson } from '../json-file.js';
import { writeWhole } from '../output-file.js';

const SCHEMA = 'netdiag.baseline/1';

/** A finding that is known and accepted until it goes away. */
export interface BaselineEntry {
  readonly capture: string;
  readonly rule: string;
  readonly title: string;
  readonly fingerprint: string;
}

/** Known findings of a project, and which of them were met again. */
export class Baseline {
  readonly #entries: readonly BaselineEntry[];
  readonly #met = new Set<BaselineEntry>();

  constructor(entries: readonly BaselineEntry[]) {
    this.#entries = entries;
  }

  /** Whether a finding of this capture is accepted. */
  accepts(capture: string, { fingerprint, rule }: Finding): boolean {
    const entry = this.#entries.find(
      (each) => each.capture === capture && each.rule === rule && each.fingerprint === fingerprint,
    );
    if (entry !== undefined) this.#met.add(entry);
    return entry !== undefined;
  }

  /** Entries about captures that were read, and captures that are gone, of which nothing was found any more. */
  stale(readCaptures: ReadonlySet<string>, cwd: string): BaselineEntry[] {
    return this.#entries.filter(
      (each) => !this.#met.has(each) && (readCaptures.has(each.capture) || !existsSync(resolve(cwd, each.capture))),
    );
  }

  /** Entries about captures that are there and were not read this time. */
  untouched(readCaptures: ReadonlySet<string>, cwd: string): BaselineEntry[] {
    return this.#entries.filter((each) => !readCaptures.has(each.capture) && existsSync(resolve(cwd, each.capture)));
  }
}

/** @throws UserError if the file is there and is no baseline */
export function readBaseline(file: string | undefined, cwd: string, mayBeMissing: boolean): Baseline {
  if (file === undefined) return new Baseline([]);
  const path = resolve(cwd, file);
  if (!existsSync(path)) {
    if (mayBeMissing) return new Baseline([]);
    throw new UserError(file, 'no such baseline', 'netdiag check --baseline <file> --update writes it');
  }
  const json = readJson(path, file) as { schema?: unknown; findings?: unknown } | null;
  if (json?.schema !== SCHEMA || !Array.isArray(json.findings)) {
    throw new UserError(file, 'not a baseline', 'netdiag check --baseline <file> --update writes one');
  }
  return new Baseline(json.findings as BaselineEntry[]);
}

export function writeBaseline(file: string, entries: readonly BaselineEntry[]): void {
  const findings = entries.toSorted((a, b) =>
    `${a.capture} ${a.rule} ${a.fingerprint}` < `${b.capture} ${b.rule} ${b.fingerprint}` ? -1 : 1,
  );
  writeWhole(file, `${JSON.stringify({ schema: SCHEMA, findings }, null, 2)}\n`);
}
