/** Ideographs, kana, Hangul and full-width forms, which take two columns each (Unicode UAX #11: W and F, the common ones). */
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60]/gu;
/** Marks that stand on the character before them. */
const NONE = /\p{Mn}/gu;

/** Columns that a name takes up where pictures are drawn: near enough for names, and loaded in no time. */
export function columnsOf(name: string): number {
  return [...name.replace(NONE, '').replace(WIDE, '__')].length;
}

/** The name filled up to so many columns. */
export function padColumns(name: string, columns: number, fill = ' '): string {
  return name + fill.repeat(Math.max(0, columns - columnsOf(name)));
}
