/** Names of a list in a sentence, at most: the rest is counted. */
const MAX_LISTED = 8;

/** `a`, `a and b`, `a, b and c`, `a, b and 7 more`; `or` in place of `and` if that is the word. */
export function listed(names: readonly string[], most = MAX_LISTED, word = 'and'): string {
  if (names.length > most) return `${names.slice(0, most).join(', ')} ${word} ${names.length - most} more`;
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${word} ${names[names.length - 1]}`;
}

/** `once`, `twice`, `3 times`. */
export function times(count: number): string {
  if (count === 1) return 'once';
  return count === 2 ? 'twice' : `${count} times`;
}

/** A span in nanoseconds as `3.0 s`. */
export function seconds(span: number): string {
  return `${(span / 1e9).toFixed(1)} s`;
}

/** What stands behind the first of several addresses: nothing, ` and one other address`, ` and 2 other addresses`. */
export function andOthers(others: number): string {
  if (others === 0) return '';
  return others === 1 ? ' and one other address' : ` and ${others} other addresses`;
}

/** The texts of a list that apply: those whose condition is false are left out. */
export function applying(texts: readonly (string | false | null | undefined)[]): string[] {
  return texts.filter((text) => typeof text === 'string');
}
