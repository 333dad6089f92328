import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * BSD loopback, https://www.tcpdump.org/linktypes.html: the address family in the byte order of the capturing
 * host (NULL), or in network byte order (LOOP, OpenBSD):
 *
 *   +---------------------------------------------------------------+
 *   |                         family (4)                            |
 *   +---------------------------------------------------------------+
 */

const NULL_HEADER = 4;

/** Address family: 2 is IPv4; 10 (Linux), 24 (NetBSD), 28 (FreeBSD) and 30 (macOS) are IPv6. */
export function nullFamily(view: DataView, at: number): number {
  const family = view.getUint32(at);
  // Families are small: a great number is a small one in the other byte order.
  return family > 0xffff ? view.getUint32(at, true) : family;
}

function decodeFamily(frame: Frame, kind: Protocol): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < NULL_HEADER) return frame.short(kind);
  frame.push(kind, at + NULL_HEADER);
  switch (nullFamily(frame.view, at)) {
    case 2:
      return Protocol.Ipv4;
    case 10:
    case 24:
    case 28:
    case 30:
      return Protocol.Ipv6;
    default:
      return Protocol.Data;
  }
}

export function decodeNull(frame: Frame): Protocol {
  return decodeFamily(frame, Protocol.Null);
}

export function decodeLoop(frame: Frame): Protocol {
  return decodeFamily(frame, Protocol.Loop);
}
