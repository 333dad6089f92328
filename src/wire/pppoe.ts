import { type Frame, Status } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * PPP over Ethernet, RFC 2516 section 4; a session's payload begins with PPP's protocol, RFC 1661 section 2:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------+-------+---------------+-------------------------------+
 *   |  VER  | TYPE  |     CODE      |          SESSION_ID           |
 *   +-------+-------+---------------+-------------------------------+
 *   |            LENGTH             |     PPP protocol (code 0)     |
 *   +-------------------------------+-------------------------------+
 */

const VERSION_TYPE = 0;
const CODE = 1;
const SESSION_ID = 2;
const LENGTH = 4;
const PPP_PROTOCOL = 6;
const DISCOVERY_HEADER = 6;
const SESSION_HEADER = 8;

const SESSION_CODE = 0;
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
const PPP_MPLS = 0x0281;

/** 0 in a session; what a discovery packet is otherwise (0x09 PADI, 0x07 PADO, 0x19 PADR, 0x65 PADS, 0xa7 PADT). */
export function pppoeCode(view: DataView, at: number): number {
  return view.getUint8(at + CODE);
}

export function pppoeSession(view: DataView, at: number): number {
  return view.getUint16(at + SESSION_ID);
}

/** PPP protocol number of a session packet. */
export function pppProtocol(view: DataView, at: number): number {
  return view.getUint16(at + PPP_PROTOCOL);
}

function protocolOfPpp(number: number): Protocol {
  switch (number) {
    case PPP_IPV4:
      return Protocol.Ipv4;
    case PPP_IPV6:
      return Protocol.Ipv6;
    case PPP_MPLS:
      return Protocol.Mpls;
    default:
      return Protocol.Data;
  }
}

export function decodePppoe(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < DISCOVERY_HEADER) return frame.short(Protocol.Pppoe);
  if (view.getUint8(at + VERSION_TYPE) !== 0x11) return frame.fail(Protocol.Pppoe, Status.BadVersion);
  frame.narrow(at + DISCOVERY_HEADER + view.getUint16(at + LENGTH));
  if (pppoeCode(view, at) !== SESSION_CODE) {
    // Tags belong to the message: the layer spans all of it.
    frame.push(Protocol.Pppoe, frame.limit);
    return Protocol.None;
  }
  if (frame.limit - at < SESSION_HEADER) return frame.short(Protocol.Pppoe);
  frame.push(Protocol.Pppoe, at + SESSION_HEADER);
  return protocolOfPpp(pppProtocol(view, at));
}
