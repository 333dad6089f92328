import { type Frame, MAX_LAYERS } from '../wire/frame.js';
import { icmpCode, icmpMtu, icmpType, isFragmentationNeeded } from '../wire/icmp.js';
import { icmpv6Code, icmpv6Mtu, icmpv6Type } from '../wire/icmpv6.js';
import { ipv4Destination, ipv4MoreFragments, ipv4Source } from '../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE } from '../wire/ipv6.js';
import { extensionMoreFragments, isFragmentHeader } from '../wire/ipv6-extension.js';
import { Protocol } from '../wire/protocol.js';
import { udpDestinationPort, udpSourcePort } from '../wire/udp.js';
import { vlanId } from '../wire/vlan.js';
import { looksLikeVxlan, vxlanVni } from '../wire/vxlan.js';
import type { Addresses } from './addresses.js';
import { errorKind, type TunnelErrors } from './tunnel-errors.js';
import type { TunnelStations } from './tunnel-stations.js';
import { Flaw, type Tunnels } from './tunnels.js';

const I_FLAG = 0x08000000;
const GBP_FLAG = 0x80000000;
const GPE_FLAG = 0x04000000;
/** Don't learn, policy applied, policy id (draft-smith-vxlan-group-policy section 2.1). */
const GBP_FIELDS = 0x0048ffff;
/** Version, B and O flags, next protocol (draft-ietf-nvo3-vxlan-gpe section 3). */
const GPE_FIELDS = 0x330000ff;
/** Ports below are of well-known services (RFC 6335 section 6). */
const FIRST_USER_PORT = 1024;
/** ICMPv6: packet too big (RFC 4443 section 3.2). */
const PACKET_TOO_BIG = 2;

/** Reads VXLAN headers, and ICMP errors that quote them, into the tables of tunnels. */
export class TunnelReader {
  constructor(
    private readonly addresses: Addresses,
    private readonly tunnels: Tunnels,
    private readonly stations: TunnelStations,
    private readonly errors: TunnelErrors,
  ) {}

  /** A VXLAN header at `layer`, in `segment`, that carries the segment `inner`. */
  vxlan(frame: Frame, layer: number, count: number, segment: number, inner: number): void {
    const { view } = frame;
    const udp = layer - 1;
    const ip = ipLayerBefore(frame, udp);
    if (ip < 0 || inner < 0) return;
    const port = udpDestinationPort(view, frame.offsets[udp]);
    // A program may have the port by accident as source; only what is sent to it is VXLAN.
    if (frame.udpPorts[port] !== Protocol.Vxlan) return;
    const at = frame.offsets[layer];
    const ethernet = layer + 1;
    const flaws = headerFlaws(view, at) | innerFlaws(frame, ethernet, count);
    // A server answers a client that has the port by accident: tunnels begin at high ports (RFC 7348 section 5).
    const isForeign = (flaws & (Flaw.NoVni | Flaw.NotEthernet)) !== 0;
    if (isForeign && udpSourcePort(view, frame.offsets[udp]) < FIRST_USER_PORT) return;
    const row = this.row(frame, layer, ip, segment, inner, port);
    if (isFirstFragment(frame, ip, udp)) this.tunnels.fragmented(row, frame, ip);
    if (flaws !== 0) this.tunnels.flawed(row, flaws, frame, layer);
    if (ethernet >= count || frame.kinds[ethernet] !== Protocol.Ethernet || (flaws & Flaw.NotEthernet) !== 0) return;
    const start = frame.offsets[ethernet];
    const hiTo = view.getUint16(start);
    const loTo = view.getInt32(start + 2);
    const hi = view.getUint16(start + 6);
    const lo = view.getInt32(start + 8);
    const isGroup = (hiTo & 0x100) !== 0;
    this.tunnels.inside(row, hi, lo, isGroup);
    const from = this.tunnels.source(row);
    this.stations.heard(inner, hi, lo, from, frame.time, frame.number);
    if (!isGroup) {
      const length = frame.ends[ethernet] - start;
      const { time, number } = frame;
      const to = this.tunnels.destination(row);
      const wrong = this.stations.sentTo(inner, hiTo, loTo, from, to, time, number, start - frame.start, length);
      if (wrong >= 0 && ethernet + 1 < count && frame.kinds[ethernet + 1] === Protocol.Ipv4)
        this.stations.meantFor(wrong, this.destination(frame, ethernet + 1));
    }
    const tag = ethernet + 1;
    if (tag < count && frame.kinds[tag] === Protocol.Vlan && vlanId(view, frame.offsets[tag]) !== 0)
      this.tunnels.tagged(row, frame, tag);
  }

  /** The row of `tunnels` for a packet, which is counted there. */
  private row(frame: Frame, layer: number, ip: number, segment: number, inner: number, port: number): number {
    const { view } = frame;
    const { tunnels } = this;
    const vni = vxlanVni(view, frame.offsets[layer]);
    const at = frame.offsets[ip];
    const isIpv4 = frame.kinds[ip] === Protocol.Ipv4;
    if (isIpv4) {
      const known = tunnels.atHandFor(segment, port, ipv4Source(view, at), ipv4Destination(view, at), vni);
      if (known >= 0) {
        tunnels.again(known, frame, layer);
        return known;
      }
    }
    const source = this.source(frame, ip);
    const row = tunnels.carries(segment, port, source, this.destination(frame, ip), vni, inner, frame, layer);
    if (isIpv4) tunnels.keepAtHand(segment, port, ipv4Source(view, at), ipv4Destination(view, at), vni, row);
    return row;
  }

