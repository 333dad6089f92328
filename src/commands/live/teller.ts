import type { Analysis, Finding } from '../../findings/finding.js';
import type { ReportOptions } from '../../report/options.js';
import { findingLines, headline } from '../../report/text/finding.js';
import { Layout } from '../../report/text/layout.js';
import { printableJson } from '../../wire/printable.js';
import type { Output } from '../io.js';

/** Tells findings while they are made, each when it appears and again when it has changed. */
export interface Teller {
  tell(analysis: Analysis): void;
}

/** A line for each finding that is new or other than when it was last told. */
export class NdjsonTeller implements Teller {
  readonly #told = new Map<string, string>();

  constructor(private readonly out: Output) {}

  tell({ findings }: Analysis): void {
    for (const finding of findings) {
      const line = printableJson({ type: 'finding', ...finding });
      if (this.#told.get(identity(finding)) === line) continue;
      this.#told.set(identity(finding), line);
      this.out.write(`${line}\n`);
    }
  }
}

/**
 * A finding is told in full when it appears, and when what it says has changed: surer, worse, another cause. That it
 * was seen once more is no news. One that later frames excused is taken back. Quiet: a line each.
 */
export class TextTeller implements Teller {
  readonly #told = new Map<string, { saying: string; title: string }>();
  readonly #layout: Layout;

  constructor(
    private readonly out: Output,
    private readonly look: ReportOptions,
  ) {
    this.#layout = new Layout(look.width, look.color);
  }

  tell({ findings, captures }: Analysis): void {
    const now = new Set<string>();
    const explained = new Set(findings.flatMap(({ explains }) => explains.map(({ rule }) => rule)));
    for (const finding of findings) {
      const id = identity(finding);
      now.add(id);
      const { severity, confidence, title } = finding;
      const saying = `${severity} ${confidence} ${title.replace(/\d+/g, '#')}`;
      if (this.#told.get(id)?.saying === saying) continue;
      this.#told.set(id, { saying, title });
      this.#write(this.#linesOf(finding, captures));
    }
    for (const [id, { title }] of this.#told) {
      if (now.has(id)) continue;
      this.#told.delete(id);
      const isExplained = [...explained].some((rule) => id.startsWith(`${rule} `));
      const line = `${isExplained ? 'Explained by another' : 'Taken back'}: ${title}`;
      this.#write([...this.#gap(), ...this.#layout.prose(line, 0)]);
    }
  }

  #linesOf(finding: Finding, captures: Analysis['captures']): string[] {
    const { detail } = this.look;
    if (detail === 'quiet') return headline(finding, this.#layout);
    return [...this.#gap(), ...findingLines(finding, captures, this.#layout, detail === 'verbose')];
  }

  /** What parts it from what was told before. */
  #gap(): string[] {
    return this.look.detail === 'quiet' ? [] : [''];
  }

  #write(lines: readonly string[]): void {
    this.out.write(lines.map((line) => `${line}\n`).join(''));
  }
}

function identity({ rule, fingerprint }: Finding): string {
  return `${rule} ${fingerprint}`;
}
