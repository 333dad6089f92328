import { erspanSession } from '../wire/erspan.js';
import { Direction, type Frame, MAX_LAYERS } from '../wire/frame.js';
import { geneveVni } from '../wire/geneve.js';
import { ipv4Destination, ipv4IsFragment, ipv4Source, ipv4Ttl } from '../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE, ipv6HopLimit } from '../wire/ipv6.js';
import { Protocol } from '../wire/protocol.js';
import { PacketType, SLL_ADDRESS, SLL2_ADDRESS, sll2PacketType, sllPacketType } from '../wire/sll.js';
import { vlanId, vlanTpid } from '../wire/vlan.js';
import { IPV4, IPV6 } from './moves.js';
import { Trait } from './stations.js';
import { Tables } from './tables.js';

/** Programs that write several interfaces write some frames of one before the first of the next. */
const START_FRAMES = 64;

/**
 * The network as seen so far: what every frame adds to the tables is added here once, whatever number of rules
 * asks for it. Raises the events of `NetworkEvents`. All tables are bounded.
 */
export class Network extends Tables {
  /** Port and capture of the frame before; whether the capture has several ports. */
  private port = -1;
  private portCapture = -1;
  private hasPorts = false;
  /** Frames still to be located before several ports are seen. */
  private startFrames = 0;
  /** Source and destination of the Ethernet header being looked at; a cooked header has no destination. */
  private hi = 0;
  private lo = 0;
  private hiTo = 0;
  private loTo = 0;
  private isGroup = false;
  /** As `isGroup`, but true as well where a cooked header leaves open whom an outgoing frame was sent to. */
  private mayBeGroup = false;

  /** Adds a decoded frame. */
  observe(frame: Frame): void {
    if (frame.time >= this.resolutions.due) this.resolutions.ripen(frame.time);
    if (frame.time >= this.refreshes.due) this.refreshes.ripen(frame.time);
    this.captures.observe(frame);
    this.now = frame.time;
    const base = this.segments.base(frame);
    if (base < 0 || frame.layerCount === 0) return;
    this.segments.noteDirection(base, frame.direction);
    if (base !== this.port) this.seesPort(base, frame.capture);
    const count = readableLayers(frame);
    const copy = count === 0 ? -1 : this.copies.observe(frame, base);
    if (copy >= 0) this.listener.copied(copy, frame, base);
    let segment = base;
    this.station = -1;
    // A frame without link header, as from a tun, must not be taken for one to the receiver of the frame before.
    this.hiTo = -1;
    this.loTo = 0;
    for (let layer = 0; layer < count; ) {
      const kind = frame.kinds[layer];
      if (kind === Protocol.Ethernet || kind === Protocol.Sll || kind === Protocol.Sll2) {
        layer = this.link(frame, layer, segment, count, copy >= 0);
        segment = this.linkSegment;
      } else {
        if (this.station >= 0 && (kind === Protocol.Vxlan || kind === Protocol.Geneve))
          this.stations.note(this.station, Trait.Tunnels);
        if (kind === Protocol.Tcp) {
          if (copy < 0) this.flowReader.tcp(frame, layer, segment, this.hiTo, this.loTo);
        } else if (kind === Protocol.Vxlan) {
          segment = this.tunnelReader.vxlan(frame, layer, count, segment);
        } else if (kind === Protocol.Icmp) {
          this.icmpReader.icmp(frame, layer, segment, this.hiTo, this.loTo, copy >= 0);
        } else if (kind === Protocol.Icmpv6) {
          this.icmpReader.icmpv6(frame, layer, segment, this.hiTo, this.loTo, copy >= 0);
        } else if (kind === Protocol.Udp) {
          if (frame.kinds[layer + 1] === Protocol.Data && layer + 1 < count)
            this.tunnelReader.stranger(frame, layer, segment);
        } else if (kind === Protocol.Vrrp) {
          if (copy < 0) this.virtualRouters.read(frame, layer, segment);
        } else if (kind === Protocol.Dhcp) {
          const exchange = this.leases.observe(frame, layer, segment);
          if (exchange >= 0 && copy < 0) this.relays.observe(frame, layer, segment, exchange);
        } else if (kind === Protocol.Erspan) {
          segment = this.segments.mirror(segment, erspanSession(frame.view, frame.offsets[layer]));
        } else if (kind === Protocol.Geneve)
          segment = this.segments.vni(segment, geneveVni(frame.view, frame.offsets[layer]));
        layer++;
      }
      if (segment < 0) return;
    }
    if (frame.quotedFrom !== MAX_LAYERS) this.tunnelReader.error(frame, segment);
  }

