import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from './errors.js';
import { adviceFor, reasonOf } from './system-error.js';

/** Bytes of the longest file that is read: the context of a host with tens of thousands of devices has fewer. */
const MOST_BYTES = 128 * 1024 * 1024;
/** Bytes read at a time from what does not say how long it is. */
const CHUNK = 1024 * 1024;

/**
 * @param named what the user calls the file, for messages
 * @throws UserError if it cannot be read or is no JSON
 */
export function readJson(file: string, named: string): unknown {
  let bytes: Buffer | null;
  try {
    bytes = readBounded(file);
  } catch (error) {
    throw new UserError(named, `cannot be read (${reasonOf(error)})`, adviceFor(error));
  }
  if (bytes === null)
    throw new UserError(named, `has more than ${MOST_BYTES} bytes`, 'no JSON of netdiag is so long: check the name');
  try {
    // Some editors put a byte order mark in front.
    return JSON.parse(bytes.toString().replace(/^\ufeff/, ''));
  } catch (error) {
    throw new UserError(named, `not JSON (${(error as Error).message})`, 'correct it there');
  }
}

/** All of a file, a pipe, a device: of the last two nobody knows whether they end. @returns null if it is too long */
function readBounded(file: string): Buffer | null {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size > MOST_BYTES) return null;
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const part = Buffer.allocUnsafe(Math.max(size + 1 - length, CHUNK));
      const got = readSync(fd, part);
      if (got === 0) return Buffer.concat(parts, length);
      parts.push(part.subarray(0, got));
      length += got;
      if (length > MOST_BYTES) return null;
    }
  } finally {
    closeSync(fd);
  }
}
