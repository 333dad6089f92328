/** A fenced block of a page. */
export interface Block {
  /** Word behind the fence: `sh` is run, `text` is what must come of it. */
  readonly kind: string;
  /** Whether it is run: not behind a fence `sh not run`, for what needs a kernel or a machine that tests do not have. */
  readonly isRun: boolean;
  readonly text: string;
  /** 1-based, of the fence. */
  readonly line: number;
  /** The last line before it that is not empty. */
  readonly before: string;
}

/** What a reader is told where commands are not run. */
export const NOT_RUN = 'Not run by the tests';

/** The fenced blocks of a Markdown page, in their order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const lines = page.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\w*)( not run)?$/.exec(lines[i]);
    if (fence === null) continue;
    const end = lines.indexOf('```', i + 1);
    const before = lines.slice(0, i).findLast((line) => line !== '') ?? '';
    const [, kind, mark] = fence;
    const text = lines.slice(i + 1, end).join('\n');
    blocks.push({ kind, isRun: kind === 'sh' && mark === undefined, text, line: i + 1, before });
    i = end;
  }
  return blocks;
}

/** What the page says under "You need": `root`, and names of Debian packages or programs. */
export function needsOf(page: string): string[] {
  const sentence = /You need ([^.]*)\./.exec(page)?.[1] ?? '';
  const programs = [...sentence.split(';')[0].matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  return sentence.startsWith('root') ? ['root', ...programs] : programs;
}

/** Text as it is compared: without borders and indentation, one space for many, lines that were wrapped put together. */
export function flat(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
