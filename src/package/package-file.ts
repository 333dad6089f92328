/**
 * A file of this package by its path from the package's root, as sources (`src/package`), compiled (`dist/package`) and
 * bundled (`dist/program`): all lie two folders deep.
 */
export function packageFile(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}
