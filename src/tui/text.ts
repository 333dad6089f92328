import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

const SEGMENTER = new Intl.Segmenter();
const PLAIN = /^[\x20-\x7e]*$/;

/** Columns that a text takes up on the terminal; escape sequences of styles take none. */
export function width(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text);
}

/** The text without styles in exactly `columns` columns: cut with an ellipsis, or filled up with spaces. */
export function clip(text: string, columns: number): string {
  if (columns <= 0) return '';
  const all = width(text);
  if (all <= columns) return text + ' '.repeat(columns - all);
  let kept = '';
  let used = 0;
  for (const { segment } of SEGMENTER.segment(text)) {
    const more = width(segment);
    if (used + more > columns - 1) break;
    kept += segment;
    used += more;
  }
  return `${kept}…${' '.repeat(columns - 1 - used)}`;
}

/** The text, or its end behind an ellipsis, in at most `columns` columns. */
export function clipStart(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  const segments = [...SEGMENTER.segment(text)].map(({ segment }) => segment);
  let used = 1;
  let from = segments.length;
  while (from > 0 && used + width(segments[from - 1]) <= columns) used += width(segments[--from]);
  return `…${segments.slice(from).join('')}`;
}

/** A styled text as lines of at most `columns` columns, broken wherever the column is reached. */
export function fold(text: string, columns: number): string[] {
  if (width(text) <= columns) return [text];
  return wrapAnsi(text, Math.max(1, columns), { hard: true, trim: false }).split('\n');
}

/** A styled text filled up to `columns` columns, or its first part if it is longer. */
export function pad(text: string, columns: number): string {
  const [first] = fold(text, columns);
  return first + ' '.repeat(Math.max(0, columns - width(first)));
}

/** First of `count` visible rows such that `selected` shows, moving as little as can be from `top`. */
export function scrolledTo(selected: number, top: number, visible: number, count: number): number {
  const highest = Math.max(0, count - visible);
  return Math.min(highest, Math.max(0, selected - visible + 1, Math.min(top, selected)));
}
