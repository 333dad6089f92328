import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/** IP without a link header: the version in the first four bits says which. Records no layer of its own. */
export function decodeRawIp(frame: Frame): Protocol {
  if (frame.cursor === frame.limit) return Protocol.None;
  const version = frame.view.getUint8(frame.cursor) >> 4;
  if (version === 4) return Protocol.Ipv4;
  return version === 6 ? Protocol.Ipv6 : Protocol.Data;
}
