import { printable } from '../../wire/printable.js';
import type { Block } from './blocks.js';

/** What means something to Markdown, to HTML inside it, or to GitHub (mentions, references). */
const SPECIAL = /[\\`*_{}[\]<>|~#&@$!]/g;
/** Those of them that are no ASCII punctuation of CommonMark's list of escapes, or that GitHub reads behind a backslash. */
const ENTITIES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '@': '&#64;',
  '#': '&#35;',
};

/** CommonMark with GitHub's tables. */
export function markdown(blocks: readonly Block[]): string {
  return `${blocks.map((block) => linesOf(block).join('\n')).join('\n\n')}\n`;
}

function linesOf(block: Block): string[] {
  switch (block.kind) {
    case 'heading':
      return [`${'#'.repeat(block.level)} ${plain(block.text)}`];
    case 'text':
      return [escapeBegin(plain(block.text))];
    case 'badges':
      return [[`**${block.severity}**`, `*${block.confidence}*`, ...block.parts.map(plain)].join(' · ')];
    case 'list':
      return block.items.map((item) => `- ${escapeBegin(plain(item))}`);
    case 'code':
      return fenced(block.lines.map(printable), block.language);
    case 'table':
      return [
        row(block.head.map(plain)),
        row(block.head.map(() => '---')),
        ...block.rows.map((cells) => row(cells.map(plain))),
      ];
  }
}

/** @param cells markup */
function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A fence longer than any run of backticks inside (CommonMark section 4.5). */
function fenced(lines: readonly string[], language: string): string[] {
  const longest = Math.max(2, ...lines.flatMap((line) => line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}${language}`, ...lines, fence];
}

/** Text from outside: nothing in it is markup. */
function plain(text: string): string {
  return printable(text).replace(SPECIAL, (character) => ENTITIES[character] ?? `\\${character}`);
}

/** What would make a paragraph a list, a heading or a line (`1.`, `+`, `-`, `=`). */
function escapeBegin(text: string): string {
  return text.replace(
    /^(\s*)([-+=]|\d+[.)])(?=\s|$|=|-)/,
    (_, space, mark) => `${space}${mark.slice(0, -1)}\\${mark.slice(-1)}`,
  );
}
