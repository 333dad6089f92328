import { type Frame, MAX_LAYERS, MAX_TUNNELS } from './frame.js';
import { Protocol } from './protocol.js';

const { None, Ethernet, Vlan, Arp, Ipv4, Ipv6, Icmp, Icmpv6, Udp, Tcp, Vxlan, Data } = Protocol;

/** Lengths of headers in bytes. */
const ETHERNET_HEADER = 14;
const VLAN_HEADER = 4;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
const TCP_HEADER = 20;
const VXLAN_HEADER = 8;

/** Headers that a turn of `decodeUsual` records at most, besides VLAN tags. */
const TURN = 4;

/**
 * Decodes the headers that most packets have, as long as nothing about them is out of the ordinary: Ethernet, VLAN tags,
 * IPv4 without options and fragments, IPv6, UDP, TCP, VXLAN, data. Returns what follows: the first header that is
 * anything else is left to its decoder, untouched. Records what the decoders of these protocols record
 * (`test/wire/mutations.test.ts`), in one function, which hands nothing on through the frame, and takes headers in the
 * order in which they come rather than ask of each what it is.
 */
export function decodeUsual(frame: Frame, first: Protocol): Protocol {
  const { view } = frame;
  let next = first;
  let layer = 0;
  // `| 0` spares V8 checks for overflow: offsets are far below 2 to the power of 31.
  let at = frame.cursor | 0;
  let { limit, wireLimit } = frame;
  let tunnels = 0;
  let protocols = 0;
  // A turn for each Ethernet header: VXLAN leads to the next.
  while (next === Ethernet && layer <= MAX_LAYERS - TURN) {
    // Where the header ends, where the packet does by its own length field, and what is inside.
    let end = (at + ETHERNET_HEADER) | 0;
    let stop: number;
    if (end > limit) break;
    let inside = protocolOfUsualType(view.getUint16((end - 2) | 0));
    if (inside === None) break;
    record(frame, layer++, Ethernet, at, end, limit);
    protocols |= 1 << Ethernet;
    at = end;
    next = inside;
    while (next === Vlan && layer <= MAX_LAYERS - TURN) {
      end = (at + VLAN_HEADER) | 0;
      if (end > limit) break;
      inside = protocolOfUsualType(view.getUint16((end - 2) | 0));
      if (inside === None) break;
      record(frame, layer++, Vlan, at, end, limit);
      protocols |= 1 << Vlan;
      at = end;
      next = inside;
    }
    if (next === Ipv4) {
      end = (at + IPV4_HEADER) | 0;
      // Version 4, and five words: no options.
      if (end > limit || view.getUint8(at) !== 0x45) break;
      stop = (at + view.getUint16((at + 2) | 0)) | 0;
      if (stop < end || (view.getUint16((at + 6) | 0) & 0x1fff) !== 0) break;
      inside = protocolOfUsualIp(view.getUint8((at + 9) | 0));
    } else if (next === Ipv6) {
      end = (at + IPV6_HEADER) | 0;
      if (end > limit || view.getUint8(at) >> 4 !== 6) break;
      stop = (end + view.getUint16((at + 4) | 0)) | 0;
      if (stop === end) break;
      inside = protocolOfUsualIp(view.getUint8((at + 6) | 0));
    } else break;
    if (inside === None) break;
    if (stop < wireLimit) wireLimit = stop;
    if (stop < limit) limit = stop;
    record(frame, layer++, next, at, end, limit);
    protocols |= 1 << next;
    at = end;
    next = inside;
    if (next === Udp) {
      end = (at + UDP_HEADER) | 0;
      if (end > limit) break;
      stop = (at + view.getUint16((at + 4) | 0)) | 0;
      if (stop < end) break;
      inside = end < limit && end < stop ? protocolOfPorts(frame.udpPorts, view.getInt32(at)) : None;
      if (stop < wireLimit) wireLimit = stop;
      if (stop < limit) limit = stop;
    } else if (next === Tcp) {
      if (at + TCP_HEADER > limit) break;
      end = (at + ((view.getUint8((at + 12) | 0) >> 4) << 2)) | 0;
      if (end < at + TCP_HEADER || end > limit) break;
      inside = end < limit ? Data : None;
    } else break;
    record(frame, layer++, next, at, end, limit);
    protocols |= 1 << next;
    at = end;
    next = inside;
    if (next === Data) {
      record(frame, layer++, Data, at, limit, limit);
      protocols |= 1 << Data;
      at = limit;
      next = None;
    } else if (next === Vxlan) {
      end = (at + VXLAN_HEADER) | 0;
      if (end > limit || tunnels === MAX_TUNNELS) break;
      tunnels++;
      record(frame, layer++, Vxlan, at, end, limit);
      protocols |= 1 << Vxlan;
      at = end;
      next = Ethernet;
    }
  }
  frame.layerCount = layer;
  frame.readable = layer;
  frame.protocols = protocols;
  frame.cursor = at;
  frame.limit = limit;
  frame.wireLimit = wireLimit;
  frame.tunnels = tunnels;
  return next;
}

function record(
  { kinds, offsets, ends, limits }: Frame,
  layer: number,
  kind: Protocol,
  at: number,
  end: number,
  limit: number,
): void {
  kinds[layer] = kind;
  offsets[layer] = at;
  ends[layer] = end;
  limits[layer] = limit;
}

function protocolOfUsualType(type: number): Protocol {
  if (type === 0x0800) return Ipv4;
  if (type === 0x86dd) return Ipv6;
  if (type === 0x8100 || type === 0x88a8) return Vlan;
  return type === 0x0806 ? Arp : None;
}

/** For IPv4 and IPv6: neither minds the other's ICMP. */
function protocolOfUsualIp(number: number): Protocol {
  if (number === 17) return Udp;
  if (number === 6) return Tcp;
  if (number === 1) return Icmp;
  return number === 58 ? Icmpv6 : None;
}

/** What is in a UDP packet whose header begins with `ports`, source and destination. */
function protocolOfPorts(known: Uint8Array, ports: number): Protocol {
  return (known[ports & 0xffff] || known[ports >>> 16] || Data) as Protocol;
}
