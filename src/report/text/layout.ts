import { styleText } from 'node:util';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import type { Severity } from '../../rules/rule.js';
import { printable } from '../../wire/printable.js';
import { isPlain, plainLines } from './plain.js';

type Format = Parameters<typeof styleText>[0];

/** Prose in lines longer than this is hard to follow, however wide the terminal is. */
const WIDEST_PROSE = 110;

/** How text is put on the page. All text that comes in is made harmless here, before it is measured. */
export class Layout {
  /** Columns for prose and headings. */
  readonly width: number;

  constructor(
    /** Columns of the terminal. */
    readonly columns: number,
    readonly color: boolean,
  ) {
    this.width = Math.min(columns, WIDEST_PROSE);
  }

  /** The text in a colour or weight, if there is colour. */
  style(format: Format, text: string): string {
    // Whether the stream takes colour has been decided already, with NO_COLOR and --color.
    return this.color ? styleText(format, text, { validateStream: false }) : text;
  }

  /** Columns that a text takes up. */
  measure(text: string): number {
    return isPlain(text) ? text.length : stringWidth(text);
  }

  /** Prose in lines that end before the margin, `indent` columns in. */
  prose(text: string, indent: number): string[] {
    return this.lines(text, this.width - indent).map((line) => ' '.repeat(indent) + line);
  }

  /** The text broken into lines of at most `width` columns, or of `least` where those are more. */
  lines(text: string, width: number, least = LEAST_WIDTH): string[] {
    const safe = printable(text);
    const columns = Math.max(width, least);
    const lines = isPlain(safe) ? plainLines(safe, columns) : null;
    return lines ?? wrapAnsi(safe, columns, { hard: true }).split('\n');
  }

  /** Prose behind a label that stands in its margin; lines after the first begin below the text. */
  labelled(label: string, texts: readonly string[], indent: number): string[] {
    const margin = indent + LABEL_WIDTH;
    return texts.flatMap((text, i) => {
      const [first, ...others] = this.prose(text, margin);
      if (i > 0) return [first, ...others];
      return [`${' '.repeat(indent)}${this.style('bold', label.padEnd(LABEL_WIDTH))}${first.slice(margin)}`, ...others];
    });
  }
}

/** Columns of a label and the air behind it. */
export const LABEL_WIDTH = 11;
/** Text is never broken into shorter lines than this, whatever is in front of it. */
const LEAST_WIDTH = 20;

export const SEVERITY_STYLE: Record<Severity, { label: string; format: Format }> = {
  error: { label: 'ERROR', format: ['bold', 'red'] },
  warning: { label: 'WARN', format: ['bold', 'yellow'] },
  info: { label: 'NOTE', format: ['bold', 'cyan'] },
};
