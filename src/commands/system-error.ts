/** What errors of the system mean to a user, by their code, and what to do. */
const WORDS: Record<string, readonly [reason: string, advice: string]> = {
  ENOENT: ['no such file or folder', 'check the path'],
  ENOTDIR: ['part of its path is no folder', 'check the path'],
  EISDIR: ['is a directory', 'name a file'],
  EACCES: ['no permission', 'run with sudo, or change its permissions'],
  EPERM: ['no permission', 'run with sudo, or change its permissions'],
  EROFS: ['read-only file system', 'name a file elsewhere'],
  ENOSPC: ['no space left', 'free some, or name a file elsewhere'],
  EFBIG: ['larger than files may be here', 'name a file elsewhere, or raise the limit (ulimit -f)'],
  ENAMETOOLONG: ['the name is too long', 'give a shorter one'],
  ELOOP: ['symbolic links that lead in a circle', 'check the path'],
  EDQUOT: ['quota exceeded', 'free some space, or name a file elsewhere'],
};

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? '';

/** `no such file or folder`; the code where there are no better words. */
export function reasonOf(error: unknown): string {
  return WORDS[codeOf(error)]?.[0] ?? (codeOf(error) || String(error));
}

export function adviceFor(error: unknown): string {
  return WORDS[codeOf(error)]?.[1] ?? 'check the path and its permissions';
}
