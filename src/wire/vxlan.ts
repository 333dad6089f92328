import { type Frame, MAX_TUNNELS, Status } from './frame.js';
import { Protocol } from './protocol.js';

/*
 * Virtual eXtensible LAN, RFC 7348 section 5:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-----------------------------------------------+
 *   |R|R|R|R|I|R|R|R|                   Reserved                    |
 *   +-+-+-+-+-+-+-+-+-------------------------------+---------------+
 *   |      VXLAN Network Identifier (VNI)           |   Reserved    |
 *   +-----------------------------------------------+---------------+
 *
 * Extensions use reserved bits: group based policy (draft-smith-vxlan-group-policy) G = 0x80 in the first
 * byte and a policy id in the third and fourth; generic protocol (draft-ietf-nvo3-vxlan-gpe) P = 0x04.
 * RFC 7348 has receivers ignore reserved bits: they are reported and the inner frame is decoded.
 */

const FLAGS = 0;
const GROUP_POLICY = 2;
const VNI = 4;
const VXLAN_HEADER = 8;

const I_FLAG = 0x08;
const GBP_FLAG = 0x80;

/** The first byte, with I (0x08) and reserved bits. */
export function vxlanFlags(view: DataView, at: number): number {
  return view.getUint8(at + FLAGS);
}

/** VXLAN network identifier, 24 bits. Valid by RFC 7348 only with the I flag. */
export function vxlanVni(view: DataView, at: number): number {
  return view.getUint32(at + VNI) >>> 8;
}

/** Whether any bit is set that RFC 7348 reserves; those of the extensions are among them. */
export function vxlanHasReserved(view: DataView, at: number): boolean {
  return (view.getUint32(at + FLAGS) & ~(I_FLAG << 24)) !== 0 || view.getUint8(at + VNI + 3) !== 0;
}

/** Group policy id, -1 without the group based policy extension. */
export function vxlanGroupPolicy(view: DataView, at: number): number {
  return (view.getUint8(at + FLAGS) & GBP_FLAG) !== 0 ? view.getUint16(at + GROUP_POLICY) : -1;
}

/** EtherTypes that what is inside usually begins with: IPv4, ARP, VLAN, IPv6. */
const USUAL_ETHER_TYPES: readonly number[] = [0x0800, 0x0806, 0x8100, 0x86dd];
const ETHERNET_HEADER = 14;

/**
 * Whether the bytes from `at` to `end` have the shape of VXLAN: exactly the I flag, all reserved bits 0, and behind it
 * an Ethernet header with a unicast source and a usual EtherType. For ports that nobody said carry VXLAN.
 */
export function looksLikeVxlan(view: DataView, at: number, end: number): boolean {
  if (end - at < VXLAN_HEADER + ETHERNET_HEADER) return false;
  if (view.getUint32(at) !== I_FLAG << 24 || view.getUint8(at + VNI + 3) !== 0) return false;
  const inner = at + VXLAN_HEADER;
  return (view.getUint8(inner + 6) & 1) === 0 && beginsLikeEthernet(view, inner, end);
}

/** Whether the bytes from `at` to `end` begin with an Ethernet header that has a usual EtherType. */
export function beginsLikeEthernet(view: DataView, at: number, end: number): boolean {
  return end - at >= ETHERNET_HEADER && USUAL_ETHER_TYPES.includes(view.getUint16(at + 12));
}

export function decodeVxlan(frame: Frame): Protocol {
  const at = frame.cursor;
  if (frame.limit - at < VXLAN_HEADER) return frame.short(Protocol.Vxlan);
  if (++frame.tunnels > MAX_TUNNELS) return frame.fail(Protocol.Vxlan, Status.TooDeep);
  frame.push(Protocol.Vxlan, at + VXLAN_HEADER);
  return Protocol.Ethernet;
}
