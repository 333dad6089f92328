import { type Frame, MAX_LAYERS } from '../../wire/frame.js';
import { icmpCode, icmpType } from '../../wire/icmp.js';
import { icmpv6Code, icmpv6Type } from '../../wire/icmpv6.js';
import { ipv4Destination, ipv4MoreFragments, ipv4Source, ipv4Ttl } from '../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE, ipv6HopLimit } from '../../wire/ipv6.js';
import { extensionMoreFragments, isFragmentHeader } from '../../wire/ipv6-extension.js';
import { Protocol } from '../../wire/protocol.js';
import { udpDestinationPort, udpSourcePort } from '../../wire/udp.js';
import { vlanId } from '../../wire/vlan.js';
import { beginsLikeEthernet, looksLikeVxlan, vxlanVni } from '../../wire/vxlan.js';
import type { Addresses } from '../addresses.js';
import type { Segments } from '../link/segments.js';
import { errorKind, type TunnelErrors } from './tunnel-errors.js';
import { COPY, type TunnelStations } from './tunnel-stations.js';
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

/** Reads VXLAN headers, and ICMP errors that quote them, into the tables of tunnels. */
export class TunnelReader {
  constructor(
    private readonly segments: Segments,
    private readonly addresses: Addresses,
    private readonly tunnels: Tunnels,
    private readonly stations: TunnelStations,
    private readonly errors: TunnelErrors,
  ) {}

  /** A VXLAN header at `layer`, in `segment`; returns the segment that it carries, -1 where there is no room for another. */
  vxlan(frame: Frame, layer: number, count: number, segment: number): number {
    const { view } = frame;
    const at = frame.offsets[layer];
    const vniWord = view.getInt32(at + 4);
    const vni = vniWord >>> 8;
    const udp = layer - 1;
    const ip = ipLayerBefore(frame, udp);
    if (ip < 0) return this.segments.vni(segment, vni);
    const port = udpDestinationPort(view, frame.offsets[udp]);
    // A program may have the port by accident as source; only what is sent to it is VXLAN.
    if (frame.udpPorts[port] !== Protocol.Vxlan) return this.segments.vni(segment, vni);
    const ethernet = layer + 1;
    const isEthernet = ethernet < count && frame.kinds[ethernet] === Protocol.Ethernet;
    let hi = 0;
    let lo = 0;
    let flaws = headerFlaws(view.getInt32(at), vniWord & 0xff);
    if (isEthernet) {
      hi = view.getUint16(frame.offsets[ethernet] + 6);
      lo = view.getInt32(frame.offsets[ethernet] + 8);
      // No station has a group address or none at all (IEEE 802 section 8.2.2).
      if ((hi & 0x100) !== 0 || (hi | lo) === 0) flaws |= Flaw.NotEthernet;
    } else if (ethernet >= count && isNothingMissing(frame, ethernet)) flaws |= Flaw.NotEthernet;
    // A server answers a client that has the port by accident: tunnels begin at high ports (RFC 7348 section 5).
    const isForeign = (flaws & (Flaw.NoVni | Flaw.NotEthernet)) !== 0;
    if (isForeign && udpSourcePort(view, frame.offsets[udp]) < FIRST_USER_PORT) return this.segments.vni(segment, vni);
    const { tunnels } = this;
    if ((flaws & Flaw.NoVni) !== 0 && !isEthernetInside(frame, layer)) {
      const foreign = tunnels.carries(
        segment,
        port,
        this.source(frame, ip),
        this.destination(frame, ip),
        0,
        -1,
        frame,
        layer,
      );
      tunnels.flawed(foreign, flaws | Flaw.Foreign, frame, layer);
      return -1;
    }
    let row = this.atHandFor(frame, ip, segment, port, vni);
    if (row >= 0) tunnels.again(row, frame, layer);
    else {
      row = this.carries(frame, layer, ip, segment, port, vni);
      if (row < 0) return -1;
    }
    const inner = tunnels.inner(row);
    if (isFirstFragment(frame, ip, udp)) tunnels.fragmented(row, frame, ip);
    if (flaws !== 0) tunnels.flawed(row, flaws, frame, layer);
    if (isEthernet && (flaws & Flaw.NotEthernet) === 0) this.inside(frame, ethernet, count, row, inner, hi, lo);
    return inner;
  }

