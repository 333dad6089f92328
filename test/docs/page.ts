/** A fenced block of a page. */
export interface Block {
  /** Word behind the fence: `sh` is run, `text` is what must come of it. */
  readonly kind: string;
  readonly text: string;
  /** 1-based, of the fence. */
  readonly line: number;
}

/** The fenced blocks of a Markdown page, in their order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const lines = page.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\w*)$/.exec(lines[i]);
    if (fence === null) continue;
    const end = lines.indexOf('```', i + 1);
    blocks.push({ kind: fence[1], text: lines.slice(i + 1, end).join('\n'), line: i + 1 });
    i = end;
  }
  return blocks;
}

/** Text as it is compared: without borders and indentation, one space for many, lines that were wrapped put together. */
export function flat(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