  private linkSegment = 0;
  /** Row of the sender of the frame's latest link header, -1 before the first. */
  private station = -1;

  /** A frame of another port than the one before. */
  private seesPort(base: number, capture: number): void {
    this.hasPorts = capture === this.portCapture;
    if (!this.hasPorts) this.startFrames = START_FRAMES;
    this.port = base;
    this.portCapture = capture;
  }

  /** A link header, its VLAN tags, and the packet in it; returns the layer behind what was looked at. */
  private link(frame: Frame, at: number, outer: number, count: number, isCopy: boolean): number {
    this.readLink(frame, at);
    let segment = outer;
    let layer = at + 1;
    while (layer < count && frame.kinds[layer] === Protocol.Vlan) {
      const id = vlanId(frame.view, frame.offsets[layer]);
      segment = this.segments.vlan(segment, id);
      if (id !== 0) this.segments.noteTpid(segment, vlanTpid(frame, layer));
      if ((id === 0 || layer > at + 1) && segment >= 0)
        this.tags.note(frame, layer, segment, layer > at + 1, this.hi, this.lo);
      layer++;
    }
    this.linkSegment = segment;
    if (segment < 0) return layer;
    const { hi, lo, hiTo, loTo, isGroup, mayBeGroup } = this;
    const isOutermost = at === 0;
    if ((this.hasPorts || this.startFrames-- > 0) && isOutermost && frame.kinds[0] !== Protocol.Sll)
      this.locations.observe(frame, this.port, hi, lo, tagOf(frame), frame.ends[layer - 1], mayBeGroup);
    const direction = isOutermost ? frame.direction : Direction.Unknown;
    const station = this.stations.sends(segment, hi, lo, direction, isCopy);
    this.station = station;
    if (frame.kinds[at] === Protocol.Ethernet && !isGroup && hi === hiTo && lo === loTo && (hi | lo) !== 0) {
      this.stations.note(station, Trait.ToItself);
      this.listener.sameMac(frame, at, segment, isCopy);
    }
    if (direction === Direction.In && this.stations.sentOut(station)) this.comesBack(frame, at, station, isCopy);
    if (!isGroup && hiTo >= 0) {
      const to = this.stations.receives(segment, hiTo, loTo);
      if (isOutermost && !isCopy && direction !== Direction.Out) this.unheard.observe(frame, layer, hi, lo, to);
    }
    const kind = layer < count ? frame.kinds[layer] : Protocol.None;
    if (!isCopy && !isGroup && (kind === Protocol.Ipv4 || kind === Protocol.Ipv6))
      this.datagrams.observe(frame, layer, segment, hi, lo, hiTo, loTo);
    if (kind === Protocol.Ipv4) {
      if (!isCopy && ipv4IsFragment(frame.view, frame.offsets[layer])) this.fragmentReader.ipv4(frame, layer, segment);
      if (this.pathMtus.count > 0 && !isCopy) this.icmpReader.ipv4(frame, layer, segment);
      if (this.moves.count > 0 && !isCopy && !isGroup && hiTo >= 0) {
        const header = frame.offsets[layer];
        const destination = ipv4Destination(frame.view, header);
        const source = ipv4Source(frame.view, header);
        this.moves.packet(frame, layer, segment, IPV4, source, destination, hi, lo, hiTo, loTo);
      }
      this.ipv4(frame, frame.offsets[layer], segment);
      return layer + 1;
    }
    if (kind === Protocol.Arp)
      this.resolver.arp(frame, layer, segment, hi, lo, hiTo, loTo, isGroup, mayBeGroup, isCopy);
    else if (kind === Protocol.Ipv6) {
      this.ipv6(frame, frame.offsets[layer], segment);
      let inner = layer + 1;
      while (inner < count && frame.kinds[inner] === Protocol.Ipv6Extension) {
        if (!isCopy) this.fragmentReader.ipv6(frame, layer, inner, segment);
        inner++;
      }
      if (inner < count && frame.kinds[inner] === Protocol.Icmpv6) this.neighbor(frame, inner, layer, segment, isCopy);
      if (this.moves.ipv6Count > 0 && !isCopy && !isGroup && hiTo >= 0) {
        const header = frame.offsets[layer];
        const source = this.addresses.ipv6(frame.view, header + IPV6_SOURCE);
        const destination = this.addresses.ipv6(frame.view, header + IPV6_DESTINATION);
        this.moves.packet(frame, layer, segment, IPV6, source, destination, hi, lo, hiTo, loTo);
      }
    } else return layer;
    return layer + 1;
  }