  /** The Ethernet header in a tunnel, from the station (hi, lo). */
  private inside(frame: Frame, layer: number, count: number, row: number, inner: number, hi: number, lo: number): void {
    const { view } = frame;
    const { tunnels } = this;
    const start = frame.offsets[layer];
    const hiTo = view.getUint16(start);
    const isGroup = (hiTo & 0x100) !== 0;
    tunnels.inside(row, hi, lo, isGroup);
    const from = tunnels.source(row);
    this.stations.heard(inner, hi, lo, from, frame, layer);
    const next = layer + 1;
    const kind = next < count ? frame.kinds[next] : Protocol.None;
    if (!isGroup) {
      const to = tunnels.destination(row);
      const loTo = view.getInt32(start + 2);
      const wrong = this.stations.sentTo(inner, hiTo, loTo, from, to, frame, layer);
      if (wrong === COPY) tunnels.copied(row, loTo);
      else if (wrong >= 0 && (kind === Protocol.Ipv4 || kind === Protocol.Ipv6))
        this.stations.meantFor(wrong, this.destination(frame, next));
    }
    if (kind === Protocol.Vlan && vlanId(view, frame.offsets[next]) !== 0) tunnels.tagged(row, frame, next);
  }

  private atHandFor(frame: Frame, ip: number, segment: number, port: number, vni: number): number {
    const at = frame.offsets[ip];
    return frame.kinds[ip] === Protocol.Ipv4
      ? this.tunnels.atHandForIpv4(segment, port, vni, frame.view, at)
      : this.tunnels.atHandForIpv6(segment, port, vni, frame.view, at);
  }

  /** Counts a packet whose tunnel is not at hand, and puts it there; returns its row, -1 where there is no room for the segment inside. */
  private carries(frame: Frame, layer: number, ip: number, segment: number, port: number, vni: number): number {
    const inner = this.segments.vni(segment, vni);
    if (inner < 0) return -1;
    const source = this.source(frame, ip);
    const destination = this.destination(frame, ip);
    const row = this.tunnels.carries(segment, port, source, destination, vni, inner, frame, layer);
    const { view } = frame;
    const at = frame.offsets[ip];
    const isIpv4 = frame.kinds[ip] === Protocol.Ipv4;
    this.tunnels.sentWith(row, isIpv4 ? ipv4Ttl(view, at) : ipv6HopLimit(view, at));
    this.tunnels.keepAtHand(row, vni, view, at, isIpv4);
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
    const kind = errorKind(isIpv4 ? 4 : 6, type, code);
    const source = this.source(frame, quoted);
    const destination = this.destination(frame, quoted);
    this.errors.reported(segment, port, source, destination, kind, this.source(frame, ip), frame, icmp);
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

/** Whether an Ethernet header with a usual type stands behind the VXLAN header at `layer`. */
function isEthernetInside(frame: Frame, layer: number): boolean {
  return beginsLikeEthernet(frame.view, frame.ends[layer], Math.min(frame.limits[layer], frame.end));
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

/** Flaws of a header that begins with `word` and ends with the byte `reserved`. */
function headerFlaws(word: number, reserved: number): number {
  return word === I_FLAG && reserved === 0 ? 0 : flawsOf(word, reserved);
}

function flawsOf(word: number, reserved: number): number {
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

/** Whether all bytes of the packet were captured, and there is room for layer `layer`: what is not there was not sent. */
function isNothingMissing(frame: Frame, layer: number): boolean {
  return frame.end - frame.start >= frame.wireLength && layer < MAX_LAYERS;
}
