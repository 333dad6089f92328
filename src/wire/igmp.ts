import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Internet Group Management Protocol, RFC 2236 section 2 and RFC 3376 section 4:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------+---------------+-------------------------------+
 *   |      Type     | Max Resp Time |           Checksum            |
 *   +---------------+---------------+-------------------------------+
 *   |    Group Address; in a version 3 report: reserved, records    |
 *   +---------------------------------------------------------------+
 */

/** Message types. */
export const IgmpType = { Query: 0x11, ReportV1: 0x12, ReportV2: 0x16, Leave: 0x17, ReportV3: 0x22 } as const;

const TYPE = 0;
/** Offset of the group, an IPv4 address; not in version 3 reports. */
export const GROUP = 4;
const MIN_LENGTH = 8;

/** `IgmpType`. */
export function igmpType(view: DataView, at: number): number {
  return view.getUint8(at + TYPE);
}

export function decodeIgmp(frame: Frame): Protocol {
  if (frame.limit - frame.cursor < MIN_LENGTH) return frame.short(Protocol.Igmp);
  frame.push(Protocol.Igmp, frame.limit);
  return Protocol.None;
}
