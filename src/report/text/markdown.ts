import { printable } from '../../wire/printable.js';
import type { Layout } from './layout.js';
import { table } from './table.js';

/**
 * A page of Markdown as lines for a terminal: the part of the language that rule pages use (headings,
 * paragraphs, lists, fenced code, tables, `code`, **bold**, links). Code is never broken.
 */
export function markdownLines(source: string, layout: Layout): string[] {
  return blocks(source).flatMap((block, i) => [...(i === 0 ? [] : ['']), ...blockLines(block, layout)]);
}

/** Runs of lines that belong together: fenced code whole, else what stands between empty lines. */
function blocks(source: string): string[][] {
  const found: string[][] = [];
  let block: string[] = [];
  let inCode = false;
  const close = () => {
    if (block.length > 0) found.push(block);
    block = [];
  };
  for (const line of source.split(/\r?\n/)) {
    const fence = isFence(line);
    const heading = line.startsWith('#') && !inCode;
    if (heading || (fence && !inCode)) close();
    if (inCode || line.trim() !== '') block.push(line);
    else close();
    if (heading || (fence && inCode)) close();
    if (fence) inCode = !inCode;
  }
  close();
  return found;
}

function isFence(line: string): boolean {
  return line.trimStart().startsWith('```');
}

function blockLines(block: readonly string[], layout: Layout): string[] {
  const [first] = block;
  if (isFence(first)) {
    // Code inside a list item is indented with it.
    const margin = first.search(/\S/);
    return block
      .filter((line) => !isFence(line))
      .map((line) => `    ${layout.style('cyan', printable(line.slice(margin)))}`);
  }
  const heading = /^(#+)\s+(.*)/.exec(first);
  if (heading !== null)
    return [layout.style(heading[1].length === 1 ? ['bold', 'underline'] : 'bold', plain(heading[2]))];
  if (first.startsWith('|')) return tableLines(block, layout);
  return items(block).flatMap(({ margin, mark, text }) => itemLines(margin + mark, text, layout));
}

/** List items, or the one paragraph, with the lines that go on in them joined. */
function items(block: readonly string[]): { margin: string; mark: string; text: string }[] {
  const found: { margin: string; mark: string; text: string }[] = [];
  for (const line of block) {
    const item = /^(\s*)((?:[-*+]|\d+\.)\s+)(.*)/.exec(line);
    const last = found[found.length - 1];
    if (item !== null) found.push({ margin: item[1], mark: item[2], text: item[3] });
    else if (last !== undefined) last.text += ` ${line.trim()}`;
    else found.push({ margin: '', mark: '', text: line.trim() });
  }
  return found;
}

function itemLines(lead: string, text: string, layout: Layout): string[] {
  return layout
    .prose(plain(text), lead.length)
    .map((line, i) => styled(i === 0 ? lead + line.slice(lead.length) : line, layout));
}

function tableLines(block: readonly string[], layout: Layout): string[] {
  const cells = (row: string) =>
    row
      .replace(/^\||\|\s*$/g, '')
      .split('|')
      .map((cell) => plain(cell.trim()));
  const [head, , ...rows] = block;
  return table(cells(head), rows.map(cells), [], layout).map((line) => styled(line, layout));
}

/** Without the marks that only make text look different; `code` keeps its own, it must be told from prose. */
function plain(text: string): string {
  return text
    .replace(/!?\[([^\]]*)\]\(([^)]*)\)/g, (_, label, target) =>
      /^https?:/.test(target) && label !== target ? `${label} (${target})` : label,
    )
    .replace(/\*\*([^*]+)\*\*/g, '$1');
}

/** `code` in colour, or as it is written where there is none. */
function styled(line: string, layout: Layout): string {
  return layout.color ? line.replace(/`([^`]+)`/g, (_, code) => layout.style('cyan', code)) : line;
}
