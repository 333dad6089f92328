import { type Frame, Status } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Virtual Router Redundancy Protocol, version 2 RFC 3768 section 5.1, version 3 RFC 5798 section 5.1:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------+-------+---------------+---------------+---------------+
 *   |Version| Type  | Virtual Rtr ID|    Priority   |Count IP Addrs |
 *   +-------+-------+---------------+---------------+---------------+
 *   |   Auth Type   | Adver Int (s) |           Checksum            |   version 2
 *   | rsvd  | Max Adver Int (cs)    |           Checksum            |   version 3
 *   +-------------------------------+-------------------------------+
 *   |                    IP Addresses …                             |
 *   +---------------------------------------------------------------+
 */

const VERSION_TYPE = 0;
const VIRTUAL_ROUTER = 1;
const PRIORITY = 2;
const COUNT = 3;
const TIMES = 4;
const HEADER = 8;
/**
 * CARP has the protocol number of VRRP, the first byte of its version 2, and an id in the second. Behind them are its skew, the length of its
 * counter and digest in words (always 7), and these (OpenBSD: sys/netinet/ip_carp.h). Seven addresses of VRRP go with 8 bytes of authentication.
 */
const CARP_WORDS = 7;
const CARP_LENGTH = HEADER + CARP_WORDS * 4;
/** Where the virtual addresses begin. */
export const VRRP_ADDRESSES = HEADER;

/** Bytes of authentication behind the addresses of version 2. */
export const VRRP_PASSWORD = 8;
/** Types of authentication in version 2 (RFC 2338 section 5.3.6). */
export const VrrpAuthentication = { None: 0, Password: 1, Header: 2 } as const;

/** 2 or 3. */
export function vrrpVersion(view: DataView, at: number): number {
  return view.getUint8(at + VERSION_TYPE) >> 4;
}

/** Virtual router id, 1 to 255: the last byte of its MAC. */
export function vrrpRouter(view: DataView, at: number): number {
  return view.getUint8(at + VIRTUAL_ROUTER);
}

/** Priority of the sender: 255 owns the address, 0 gives up mastership. */
export function vrrpPriority(view: DataView, at: number): number {
  return view.getUint8(at + PRIORITY);
}

/** Number of addresses behind the header, of the IP version that carries it. */
export function vrrpCount(view: DataView, at: number): number {
  return view.getUint8(at + COUNT);
}

/** Time between advertisements in milliseconds: whole seconds in version 2, hundredths in version 3; 0 is taken for the usual second. */
export function vrrpInterval(view: DataView, at: number): number {
  const word = view.getUint16(at + TIMES);
  return vrrpVersion(view, at) === 2 ? (word & 0xff || 1) * 1000 : (word & 0xfff || 100) * 10;
}

/** Type of authentication, of `VrrpAuthentication`; none in version 3. */
export function vrrpAuthentication(view: DataView, at: number): number {
  return vrrpVersion(view, at) === 2 ? view.getUint8(at + TIMES) : 0;
}

export function decodeVrrp(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < HEADER) return frame.short(Protocol.Vrrp);
  const version = vrrpVersion(frame.view, at);
  if (version !== 2 && version !== 3) return frame.fail(Protocol.Vrrp, Status.BadVersion);
  if (version === 2 && vrrpCount(frame.view, at) === CARP_WORDS && frame.limit - at === CARP_LENGTH)
    return Protocol.Data;
  frame.push(Protocol.Vrrp, frame.limit);
  return Protocol.None;
}
