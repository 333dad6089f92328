/** A word as a POSIX shell takes it. */
export function shellWord(word: string): string {
  return /^[\w.,:=@%+/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The name of a file as an argument: what begins with a dash would be an option, quoted or not. */
export function fileWord(name: string): string {
  return shellWord(name.startsWith('-') ? `./${name}` : name);
}
