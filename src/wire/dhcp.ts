import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Dynamic Host Configuration Protocol, RFC 2131 section 2, options RFC 2132:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------+---------------+---------------+---------------+
 *   |     op        |    htype      |    hlen       |    hops       |
 *   +---------------+---------------+---------------+---------------+
 *   |                              xid                              |
 *   +-------------------------------+-------------------------------+
 *   |             secs              |             flags             |
 *   +-------------------------------+-------------------------------+
 *   |                    ciaddr · yiaddr · siaddr · giaddr (4 each) |
 *   +---------------------------------------------------------------+
 *   |                          chaddr (16)                          |
 *   +---------------------------------------------------------------+
 *   |                  sname (64) · file (128)                      |
 *   +---------------------------------------------------------------+
 *   |                  magic cookie 63 82 53 63                     |
 *   +---------------+---------------+-------------------------------+
 *   |     code      |    length     |  value …                      |
 *   +---------------+---------------+-------------------------------+
 */

/** Option codes. */
export const DhcpOption = {
  SubnetMask: 1,
  Router: 3,
  RequestedAddress: 50,
  LeaseTime: 51,
  Overload: 52,
  MessageType: 53,
  ServerIdentifier: 54,
  /** T1, when a client begins to renew its lease. */
  RenewalTime: 58,
  ClientIdentifier: 61,
  RelayAgent: 82,
  SubnetSelection: 118,
  /** RFC 3442. */
  ClasslessRoutes: 121,
} as const;

/** Values of option 53, RFC 2132 section 9.6. */
export const DhcpMessage = {
  Discover: 1,
  Offer: 2,
  Request: 3,
  Decline: 4,
  Ack: 5,
  Nak: 6,
  Release: 7,
  Inform: 8,
} as const;

const OP = 0;
const HTYPE = 1;
const XID = 4;
const SECS = 8;
const FLAGS = 10;
/** Offsets of the address that the client has, of the one that it is given, of the relay agent's, and of the client's hardware address. */
export const CIADDR = 12;
export const YIADDR = 16;
export const GIADDR = 24;
export const CHADDR = 28;
const SNAME = 44;
const FILE = 108;
const COOKIE = 236;
const OPTIONS = 240;
/** Length in bytes without cookie and options: the whole of a BOOTP message but for its vendor area. */
const DHCP_HEADER = COOKIE;

const MAGIC = 0x63825363;
const PAD = 0;
const END = 255;
/** Values of option 52, RFC 2132 section 9.3. */
const IN_FILE = 1;
const IN_SNAME = 2;

/** 1 request, 2 reply. */
export function dhcpOp(view: DataView, at: number): number {
  return view.getUint8(at + OP);
}

/** Seconds since the client began to look for an address, by its own account. */
export function dhcpSeconds(view: DataView, at: number): number {
  return view.getUint16(at + SECS);
}

/** Whether the client wants answers by broadcast, because it cannot take unicast yet (RFC 2131 section 4.1). */
export function dhcpWantsBroadcast(view: DataView, at: number): boolean {
  return (view.getUint16(at + FLAGS) & 0x8000) !== 0;
}

/** Whether `CHADDR` holds a 6-byte Ethernet address. */
export function dhcpHasMac(view: DataView, at: number): boolean {
  return view.getUint16(at + HTYPE) === 0x0106;
}

export function dhcpTransactionId(view: DataView, at: number): number {
  return view.getUint32(at + XID);
}

/**
 * Offset in `view` of option `code` of the message at `at` that ends at `end`, -1 if it is not there whole.
 * Its length is at +1, its value at +2. Option 52 says that options go on in file, then in sname (RFC 2131 section 4.1).
 */
function dhcpOption(view: DataView, at: number, end: number, code: number): number {
  if (end - at < OPTIONS || view.getUint32(at + COOKIE) !== MAGIC) return -1;
  const found = optionIn(view, at + OPTIONS, end, code);
  if (found >= 0) return found;
  const overload = optionIn(view, at + OPTIONS, end, DhcpOption.Overload);
  if (overload < 0 || view.getUint8(overload + 1) !== 1) return -1;
  const fields = view.getUint8(overload + 2);
  const inFile = (fields & IN_FILE) === 0 ? -1 : optionIn(view, at + FILE, at + COOKIE, code);
  return inFile >= 0 || (fields & IN_SNAME) === 0 ? inFile : optionIn(view, at + SNAME, at + FILE, code);
}

/** Offset of option `code` among those from `from` to `end`. */
function optionIn(view: DataView, from: number, end: number, code: number): number {
  let next = from;
  while (next < end) {
    const here = view.getUint8(next);
    if (here === PAD) {
      next++;
      continue;
    }
    if (here === END || end - next < 2) return -1;
    const behind = next + 2 + view.getUint8(next + 1);
    if (behind > end) return -1;
    if (here === code) return next;
    next = behind;
  }
  return -1;
}

/** Message type (`DhcpMessage`), 0 for BOOTP without one. */
export function dhcpMessageType(view: DataView, at: number, end: number): number {
  const option = dhcpOption(view, at, end, DhcpOption.MessageType);
  return option < 0 || view.getUint8(option + 1) === 0 ? 0 : view.getUint8(option + 2);
}

/** Offset in `view` of the IPv4 address, or the time, that option `code` holds in four bytes, -1 if it holds none. */
export function dhcpAddressOption(view: DataView, at: number, end: number, code: number): number {
  const option = dhcpOption(view, at, end, code);
  return option < 0 || view.getUint8(option + 1) < 4 ? -1 : option + 2;
}

/** A number made of the value of option `code`, 0 without it; equal values give equal numbers (FNV-1a). */
export function dhcpOptionHash(view: DataView, at: number, end: number, code: number): number {
  const option = dhcpOption(view, at, end, code);
  if (option < 0) return 0;
  let hash = 0x811c9dc5 | 0;
  const behind = option + 2 + view.getUint8(option + 1);
  for (let next = option + 2; next < behind; next++) hash = Math.imul(hash ^ view.getUint8(next), 0x01000193);
  return hash;
}

/** Link selection, a suboption of option 82 (RFC 3527 section 3). */
const LINK_SELECTION = 5;

/** Whether a message names the subnet to lease from, so that giaddr does not (RFC 3011, RFC 3527). */
export function dhcpSelectsSubnet(view: DataView, at: number, end: number): boolean {
  if (dhcpOption(view, at, end, DhcpOption.SubnetSelection) >= 0) return true;
  const option = dhcpOption(view, at, end, DhcpOption.RelayAgent);
  if (option < 0) return false;
  const behind = option + 2 + view.getUint8(option + 1);
  for (let next = option + 2; next + 2 <= behind; next += 2 + view.getUint8(next + 1))
    if (view.getUint8(next) === LINK_SELECTION) return true;
  return false;
}

/** The options belong to the message: the layer spans all of it. */
export function decodeDhcp(frame: Frame): Protocol {
  if (frame.limit - frame.cursor < DHCP_HEADER) return frame.short(Protocol.Dhcp);
  frame.push(Protocol.Dhcp, frame.limit);
  return Protocol.None;
}
