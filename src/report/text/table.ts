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

/**
 * Rows below a head, columns as wide as their widest cell; the one that has most to say is broken into
 * lines if the table would not fit.
 * @param numeric columns to align on the right
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[],
  layout: Layout,
): string[] {
  const cells = rows.map((row) => row.map(printable));
  const widths = head.map((title, i) =>
    Math.max(...[title, ...cells.map((row) => row[i])].map((cell) => layout.measure(cell))),
  );
  const excess = widths.reduce((sum, width) => sum + width + 2, -2) - layout.columns;
  const widest = widths.indexOf(Math.max(...widths));
  if (excess > 0) widths[widest] = Math.max(20, widths[widest] - excess);
  const drawn = new Table({
    chars: RULED,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    head: head.map((title) => layout.style('dim', title)),
    colAligns: head.map((_, i) => (numeric.includes(i) ? 'right' : 'left')),
    colWidths: widths,
  });
  drawn.push(...cells.map((row) => row.map((cell, i) => layout.lines(cell, widths[i]).join('\n'))));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}
