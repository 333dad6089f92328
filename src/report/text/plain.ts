/**
 * Characters that take up one column each: ASCII, Latin letters, and the dashes, dots, arrows, lines and marks of reports.
 * None of them is wide, combining or an emoji (Unicode Standard Annexes 11 and 29, Unicode Technical Standard 51).
 */
const PLAIN =
  /^[\x20-\x7e\xa1-\xa8\xaa-\xac\xaf-\u02ff\u2010-\u2015\u2018-\u201f\u2026\u2190-\u2193\u2500-\u257f\u2717]*$/;

/** Whether its length is its width. What others are is for packages that take 50 ms to load. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** Plain text in lines of at most `width` columns, broken at spaces; null if a word is longer or spaces are to be left out. */
export function plainLines(text: string, width: number): string[] | null {
  if (text.startsWith(' ') || text.endsWith(' ') || text.includes('  ')) return null;
  const lines: string[] = [];
  let from = 0;
  while (text.length - from > width) {
    const space = text.lastIndexOf(' ', from + width);
    if (space <= from) return null;
    lines.push(text.slice(from, space));
    from = space + 1;
  }
  lines.push(text.slice(from));
  return lines;
}
