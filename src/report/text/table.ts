import Table from 'cli-table3';
import { printable } from '../../wire/printable.js';
import type { Layout } from './layout.js';

/** Only the rule below the head: the rest of the frame would be noise. */
const RULED = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Words longer than this may be broken in a column, on a page that is not wide. */
const LONG_WORD = 20;
/** Titles up to this length stand in front of what they are about, where there is no room for columns. */
const SHORT_TITLE = 12;

/**
 * Rows below a head, columns as wide as their widest cell; where the table would not fit, those that have most to say are
 * broken into lines, and where not even words fit, rows are written below each other.
 * @param numeric columns to align on the right
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[],
  layout: Layout,
): string[] {
  const cells = rows.map((row) => row.map(printable));
  const widths = fitted(head, cells, layout);
  if (widths === null) return listed(head, cells, layout);
  const drawn = new Table({
    chars: RULED,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    head: head.map((title) => layout.style('dim', title)),
    colAligns: head.map((_, i) => (numeric.includes(i) ? 'right' : 'left')),
    colWidths: widths,
  });
  drawn.push(...cells.map((row) => row.map((cell, i) => layout.lines(cell, widths[i], 1).join('\n'))));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

/** Columns of the cells, or null if they do not fit beside each other. */
function fitted(head: readonly string[], cells: readonly (readonly string[])[], layout: Layout): number[] | null {
  const { columns } = layout;
  const measured = (parts: readonly string[]) => Math.max(0, ...parts.map((part) => layout.measure(part)));
  const widest = head.map((title, i) => measured([title, ...cells.map((row) => row[i])]));
  const words = head.map((_, i) => measured(cells.flatMap((row) => row[i].split(' '))));
  // A long title is cut rather than that it makes its column wide.
  const titles = head.map((title) => (title.length <= SHORT_TITLE ? title.length : 0));
  // Long names stay whole if they can.
  const tries = [Math.max(LONG_WORD, Math.floor(columns / 2)), LONG_WORD];
  const least = tries
    .map((most) => words.map((word, i) => Math.max(titles[i], Math.min(most, word))))
    .find((each) => across(each) <= columns);
  return least === undefined ? null : narrowed(widest, least, columns);
}

/** Columns that take up less than `columns`, by making the widest narrower, none below its least. */
function narrowed(widest: readonly number[], least: readonly number[], columns: number): number[] {
  const widths = [...widest];
  for (let excess = across(widths) - columns; excess > 0; excess--) {
    const wide = Math.max(...widths.filter((width, i) => width > least[i]));
    widths[widths.findIndex((width, i) => width === wide && width > least[i])]--;
  }
  return widths;
}

/** What a row takes up: two blanks stand between columns. */
function across(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + 2, -2);
}

/** Row by row, each cell on its own line behind its title. */
function listed(head: readonly string[], cells: readonly (readonly string[])[], layout: Layout): string[] {
  const short = (title: string) => (title.length <= SHORT_TITLE ? title : '');
  const margin = Math.max(...head.map((title) => short(title).length)) + 2;
  const cellLines = (cell: string, i: number) =>
    layout
      .lines(cell, layout.columns - margin)
      .map((line, at) => layout.style('dim', (at === 0 ? short(head[i]) : '').padEnd(margin)) + line);
  return cells.flatMap((row, at) => [
    ...(at === 0 ? [] : ['']),
    ...row.flatMap((cell, i) => (cell === '' ? [] : cellLines(cell, i))),
  ]);
}
