import { protocolOfEtherType } from './ethernet.js';
import { Direction, type Frame } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Linux cooked captures. LINUX_SLL, https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html:
 *
 *   +---------------+---------------+
 *   |  packet type  |  ARPHRD_ type |
 *   +---------------+---------------+-------------------------------+---------------+
 *   | address length|                   address (8)                 | protocol type |
 *   +---------------+-----------------------------------------------+---------------+
 *
 * LINUX_SLL2, https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html:
 *
 *   +---------------+---------------+-------------------------------+
 *   | protocol type |   reserved    |        interface index        |
 *   +---------------+-------+-------+-------------------------------+
 *   |  ARPHRD_ type |pkttype|adr len|           address (8)         |
 *   +---------------+-------+-------+-------------------------------+
 */

/** sll_pkttype, from linux/if_packet.h. */
export const PacketType = { Host: 0, Broadcast: 1, Multicast: 2, OtherHost: 3, Outgoing: 4 } as const;

const SLL_PACKET_TYPE = 0;
const SLL_ARPHRD = 2;
const SLL_ADDRESS_LENGTH = 4;
/** Offset of the sender's address in a LINUX_SLL header. */
export const SLL_ADDRESS = 6;
const SLL_PROTOCOL = 14;
const SLL_HEADER = 16;

const SLL2_PROTOCOL = 0;
const SLL2_INTERFACE = 4;
const SLL2_ARPHRD = 8;
const SLL2_PACKET_TYPE = 10;
const SLL2_ADDRESS_LENGTH = 11;
/** Offset of the sender's address in a LINUX_SLL2 header. */
export const SLL2_ADDRESS = 12;
const SLL2_HEADER = 20;

const ARPHRD_NETLINK = 824;
/** Of the loopback device (linux/if_arp.h). */
export const ARPHRD_LOOPBACK = 772;
const ETH_P_802_2 = 4;

/** `PacketType` of a LINUX_SLL header. */
export function sllPacketType(view: DataView, at: number): number {
  return view.getUint16(at + SLL_PACKET_TYPE);
}

/** Bytes of the sender's address that are meaningful: 6 for Ethernet. May exceed the 8 there are. */
export function sllAddressLength(view: DataView, at: number): number {
  return view.getUint16(at + SLL_ADDRESS_LENGTH);
}

/** ARPHRD_ type of the device of a LINUX_SLL2 header. */
export function sll2ArpHardware(view: DataView, at: number): number {
  return view.getUint16(at + SLL2_ARPHRD);
}

/** EtherType, or a number of linux/if_ether.h below 1536. */
export function sllProtocol(view: DataView, at: number): number {
  return view.getUint16(at + SLL_PROTOCOL);
}

/** `PacketType` of a LINUX_SLL2 header. */
export function sll2PacketType(view: DataView, at: number): number {
  return view.getUint8(at + SLL2_PACKET_TYPE);
}

/** Bytes of the sender's address that are meaningful: 6 for Ethernet. May exceed the 8 there are. */
export function sll2AddressLength(view: DataView, at: number): number {
  return view.getUint8(at + SLL2_ADDRESS_LENGTH);
}

/** EtherType, or a number of linux/if_ether.h below 1536. */
export function sll2Protocol(view: DataView, at: number): number {
  return view.getUint16(at + SLL2_PROTOCOL);
}

/** Number of the device in the capturing kernel. */
export function sll2Interface(view: DataView, at: number): number {
  return view.getUint32(at + SLL2_INTERFACE);
}

/** Whether a cooked header says that the frame came in for another machine: a bridge, or a promiscuous device, shows it. */
export function isToOtherHost({ view, kinds, offsets }: Frame): boolean {
  if (kinds[0] === Protocol.Sll2) return sll2PacketType(view, offsets[0]) === PacketType.OtherHost;
  return kinds[0] === Protocol.Sll && sllPacketType(view, offsets[0]) === PacketType.OtherHost;
}

function protocolOfCooked(arphrd: number, protocol: number): Protocol {
  // Of a netlink message the protocol field is the netlink family, no EtherType.
  if (arphrd === ARPHRD_NETLINK) return Protocol.Data;
  return protocol === ETH_P_802_2 ? Protocol.Llc : protocolOfEtherType(protocol);
}

/** What the packet type tells of the direction, unless the capture told it already. */
function setDirection(frame: Frame, packetType: number): void {
  if (frame.direction !== Direction.Unknown) return;
  frame.direction = packetType === PacketType.Outgoing ? Direction.Out : Direction.In;
}

export function decodeSll(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < SLL_HEADER) return frame.short(Protocol.Sll);
  setDirection(frame, sllPacketType(view, at));
  frame.push(Protocol.Sll, at + SLL_HEADER);
  return protocolOfCooked(view.getUint16(at + SLL_ARPHRD), sllProtocol(view, at));
}

export function decodeSll2(frame: Frame): Protocol {
  const { view, cursor: at } = frame;
  if (frame.limit - at < SLL2_HEADER) return frame.short(Protocol.Sll2);
  setDirection(frame, sll2PacketType(view, at));
  frame.deviceIndex = sll2Interface(view, at);
  frame.push(Protocol.Sll2, at + SLL2_HEADER);
  return protocolOfCooked(view.getUint16(at + SLL2_ARPHRD), sll2Protocol(view, at));
}
