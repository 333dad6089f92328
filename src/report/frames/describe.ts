import type { Frame } from '../../wire/frame.js';

/** What is told of one layer, in the order in which it is printed. */
export type Fields = Record<string, string | number | boolean>;

/**
 * Puts the fields of the header at `at` into `out`, in the order of their bytes. `view` ends where the header's
 * bytes end if it could not be read whole, so that the first field that is not there ends the description.
 */
export type Describe = (out: Fields, view: DataView, at: number, frame: Frame, layer: number) => void;
