import { openCapture } from '../capture/open.js';
import { CaptureError, type CaptureSource } from '../capture/source.js';
import { tellError } from './errors.js';
import type { CommandIo } from './io.js';

/**
 * Opens one input after the other and has `read` read it, until the user wants no more.
 * @returns how many could not be read at all; they have been told
 */
export async function readAll(
  inputs: readonly string[],
  io: CommandIo,
  read: (source: CaptureSource) => Promise<void>,
): Promise<number> {
  let unreadable = 0;
  for (const input of inputs) {
    if (io.signal.aborted) break;
    try {
      await read(await openCapture(input, { signal: io.signal }));
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      if (io.signal.aborted) break;
      tellError(error, io);
      unreadable++;
    }
  }
  return unreadable;
}
