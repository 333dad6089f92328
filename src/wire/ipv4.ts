import { type Frame, Status } from './frame.js';
import { protocolOfIp } from './ip-protocols.js';
import { Protocol } from './protocol.js';

/*
 * Internet Protocol, RFC 791 section 3.1:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------+-------+---------------+-------------------------------+
 *   |Version|  IHL  |Type of Service|          Total Length         |
 *   +-------+-------+---------------+-----+-------------------------+
 *   |         Identification        |Flags|      Fragment Offset    |
 *   +---------------+---------------+-----+-------------------------+
 *   |  Time to Live |    Protocol   |         Header Checksum       |
 *   +---------------+---------------+-------------------------------+
 *   |                       Source Address                          |
 *   +---------------------------------------------------------------+
 *   |                    Destination Address                        |
 *   +-----------------------------------------------+---------------+
 *   |                    Options                    |    Padding    |
 *   +-----------------------------------------------+---------------+
 */

const VERSION_IHL = 0;
const TOTAL_LENGTH = 2;
const IDENTIFICATION = 4;
const FLAGS_OFFSET = 6;
const TTL = 8;
const PROTOCOL = 9;
/** Offsets of the addresses; read them with `getInt32`, the form in which IPv4 addresses are compared here. */
export const SOURCE = 12;
export const DESTINATION = 16;
/** Length in bytes without options. */
const IPV4_HEADER = 20;

/** Length of the header with its options, in bytes. */
export function ipv4HeaderLength(view: DataView, at: number): number {
  return (view.getUint8(at + VERSION_IHL) & 0x0f) << 2;
}

/** Length of header and payload in bytes; 0 where segmentation offload or BIG TCP left it to the device. */
export function ipv4TotalLength(view: DataView, at: number): number {
  return view.getUint16(at + TOTAL_LENGTH);
}

export function ipv4Identification(view: DataView, at: number): number {
  return view.getUint16(at + IDENTIFICATION);
}

export function ipv4DontFragment(view: DataView, at: number): boolean {
  return (view.getUint8(at + FLAGS_OFFSET) & 0x40) !== 0;
}

export function ipv4MoreFragments(view: DataView, at: number): boolean {
  return (view.getUint8(at + FLAGS_OFFSET) & 0x20) !== 0;
}

/** Whether the packet is one of several fragments, the first, the last or one between. */
export function ipv4IsFragment(view: DataView, at: number): boolean {
  return (view.getUint16(at + FLAGS_OFFSET) & 0x3fff) !== 0;
}

/** Where the payload lies in the whole datagram, in bytes. */
export function ipv4FragmentOffset(view: DataView, at: number): number {
  return (view.getUint16(at + FLAGS_OFFSET) & 0x1fff) << 3;
}

export function ipv4Ttl(view: DataView, at: number): number {
  return view.getUint8(at + TTL);
}

/** Number of the protocol inside (`IpProtocol`). */
export function ipv4Protocol(view: DataView, at: number): number {
  return view.getUint8(at + PROTOCOL);
}

/** Source address as a signed integer. */
export function ipv4Source(view: DataView, at: number): number {
  return view.getInt32(at + SOURCE);
}

/** Destination address as a signed integer. */
export function ipv4Destination(view: DataView, at: number): number {
  return view.getInt32(at + DESTINATION);
}

export function decodeIpv4(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < IPV4_HEADER) return frame.short(Protocol.Ipv4);
  const first = view.getUint8(at + VERSION_IHL);
  if (first >> 4 !== 4) return frame.fail(Protocol.Ipv4, Status.BadVersion);
  const headerLength = (first & 0x0f) << 2;
  const totalLength = view.getUint16(at + TOTAL_LENGTH);
  if (headerLength < IPV4_HEADER) return frame.fail(Protocol.Ipv4, Status.BadLength);
  if (totalLength !== 0) {
    if (totalLength < headerLength) return frame.fail(Protocol.Ipv4, Status.BadLength);
    frame.narrow(at + totalLength);
  }
  if (frame.limit - at < headerLength) return frame.short(Protocol.Ipv4);
  frame.push(Protocol.Ipv4, at + headerLength);
  if ((view.getUint16(at + FLAGS_OFFSET) & 0x1fff) !== 0) return Protocol.Data;
  return protocolOfIp(view.getUint8(at + PROTOCOL));
}
