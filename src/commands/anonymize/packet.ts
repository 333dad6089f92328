import { type Frame, Status } from '../../wire/frame.js';
import { Protocol } from '../../wire/protocol.js';
import type { AddressMap } from './mapping.js';
import { mapDhcp, mapNdpOptions } from './options.js';
import { updateChecksum } from './sums.js';

/** Header bytes that are kept as they are, addresses apart; nothing else of a frame is. Indexed by protocol. */
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
  const view = new DataView(out.buffer);
  for (let layer = 0; layer < layerCount; layer++) {
    const kind = frame.kinds[layer];
    const at = frame.offsets[layer];
    const to = frame.statuses[layer] === Status.Ok ? frame.ends[layer] : frame.limits[layer];
    const kept = KEPT_WHOLE.has(kind) ? to - at : Math.min(to - at, KEPT_FIRST[kind] ?? 0);
    out.set(frame.bytes.subarray(at, at + kept), at - start);
    mapHeader(kind, frame, layer, out, view, at - start, to - start, map);
    if (layer === layerCount - 1) standIn(frame, to, out, map);
  }
  for (let layer = layerCount - 1; layer >= 0; layer--) updateChecksum(frame, layer, out);
  return out;
}

function mapHeader(
  kind: number,
  frame: Frame,
  layer: number,
  out: Uint8Array,
  view: DataView,
  at: number,
  to: number,
  map: AddressMap,
): void {
  const mac = (from: number) => put(out, from, 6, to, (each) => map.mac(each));
  const v4 = (from: number) => put(out, from, 4, to, (each) => map.ipv4(each));
  const v6 = (from: number) => put(out, from, 16, to, (each) => map.ipv6(each));
  switch (kind) {
    case Protocol.Ethernet:
      mac(at);
      mac(at + 6);
      break;
    case Protocol.Sll:
      mac(at + 6);
      break;
    case Protocol.Sll2:
      mac(at + 12);
      break;
    case Protocol.Arp:
      if (to - at < 28 || view.getUint16(at + 4) !== 0x0604) {
        out.fill(0, Math.min(to, at + 8), to);
        break;
      }
      mac(at + 8);
      v4(at + 14);
      mac(at + 18);
      v4(at + 24);
      break;
    case Protocol.Ipv4:
      // Options may record addresses: no operation (RFC 791 section 3.1) instead.
      out.fill(1, Math.min(to, at + IPV4_HEADER), to);
      v4(at + 12);
      v4(at + 16);
      break;
    case Protocol.Ipv6:
      v6(at + 8);
      v6(at + 24);
      break;
    case Protocol.Icmp:
      if (out[at] === ICMP_REDIRECT) v4(at + 4);
      break;
    case Protocol.Icmpv6:
      mapNdpOptions(frame, layer, out, at, Math.min(to, out.length), map);
      break;
    case Protocol.Dhcp:
      mapDhcp(frame.bytes.subarray(frame.start), out, at, to, map);
      break;
    case Protocol.Stp:
      mac(at + 7);
      mac(at + 19);
      break;
    case Protocol.Lacp:
      out.fill(0, Math.min(to, at + 50), to);
      mac(at + 6);
      mac(at + 26);
      break;
    case Protocol.Igmp:
      out.fill(0, Math.min(to, at + 8), to);
      break;
    default:
  }
}

/** Replaces an address, if it is there whole; one that is cut is left out. */
function put(out: Uint8Array, at: number, length: number, to: number, map: (bytes: Uint8Array) => Uint8Array): void {
  if (at + length <= Math.min(to, out.length)) out.set(map(out.slice(at, at + length)), at);
  else if (at < out.length) out.fill(0, at, Math.min(to, out.length));
}

/** What stands behind the last header is left out; only that two payloads are equal stays visible. */
function standIn(frame: Frame, to: number, out: Uint8Array, map: AddressMap): void {
  const isData = frame.kinds[frame.layerCount - 1] === Protocol.Data;
  const from = isData ? frame.offsets[frame.layerCount - 1] : to;
  const payload = frame.bytes.subarray(from, Math.min(frame.end, frame.limits[frame.layerCount - 1]));
  if (payload.length === 0 || payload.every((byte) => byte === 0)) return;
  out.set(map.hash(payload, Math.min(STAND_IN, payload.length)), from - frame.start);
}
