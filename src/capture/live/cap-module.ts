import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What is used of the npm package `cap` 0.2.1. */
export interface CapModule {
  Cap: new () => Cap;
}

interface Cap {
  /** @returns the link type by `cap`'s name for it */
  open(device: string, filter: string, bufferSize: number, packet: Buffer): string;
  setMinBytes?(bytes: number): void;
  on(event: 'packet', listener: (length: number, isTruncated: boolean) => void): void;
}

/**
 * The package, where the user has installed it: beside netdiag, globally, or where NODE_PATH leads. It is no dependency
 * of ours: it would be compiled on every machine that installs netdiag. Not looked for in the current folder, from
 * which root must not run code.
 * @returns null where it is not installed, or was not compiled for this Node.js
 */
export function capModule(): CapModule | null {
  const require = createRequire(import.meta.url);
  const global = join(dirname(process.execPath), '..', 'lib', 'node_modules');
  try {
    return require(require.resolve('cap', { paths: [import.meta.dirname, global] }));
  } catch {
    return null;
  }
}
