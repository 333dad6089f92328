import { readFileSync } from 'node:fs';
import { packageFile } from './package-file.js';

/** The version in package.json, read when asked for. */
export function version(): string {
  return JSON.parse(readFileSync(packageFile('package.json'), 'utf8')).version;
}
