import type { Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * DHCP for IPv6, RFC 8415 section 8; relays (types 12, 13) carry hop count and addresses instead, section 9:
 *
 *   +---------------+-----------------------------------------------+
 *   |    msg-type   |               transaction-id                  |
 *   +---------------+-----------------------------------------------+
 *   |                        options …                              |
 *   +---------------------------------------------------------------+
 */

const MSG_TYPE = 0;
const RELAY_FORWARD = 12;
const RELAY_REPLY = 13;
const MIN_LENGTH = 4;

export function dhcpv6MessageType(view: DataView, at: number): number {
  return view.getUint8(at + MSG_TYPE);
}

/** Whether the message at `at` has a transaction id: all but those between relays. */
export function dhcpv6HasTransactionId(view: DataView, at: number): boolean {
  const type = dhcpv6MessageType(view, at);
  return type !== RELAY_FORWARD && type !== RELAY_REPLY;
}

/** Transaction id, 24 bits. */
export function dhcpv6TransactionId(view: DataView, at: number): number {
  return view.getUint32(at + MSG_TYPE) & 0xffffff;
}

/** The options belong to the message: the layer spans all of it. */
export function decodeDhcpv6(frame: Frame): Protocol {
  if (frame.limit - frame.cursor < MIN_LENGTH) return frame.short(Protocol.Dhcpv6);
  frame.push(Protocol.Dhcpv6, frame.limit);
  return Protocol.None;
}
