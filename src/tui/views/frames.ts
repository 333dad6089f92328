import type { PlacedField } from '../../report/frames/field-rows.js';
import { Layout } from '../../report/text/layout.js';
import { printable } from '../../wire/printable.js';
import type { FrameDetail } from '../session.js';
import type { FramePage, Screen, State } from '../state.js';
import { clip, scrolledTo } from '../text.js';

const BYTES_A_LINE = 16;
/** Columns of a line of the hex dump. */
const DUMP = 4 + 2 + BYTES_A_LINE * 3 + 1 + BYTES_A_LINE;

/** How many lines of the frames view are the list: a third, the rest is the frame chosen. */
export function listRows(rows: number): number {
  return Math.max(3, Math.floor(rows / 3));
}

/** The list of frames; the tree of headers of the one chosen; its bytes, those of the chosen line marked. */
export function framesView(state: State, page: FramePage | null, { columns, rows, color }: Screen): string[] {
  if (page === null) return [' The frames of this input cannot be read again.'];
  if (page.rows.length === 0) return [' No frames yet.'];
  const layout = new Layout(columns, color);
  const visible = listRows(rows);
  const list = page.rows.slice(0, visible).map(({ number, line }) => {
    const text = clip(line, columns - 1);
    return number === state.frame ? layout.style('inverse', `▌${text}`) : ` ${text}`;
  });
  while (list.length < visible) list.push('');
  return [
    ...list,
    '─'.repeat(columns),
    ...detailLines(state, page.detail, { columns, rows: rows - visible - 1, color }),
  ];
}

function detailLines(state: State, detail: FrameDetail | null, { columns, rows, color }: Screen): string[] {
  if (detail === null) return [];
  const layout = new Layout(columns, color);
  const { fields, bytes } = detail;
  const chosen = state.field === null ? null : Math.min(state.field, fields.length - 1);
  const isWide = columns >= DUMP + 42;
  const treeColumns = isWide ? columns - DUMP - 3 : columns;
  const treeRows = isWide ? rows : Math.ceil(rows / 2);
  const tree = treeLines(fields, chosen, { columns: treeColumns, rows: treeRows, color });
  const dump = dumpLines(bytes, chosen === null ? null : fields[chosen], {
    columns,
    rows: isWide ? rows : rows - treeRows,
    color,
  });
  if (!isWide) return [...tree, ...dump];
  return Array.from(
    { length: rows },
    (_, i) => `${tree[i] ?? ' '.repeat(treeColumns)} ${layout.style('dim', '│')} ${dump[i] ?? ''}`,
  );
}

function treeLines(fields: readonly PlacedField[], chosen: number | null, { columns, rows, color }: Screen): string[] {
  const layout = new Layout(columns, color);
  const top = scrolledTo(chosen ?? 0, (chosen ?? 0) - Math.floor(rows / 2), rows, fields.length);
  return fields.slice(top, top + rows).map(({ depth, text }, i) => {
    const line = clip(`${'  '.repeat(depth)}${text}`, columns - 1);
    if (top + i === chosen) return layout.style('inverse', `▌${line}`);
    return depth === 0 ? ` ${layout.style('bold', line)}` : ` ${line}`;
  });
}

/** Bytes as offset, hexadecimal and text. Marked ones are inverse and, for those without colour, in brackets. */
function dumpLines(bytes: Uint8Array, field: PlacedField | null, { columns, rows, color }: Screen): string[] {
  const layout = new Layout(columns, color);
  const from = field?.offset ?? -1;
  const to = field === null ? -1 : field.offset + field.length;
  const lines = Math.ceil(bytes.length / BYTES_A_LINE);
  const top = scrolledTo(Math.floor(Math.max(0, from) / BYTES_A_LINE), 0, rows, lines);
  const isMarked = (at: number) => at >= from && at < to;
  const bracket = (at: number) => {
    if (isMarked(at)) return isMarked(at - 1) ? ' ' : '[';
    return isMarked(at - 1) ? ']' : ' ';
  };
  return Array.from({ length: Math.min(rows, lines - top) }, (_, i) => {
    const begin = (top + i) * BYTES_A_LINE;
    let hex = '';
    let text = '';
    for (let at = begin; at < begin + BYTES_A_LINE; at++) {
      const byte = bytes[at];
      // What ends with a line is closed there.
      hex += at === begin && !isMarked(at) ? ' ' : bracket(at);
      if (byte === undefined) {
        hex += '  ';
        continue;
      }
      const digits = byte.toString(16).padStart(2, '0');
      hex += isMarked(at) ? layout.style('inverse', digits) : digits;
      text += byte >= 0x20 && byte < 0x7f ? printable(String.fromCharCode(byte)) : '.';
    }
    const next = begin + BYTES_A_LINE;
    return `${begin.toString(16).padStart(4, '0')} ${hex}${isMarked(next) ? ' ' : bracket(next)} ${text}`;
  });
}
