import { type Frame, Status } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Transmission Control Protocol, RFC 9293 section 3.1:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------------------------------+-------------------------------+
 *   |          Source Port          |       Destination Port        |
 *   +-------------------------------+-------------------------------+
 *   |                        Sequence Number                        |
 *   +---------------------------------------------------------------+
 *   |                    Acknowledgment Number                      |
 *   +-------+-------+---------------+-------------------------------+
 *   |DOffset|Rsrvd|A|C|E|U|A|P|R|S|F|            Window             |
 *   +-------+-------+---------------+-------------------------------+
 *   |           Checksum            |         Urgent Pointer        |
 *   +-------------------------------+-------------------------------+
 *   |                           Options                             |
 *   +---------------------------------------------------------------+
 */

/** Bits of `tcpFlags`. */
export const TcpFlag = { Fin: 1, Syn: 2, Rst: 4, Psh: 8, Ack: 16, Urg: 32, Ece: 64, Cwr: 128, Ae: 256 } as const;

const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
const SEQUENCE = 4;
const ACKNOWLEDGMENT = 8;
const OFFSET_FLAGS = 12;
const WINDOW = 14;
/** Length in bytes without options. */
const TCP_HEADER = 20;

export function tcpSourcePort(view: DataView, at: number): number {
  return view.getUint16(at + SOURCE_PORT);
}

export function tcpDestinationPort(view: DataView, at: number): number {
  return view.getUint16(at + DESTINATION_PORT);
}

export function tcpSequence(view: DataView, at: number): number {
  return view.getUint32(at + SEQUENCE);
}

export function tcpAcknowledgment(view: DataView, at: number): number {
  return view.getUint32(at + ACKNOWLEDGMENT);
}

/** The twelve bits behind the data offset: `TcpFlag`s and three reserved bits. */
export function tcpFlags(view: DataView, at: number): number {
  return view.getUint16(at + OFFSET_FLAGS) & 0x0fff;
}

/** Receive window as sent, before any scaling that the handshake agreed. */
export function tcpWindow(view: DataView, at: number): number {
  return view.getUint16(at + WINDOW);
}

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_SACK = 5;

/** Maximum segment size in bytes that the options tell (RFC 9293 section 3.7.1), 0 where they do not; `end` is the end of the header. */
export function tcpMss(view: DataView, at: number, end: number): number {
  const option = optionOf(view, at, end, OPTION_MSS);
  return option !== 0 && view.getUint8(option + 1) === 4 ? view.getUint16(option + 2) : 0;
}

/** Offset of the first block (left edge, right edge, 4 bytes each) of selective acknowledgments (RFC 2018 section 3), 0 if there is none. */
export function tcpSack(view: DataView, at: number, end: number): number {
  const option = optionOf(view, at, end, OPTION_SACK);
  return option !== 0 && view.getUint8(option + 1) >= 10 ? option + 2 : 0;
}

/** Where an option begins, 0 if it is not there or the options contradict themselves. */
function optionOf(view: DataView, at: number, end: number, wanted: number): number {
  let option = at + TCP_HEADER;
  while (option < end) {
    const kind = view.getUint8(option);
    if (kind === OPTION_END) return 0;
    if (kind === OPTION_NOP) {
      option++;
      continue;
    }
    const length = option + 1 < end ? view.getUint8(option + 1) : 0;
    if (length < 2 || option + length > end) return 0;
    if (kind === wanted) return option;
    option += length;
  }
  return 0;
}

export function decodeTcp(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < TCP_HEADER) return frame.short(Protocol.Tcp);
  const length = (frame.view.getUint8(at + OFFSET_FLAGS) >> 4) << 2;
  if (length < TCP_HEADER) return frame.fail(Protocol.Tcp, Status.BadLength);
  if (frame.limit - at < length) return frame.short(Protocol.Tcp);
  frame.push(Protocol.Tcp, at + length);
  return Protocol.Data;
}