  /** A UDP header at `layer` whose payload nobody decodes: noted if it has the shape of VXLAN. */
  stranger(frame: Frame, layer: number, segment: number): void {
    const { view } = frame;
    const payload = frame.ends[layer];
    if (!looksLikeVxlan(view, payload, frame.limits[layer])) return;
    const ip = ipLayerBefore(frame, layer);
    if (ip < 0) return;
    const port = udpDestinationPort(view, frame.offsets[layer]);
    const vni = vxlanVni(view, payload);
    this.tunnels.carries(segment, port, this.source(frame, ip), this.destination(frame, ip), vni, -1, frame, layer);
  }

  /** An ICMP error; noted if it quotes VXLAN. */
  error(frame: Frame, segment: number): void {
    const quoted = frame.quotedFrom;
    const icmp = quoted - 1;
    const ip = ipLayerBefore(frame, icmp);
    let udp = quoted + 1;
    while (udp < frame.layerCount && frame.kinds[udp] === Protocol.Ipv6Extension) udp++;
    if (ip < 0 || udp >= frame.layerCount || frame.kinds[udp] !== Protocol.Udp || frame.statuses[udp] !== 0) return;
    const { view } = frame;
    const port = udpDestinationPort(view, frame.offsets[udp]);
    const isVxlan = frame.udpPorts[port] === Protocol.Vxlan || looksLikeVxlan(view, frame.ends[udp], frame.limits[udp]);
    if (!isVxlan) return;
    const at = frame.offsets[icmp];
    const isIpv4 = frame.kinds[icmp] === Protocol.Icmp;
    const type = isIpv4 ? icmpType(view, at) : icmpv6Type(view, at);
    const code = isIpv4 ? icmpCode(view, at) : icmpv6Code(view, at);
    let mtu = 0;
    if (isIpv4 && isFragmentationNeeded(type, code)) mtu = icmpMtu(view, at);
    else if (!isIpv4 && type === PACKET_TOO_BIG) mtu = icmpv6Mtu(view, at);
    const kind = errorKind(isIpv4 ? 4 : 6, type, code);
    const source = this.source(frame, quoted);
    const destination = this.destination(frame, quoted);
    this.errors.reported(segment, port, source, destination, kind, this.source(frame, ip), mtu, frame, icmp);
  }

  private source(frame: Frame, ip: number): number {
    const at = frame.offsets[ip];
    if (frame.kinds[ip] === Protocol.Ipv4) return this.addresses.ipv4(ipv4Source(frame.view, at));
    return this.addresses.ipv6(frame.view, at + IPV6_SOURCE);
  }

  private destination(frame: Frame, ip: number): number {
    const at = frame.offsets[ip];
    if (frame.kinds[ip] === Protocol.Ipv4) return this.addresses.ipv4(ipv4Destination(frame.view, at));
    return this.addresses.ipv6(frame.view, at + IPV6_DESTINATION);
  }
}

/** The IP header in front of a layer, -1 if there is none. */
function ipLayerBefore({ kinds }: Frame, layer: number): number {
  let ip = layer - 1;
  while (ip >= 0 && kinds[ip] === Protocol.Ipv6Extension) ip--;
  return ip >= 0 && (kinds[ip] === Protocol.Ipv4 || kinds[ip] === Protocol.Ipv6) ? ip : -1;
}

/** Whether more fragments follow; behind later ones nothing is decoded, so this is the first. */
function isFirstFragment(frame: Frame, ip: number, udp: number): boolean {
  const { view, offsets } = frame;
  if (frame.kinds[ip] === Protocol.Ipv4) return ipv4MoreFragments(view, offsets[ip]);
  for (let layer = ip + 1; layer < udp; layer++)
    if (isFragmentHeader(frame, layer)) return extensionMoreFragments(view, offsets[layer]);
  return false;
}

function headerFlaws(view: DataView, at: number): number {
  const word = view.getUint32(at);
  const reserved = view.getUint8(at + 7);
  if (word === I_FLAG && reserved === 0) return 0;
  let flaws = (word & I_FLAG) === 0 ? Flaw.NoVni : 0;
  let known = I_FLAG;
  if ((word & GBP_FLAG) !== 0) {
    flaws |= Flaw.GroupPolicy;
    known |= GBP_FLAG | GBP_FIELDS;
  }
  if ((word & GPE_FLAG) !== 0) {
    flaws |= Flaw.Generic;
    known |= GPE_FLAG | GPE_FIELDS;
  }
  return (word & ~known) !== 0 || reserved !== 0 ? flaws | Flaw.Reserved : flaws;
}

function innerFlaws(frame: Frame, layer: number, count: number): number {
  const captured = frame.end - frame.start;
  if (layer >= count) return captured < frame.wireLength || layer >= MAX_LAYERS ? 0 : Flaw.NotEthernet;
  if (frame.kinds[layer] !== Protocol.Ethernet) return 0;
  const { view } = frame;
  const at = frame.offsets[layer];
  // No station has a group address or none at all (IEEE 802 section 8.2.2).
  const hi = view.getUint16(at + 6);
  return (hi & 0x100) !== 0 || (hi === 0 && view.getInt32(at + 8) === 0) ? Flaw.NotEthernet : 0;
}
