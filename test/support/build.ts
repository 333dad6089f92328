import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './fixtures.js';

/** Builds the program once for the tests that run it, unless it has been built since the sources changed. */
export function setup(): void {
  const entry = join(root, 'dist/program/main.js');
  if (existsSync(entry) && statSync(entry).mtimeMs > newest(join(root, 'src'))) return;
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the program cannot be built\n${stdout}${stderr}`);
}

function newest(folder: string): number {
  return Math.max(
    ...readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs;
    }),
  );
}
