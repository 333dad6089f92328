import { protocolOfEtherType } from './ethernet.js';
import { type Frame, MAX_TUNNELS, Status } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Generic Network Virtualization Encapsulation, RFC 8926 section 3.4:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---+-----------+-+-+-----------+-------------------------------+
 *   |Ver|  Opt Len  |O|C|    Rsvd.  |          Protocol Type        |
 *   +---+-----------+-+-+-----------+---------------+---------------+
 *   |        Virtual Network Identifier (VNI)       |    Reserved   |
 *   +-----------------------------------------------+---------------+
 *   |                    Variable-Length Options                    |
 *   +---------------------------------------------------------------+
 */

const VERSION_LENGTH = 0;
const PROTOCOL_TYPE = 2;
const VNI = 4;
/** Length in bytes without options. */
const GENEVE_HEADER = 8;

/** EtherType of the payload, 0x6558 for Ethernet. */
export function geneveProtocolType(view: DataView, at: number): number {
  return view.getUint16(at + PROTOCOL_TYPE);
}

/** Virtual network identifier, 24 bits. */
export function geneveVni(view: DataView, at: number): number {
  return view.getUint32(at + VNI) >>> 8;
}

export function decodeGeneve(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < GENEVE_HEADER) return frame.short(Protocol.Geneve);
  const first = view.getUint8(at + VERSION_LENGTH);
  if (first >> 6 !== 0) return frame.fail(Protocol.Geneve, Status.BadVersion);
  const length = GENEVE_HEADER + ((first & 0x3f) << 2);
  if (frame.limit - at < length) return frame.short(Protocol.Geneve);
  if (++frame.tunnels > MAX_TUNNELS) return frame.fail(Protocol.Geneve, Status.TooDeep);
  frame.push(Protocol.Geneve, at + length);
  return protocolOfEtherType(geneveProtocolType(view, at));
}
