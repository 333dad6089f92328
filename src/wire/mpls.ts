import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * MPLS label stack entry, RFC 3032 section 2.1:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------------------------------+-----+-+---------------+
 *   |                Label                  | TC  |S|       TTL     |
 *   +---------------------------------------+-----+-+---------------+
 */

const MPLS_HEADER = 4;

/** Label, 20 bits. */
export function mplsLabel(view: DataView, at: number): number {
  return view.getUint32(at) >>> 12;
}

/** Whether this is the bottom of the stack. */
export function mplsIsBottom(view: DataView, at: number): boolean {
  return (view.getUint8(at + 2) & 1) !== 0;
}

export function mplsTtl(view: DataView, at: number): number {
  return view.getUint8(at + 3);
}

export function decodeMpls(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < MPLS_HEADER) return frame.short(Protocol.Mpls);
  frame.push(Protocol.Mpls, at + MPLS_HEADER);
  // No field names the payload: behind the bottom the IP version tells IP from pseudowires (RFC 4385 section 2).
  return mplsIsBottom(frame.view, at) ? Protocol.RawIp : Protocol.Mpls;
}
