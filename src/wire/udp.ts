import { type Frame, Status } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * User Datagram Protocol, RFC 768:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------------------------------+-------------------------------+
 *   |          Source Port          |        Destination Port       |
 *   +-------------------------------+-------------------------------+
 *   |             Length            |            Checksum           |
 *   +-------------------------------+-------------------------------+
 */

const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
const LENGTH = 4;
const UDP_HEADER = 8;

/** Port of DNS servers (RFC 1035 section 4.2.1). */
export const DNS = 53;

export function udpSourcePort(view: DataView, at: number): number {
  return view.getUint16(at + SOURCE_PORT);
}

export function udpDestinationPort(view: DataView, at: number): number {
  return view.getUint16(at + DESTINATION_PORT);
}

/** Length of header and payload in bytes; 0 in jumbograms (RFC 2675 section 4). */
export function udpLength(view: DataView, at: number): number {
  return view.getUint16(at + LENGTH);
}

export function decodeUdp(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < UDP_HEADER) return frame.short(Protocol.Udp);
  const length = view.getUint16(at + LENGTH);
  if (length !== 0) {
    if (length < UDP_HEADER) return frame.fail(Protocol.Udp, Status.BadLength);
    frame.narrow(at + length);
  }
  frame.push(Protocol.Udp, at + UDP_HEADER);
  if (frame.cursor === frame.limit) return Protocol.None;
  const ports = frame.udpPorts;
  const known = ports[view.getUint16(at + DESTINATION_PORT)] || ports[view.getUint16(at + SOURCE_PORT)];
  return (known || Protocol.Data) as Protocol;
}
