import { type Frame, Status } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import type { AddressMap } from './mapping.js';
import { mapDhcp, mapNdpOptions } from './options.js';
import { updateChecksum } from './sums.js';

/** Protocols whose header bytes are kept as they are, addresses apart; nothing else of a frame is. */
const KEPT_WHOLE: ReadonlySet<number> = new Set([
  Protocol.Ethernet,
  Protocol.Sll,
  Protocol.Sll2,
  Protocol.Null,
  Protocol.Loop,
  Protocol.Vlan,
  Protocol.Llc,
  Protocol.Arp,
  Protocol.Ipv4,
  Protocol.Ipv6,
  Protocol.Icmp,
  Protocol.Udp,
  Protocol.Tcp,
  Protocol.Vxlan,
  Protocol.Gre,
  Protocol.Erspan,
  Protocol.Stp,
  Protocol.Lacp,
  Protocol.Igmp,
  Protocol.Mpls,
  Protocol.Pppoe,
  Protocol.Icmpv6,
]);
/** Bytes kept of protocols whose rest may hold addresses or names. */
const KEPT_FIRST: Readonly<Record<number, number>> = {
  [Protocol.Geneve]: 8,
  [Protocol.Ipv6Extension]: 8,
  [Protocol.Dhcpv6]: 4,
  [Protocol.Vrrp]: 8,
  [Protocol.Cdp]: 4,
};
const IPV4_HEADER = 20;
const ICMP_REDIRECT = 5;
/** Bytes that stand for a payload: equal for equal payloads. */
const STAND_IN = 8;

/**
 * A decoded frame with all addresses mapped and everything left out that is not known to be harmless: payloads,
 * options with names, what could not be decoded. Lengths stay; checksums that were right are right again, wrong
 * ones are as wrong as they were.
 */
export function anonymizedFrame(frame: Frame, map: AddressMap): Uint8Array {
  const { start, end, layerCount } = frame;
  const out = new Uint8Array(end - start);
  for (let layer = 0; layer < layerCount; layer++) {
    const kind = frame.kinds[layer];
    const at = frame.offsets[layer];
    const to = frame.statuses[layer] === Status.Ok ? frame.ends[layer] : frame.limits[layer];
    const kept = KEPT_WHOLE.has(kind) ? to - at : Math.min(to - at, KEPT_FIRST[kind] ?? 0);
    out.set(frame.bytes.subarray(at, at + kept), at - start);
    mapHeader(frame, layer, { bytes: out, at: at - start, to: to - start }, map);
    if (layer === layerCount - 1) standIn(frame, to, out, map);
  }
  for (let layer = layerCount - 1; layer >= 0; layer--) updateChecksum(frame, layer, out);
  return out;
}

/** A header in a frame that is being anonymized: its first byte, and the first behind it. */
interface Header {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly to: number;
}

/** Where addresses stand in a header of fixed form, from its begin. */
interface Addresses {
  readonly mac?: readonly number[];
  readonly ipv4?: readonly number[];
  readonly ipv6?: readonly number[];
}

const ADDRESSES: Readonly<Record<number, Addresses>> = {
  [Protocol.Ethernet]: { mac: [0, 6] },
  [Protocol.Sll]: { mac: [6] },
  [Protocol.Sll2]: { mac: [12] },
  [Protocol.Ipv4]: { ipv4: [12, 16] },
  [Protocol.Ipv6]: { ipv6: [8, 24] },
  [Protocol.Stp]: { mac: [7, 19] },
  [Protocol.Lacp]: { mac: [6, 26] },
};
const ARP_ADDRESSES: Addresses = { mac: [8, 18], ipv4: [14, 24] };
const REDIRECT_ADDRESSES: Addresses = { ipv4: [4] };
/** Lengths of the addresses and the first byte of the operation: Ethernet and IPv4 (RFC 826). */
const ETHERNET_IPV4 = 0x0604;
const ARP_LENGTH = 28;

function mapHeader(frame: Frame, layer: number, header: Header, map: AddressMap): void {
  const { bytes, at, to } = header;
  const kind = frame.kinds[layer];
  switch (kind) {
    case Protocol.Arp: {
      const isKnown = to - at >= ARP_LENGTH && ((bytes[at + 4] << 8) | bytes[at + 5]) === ETHERNET_IPV4;
      if (isKnown) mapAddresses(header, ARP_ADDRESSES, map);
      else blank(header, 8, 0);
      break;
    }
    case Protocol.Ipv4:
      // Options may record addresses: no operation (RFC 791 section 3.1) instead.
      blank(header, IPV4_HEADER, 1);
      break;
    case Protocol.Icmp:
      if (bytes[at] === ICMP_REDIRECT) mapAddresses(header, REDIRECT_ADDRESSES, map);
      break;
    case Protocol.Icmpv6:
      mapNdpOptions(frame, layer, bytes, at, Math.min(to, bytes.length), map);
      break;
    case Protocol.Dhcp:
      mapDhcp(frame.bytes.subarray(frame.start), bytes, at, to, map);
      break;
    case Protocol.Lacp:
      blank(header, 50, 0);
      break;
    case Protocol.Igmp:
      blank(header, 8, 0);
      break;
    default:
  }
  mapAddresses(header, ADDRESSES[kind] ?? {}, map);
}

/** Overwrites a header from an offset on. */
function blank({ bytes, at, to }: Header, from: number, value: number): void {
  bytes.fill(value, Math.min(to, at + from), to);
}

function mapAddresses(header: Header, { mac = [], ipv4 = [], ipv6 = [] }: Addresses, map: AddressMap): void {
  for (const offset of mac) put(header, offset, 6, (address) => map.mac(address));
  for (const offset of ipv4) put(header, offset, 4, (address) => map.ipv4(address));
  for (const offset of ipv6) put(header, offset, 16, (address) => map.ipv6(address));
}

/** Replaces an address, if it is there whole; one that is cut is left out. */
function put(
  { bytes, at, to }: Header,
  offset: number,
  length: number,
  map: (address: Uint8Array) => Uint8Array,
): void {
  const [from, end] = [at + offset, Math.min(to, bytes.length)];
  if (from + length <= end) bytes.set(map(bytes.slice(from, from + length)), from);
  else if (from < bytes.length) bytes.fill(0, from, end);
}

/** What stands behind the last header is left out; only that two payloads are equal stays visible. */
function standIn(frame: Frame, to: number, out: Uint8Array, map: AddressMap): void {
  const isData = frame.kinds[frame.layerCount - 1] === Protocol.Data;
  const from = isData ? frame.offsets[frame.layerCount - 1] : to;
  const payload = frame.bytes.subarray(from, Math.min(frame.end, frame.limits[frame.layerCount - 1]));
  if (payload.length === 0 || payload.every((byte) => byte === 0)) return;
  out.set(map.hash(payload, Math.min(STAND_IN, payload.length)), from - frame.start);
}
