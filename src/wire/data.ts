import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/** Records the rest of the packet as bytes that nobody decodes; an empty rest leaves no layer. */
export function decodeData(frame: Frame): Protocol {
  if (frame.cursor < frame.limit) frame.push(Protocol.Data, frame.limit);
  return Protocol.None;
}
