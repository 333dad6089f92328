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
 * Reads the value of an option, byte by byte: one that is split in several is their values one behind the other (RFC 3396). Option 52 says that options
 * go on in file, then in sname (RFC 2131 section 4.1), which is also the order of the pieces. One pass over the message, whatever it claims.
 */
class OptionReader {
  private view: DataView = new DataView(new ArrayBuffer(0));
  private at = 0;
  private end = 0;
  private code = 0;
  /** Next byte of the value, and the one behind this piece. */
  private next = 0;
  private behind = 0;
  /** Where options are that were not looked at yet: from, and to which byte of the field. */
  private from = 0;
  private to = 0;
  /** Fields that follow, as option 52 has them. */
  private fields = 0;

  /** Begins with option `code` of the message at `at` that ends at `end`; false if it is not there. */
  start(view: DataView, at: number, end: number, code: number): boolean {
    if (end - at < OPTIONS || view.getUint32(at + COOKIE) !== MAGIC) return false;
    const overload = optionIn(view, at + OPTIONS, end, DhcpOption.Overload);
    this.view = view;
    this.at = at;
    this.end = end;
    this.code = code;
    this.from = at + OPTIONS;
    this.to = end;
    this.fields = overload < 0 || view.getUint8(overload + 1) !== 1 ? 0 : view.getUint8(overload + 2);
    return this.piece();
  }

  /** The next byte of the value, -1 behind the last. */
  byte(): number {
    while (this.next === this.behind) if (!this.piece()) return -1;
    return this.view.getUint8(this.next++);
  }

  /** Goes to the next piece; false if there is none. */
  private piece(): boolean {
    for (;;) {
      const found = optionIn(this.view, this.from, this.to, this.code);
      if (found >= 0) {
        this.next = found + 2;
        this.behind = this.next + this.view.getUint8(found + 1);
        this.from = this.behind;
        return true;
      }
      if ((this.fields & IN_FILE) !== 0) {
        this.fields &= ~IN_FILE;
        this.from = this.at + FILE;
        this.to = this.at + COOKIE;
      } else if ((this.fields & IN_SNAME) !== 0) {
        this.fields = 0;
        this.from = this.at + SNAME;
        this.to = this.at + FILE;
      } else {
        this.from = this.to = this.end;
        return false;
      }
    }
  }
}

/** One for all: nothing is allocated for a message. */
const option = new OptionReader();

/** Offset of option `code` among those from `from` to `end`, -1 if it is not there whole. Its length is at +1, its value at +2. */
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
  return option.start(view, at, end, DhcpOption.MessageType) ? Math.max(option.byte(), 0) : 0;
}

/** Whether option `code` is there, with a value or without. */
export function dhcpHasOption(view: DataView, at: number, end: number, code: number): boolean {
  return option.start(view, at, end, code);
}

/** The first four bytes of the value of option `code`, an IPv4 address or a time, as an unsigned number; -1 if it has no four. */
export function dhcpWordOption(view: DataView, at: number, end: number, code: number): number {
  if (!option.start(view, at, end, code)) return -1;
  let word = 0;
  for (let i = 0; i < 4; i++) {
    const byte = option.byte();
    if (byte < 0) return -1;
    word = word * 256 + byte;
  }
  return word;
}

/** A number made of the value of option `code`, 0 without it; equal values give equal numbers (FNV-1a). */
export function dhcpOptionHash(view: DataView, at: number, end: number, code: number): number {
  if (!option.start(view, at, end, code)) return 0;
  let hash = 0x811c9dc5 | 0;
  for (let byte = option.byte(); byte >= 0; byte = option.byte()) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

/** Link selection, a suboption of option 82 (RFC 3527 section 3). */
const LINK_SELECTION = 5;

/** Whether a message names the subnet to lease from, so that giaddr does not (RFC 3011, RFC 3527). */
export function dhcpSelectsSubnet(view: DataView, at: number, end: number): boolean {
  if (dhcpHasOption(view, at, end, DhcpOption.SubnetSelection)) return true;
  if (!option.start(view, at, end, DhcpOption.RelayAgent)) return false;
  for (;;) {
    const code = option.byte();
    let length = option.byte();
    if (length < 0) return false;
    if (code === LINK_SELECTION) return true;
    for (; length > 0; length--) if (option.byte() < 0) return false;
  }
}

/** The options belong to the message: the layer spans all of it. */
export function decodeDhcp(frame: Frame): Protocol {
  if (frame.limit - frame.cursor < DHCP_HEADER) return frame.short(Protocol.Dhcp);
  frame.push(Protocol.Dhcp, frame.limit);
  return Protocol.None;
}