  /** An ICMPv6 message in `layer`, its IPv6 header in `ip`. */
  private neighbor(frame: Frame, layer: number, ip: number, segment: number, isCopy: boolean): void {
    const { hi, lo, hiTo, loTo, mayBeGroup } = this;
    this.resolver.neighbor(frame, layer, ip, segment, hi, lo, hiTo, loTo, mayBeGroup, isCopy);
    if (!isCopy) this.neighborHolders.read(frame, layer, ip, segment, hi, lo);
  }

  /** A frame comes in from a station whose frames go out here. */
  private comesBack(frame: Frame, at: number, station: number, isCopy: boolean): void {
    if (this.isGroup) {
      if (!isCopy) this.listener.ownMac(frame, station);
      return;
    }
    // LINUX_SLL does not tell devices apart: what comes in at one of them goes out at another.
    if (frame.kinds[at] !== Protocol.Sll) this.stations.note(station, isCopy ? Trait.Reflected : Trait.Inside);
  }

  private ipv4({ view }: Frame, header: number, segment: number): void {
    const { hi, lo } = this;
    const source = ipv4Source(view, header);
    const isContested = this.claims.contestedCount > 0;
    if (this.recent.has(segment, hi, lo, source) && !isContested) return;
    this.bindings.source(segment, hi, lo, this.addresses.ipv4(source), ipv4Ttl(view, header));
    if (!isContested) return;
    const destination = this.addresses.ipv4(ipv4Destination(view, header));
    this.bindings.deliver(segment, this.hiTo, this.loTo, destination);
  }

  private ipv6({ view }: Frame, header: number, segment: number): void {
    const { hi, lo } = this;
    const source = this.addresses.ipv6(view, header + IPV6_SOURCE);
    const isContested = this.claims.contestedCount > 0;
    if (this.recent.has(~segment, hi, lo, source) && !isContested) return;
    this.bindings.source(segment, hi, lo, source, ipv6HopLimit(view, header));
    if (!isContested) return;
    const destination = this.addresses.ipv6(view, header + IPV6_DESTINATION);
    this.bindings.deliver(segment, this.hiTo, this.loTo, destination);
  }

  private readLink(frame: Frame, layer: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const kind = frame.kinds[layer];
    if (kind === Protocol.Ethernet) {
      this.hiTo = view.getUint16(at);
      this.loTo = view.getInt32(at + 2);
      this.hi = view.getUint16(at + 6);
      this.lo = view.getInt32(at + 8);
      // Bit 0 of the first byte: group address (IEEE 802 section 8.2.2).
      this.isGroup = (this.hiTo & 0x100) !== 0;
      this.mayBeGroup = this.isGroup;
      return;
    }
    const isSll = kind === Protocol.Sll;
    const sender = at + (isSll ? SLL_ADDRESS : SLL2_ADDRESS);
    const packetType = isSll ? sllPacketType(view, at) : sll2PacketType(view, at);
    this.hi = view.getUint16(sender);
    this.lo = view.getInt32(sender + 2);
    this.hiTo = -1;
    this.loTo = 0;
    this.isGroup = packetType === PacketType.Broadcast || packetType === PacketType.Multicast;
    this.mayBeGroup = this.isGroup || packetType === PacketType.Outgoing;
  }
}

/** Layers in front of the first quoted one, without a last one that could not be read. */
function readableLayers(frame: Frame): number {
  const count = Math.min(frame.layerCount, frame.quotedFrom);
  return count > 0 && frame.statuses[count - 1] !== 0 ? count - 1 : count;
}

/** VLAN of the outermost tag, 0 without one. */
function tagOf({ view, kinds, offsets, layerCount }: Frame): number {
  return layerCount > 1 && kinds[1] === Protocol.Vlan ? vlanId(view, offsets[1]) : 0;
}
