import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const NAME = 'nd-tests-';

/**
 * One folder in which tests make theirs (`os.tmpdir()` is TMPDIR), removed when all have run, also after those that failed.
 * Vitest calls this once for each project.
 */
export function setup(): (() => void) | undefined {
  if (basename(tmpdir()).startsWith(NAME)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), NAME));
  // Some tests give up root, and go on in a folder of their own in here.
  chmodSync(folder, 0o755);
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
