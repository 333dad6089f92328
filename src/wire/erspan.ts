import { type Frame, Status } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Encapsulated remote switch port analyzer, draft-foschiano-erspan-03: mirrored frames inside GRE. Type II (GRE protocol 0x88be
 * with a sequence number; without one it is type I, which has no header), section 4.2:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------+-----------------------+-----+---+-+-------------------+
 *   |  Ver  |         VLAN          | COS |En |T|    Session ID     |
 *   +-------+-----------------------+-----+---+-+-------------------+
 *   |       Reserved        |                 Index                 |
 *   +-----------------------+---------------------------------------+
 *
 * Type III (GRE protocol 0x22eb), section 4.3, has 12 bytes, and 8 more if the last bit (O) is set. Its frame type says what is
 * mirrored: Ethernet (0) or IP (2).
 */

const SESSION = 2;
const TYPE_2_VERSION = 1;
const TYPE_3_VERSION = 2;
const TYPE_2_HEADER = 8;
const TYPE_3_HEADER = 12;
const TYPE_3_FRAME_TYPE = 10;
const TYPE_3_FLAGS = 11;
const SUBHEADER = 8;
const FRAME_ETHERNET = 0;
const FRAME_IP = 2;

/** Number of the mirror session, 0 to 1023. */
export function erspanSession(view: DataView, at: number): number {
  return view.getUint16(at + SESSION) & 0x3ff;
}

/** VLAN of the mirrored frame where its tag was taken off, else 0. */
export function erspanVlan(view: DataView, at: number): number {
  return view.getUint16(at) & 0x0fff;
}

/** 1 for type II, 2 for type III. */
function erspanVersion(view: DataView, at: number): number {
  return view.getUint8(at) >> 4;
}

export function decodeErspan(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < TYPE_2_HEADER) return frame.short(Protocol.Erspan);
  const version = erspanVersion(view, at);
  if (version === TYPE_2_VERSION) {
    frame.push(Protocol.Erspan, at + TYPE_2_HEADER);
    return Protocol.Ethernet;
  }
  if (version !== TYPE_3_VERSION) return frame.fail(Protocol.Erspan, Status.BadVersion);
  if (frame.limit - at < TYPE_3_HEADER) return frame.short(Protocol.Erspan);
  const length = TYPE_3_HEADER + (view.getUint8(at + TYPE_3_FLAGS) & 1) * SUBHEADER;
  if (frame.limit - at < length) return frame.short(Protocol.Erspan);
  const type = (view.getUint8(at + TYPE_3_FRAME_TYPE) >> 2) & 0x1f;
  frame.push(Protocol.Erspan, at + length);
  if (type === FRAME_ETHERNET) return Protocol.Ethernet;
  return type === FRAME_IP ? Protocol.RawIp : Protocol.Data;
}
