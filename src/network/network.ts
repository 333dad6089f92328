import { erspanSession } from '../wire/erspan.js';
import { Direction, type Frame, MAX_LAYERS } from '../wire/frame.js';
import { geneveVni } from '../wire/geneve.js';
import { ipv4Destination, ipv4IsFragment, ipv4Source, ipv4Ttl } from '../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE, ipv6HopLimit } from '../wire/ipv6.js';
import { Protocol } from '../wire/protocol.js';
import { PacketType, SLL_ADDRESS, SLL2_ADDRESS, sll2PacketType, sllPacketType } from '../wire/sll.js';
import { DNS, udpDestinationPort, udpSourcePort } from '../wire/udp.js';
import { vlanId, vlanTpid } from '../wire/vlan.js';
import { announcesItself } from './link/arrivals.js';
import { IPV4, IPV6 } from './link/moves.js';
import { Trait } from './link/stations.js';
import { Tables } from './tables.js';

/** Programs that write several interfaces write some frames of one before the first of the next. */
const START_FRAMES = 64;
/** More than pass at one port before another one is seen again. */
const ALL_FRAMES = 1 << 30;

/** Bits of the protocols that `Network.packet` reads. */
const READ =
  (1 << Protocol.Udp) |
  (1 << Protocol.Tcp) |
  (1 << Protocol.Vxlan) |
  (1 << Protocol.Icmp) |
  (1 << Protocol.Icmpv6) |
  (1 << Protocol.Vrrp) |
  (1 << Protocol.Dhcp) |
  (1 << Protocol.Geneve) |
  (1 << Protocol.Erspan);

/**
 * The network as seen so far: what every frame adds to the tables is added here once, whatever number of rules
 * asks for it. Raises the events of `NetworkEvents`. All tables are bounded.
 */
export class Network extends Tables {
  /** Port, its direction, and capture of the frame before. */
  private port = -1;
  private direction = -1;
  private portCapture = -1;
  /** Frames still to be located: some at the start, and all that come once a capture shows several ports. */
  private toLocate = 0;
  /** Source and destination of the Ethernet header being looked at; a cooked header has no destination. */
  private hi = 0;
  private lo = 0;
  private hiTo = 0;
  private loTo = 0;
  /** Whether it was sent to a group, as 0 or 1: numbers are cheaper to ask than booleans that were stored. */
  private group = 0;
  /** As `group`, but 1 as well where a cooked header leaves open whom an outgoing frame was sent to. */
  private perhapsGroup = 0;

  /** Adds a decoded frame. */
  observe(frame: Frame): void {
    if (frame.time >= this.resolutions.due) this.resolutions.ripen(frame.time);
    if (frame.time >= this.refreshes.due) this.refreshes.ripen(frame.time);
    this.captures.observe(frame);
    this.now = frame.time;
    const base = this.segments.base(frame);
    if (base < 0 || frame.layerCount === 0) return;
    if (base !== this.port) this.seesPort(base, frame.capture);
    if (frame.direction !== this.direction) {
      this.direction = frame.direction;
      this.segments.noteDirection(base, frame.direction);
    }
    const count = frame.readable;
    const copy = count === 0 ? -1 : this.copies.observe(frame, base);
    if (copy >= 0) this.listener.copied(copy, frame, base);
    let segment = base;
    this.station = -1;
    // A frame without link header, as from a tun, must not be taken for one to the receiver of the frame before.
    this.hiTo = -1;
    this.loTo = 0;
    for (let layer = 0; layer < count && segment >= 0; ) {
      const kind = frame.kinds[layer];
      if (kind === Protocol.Ethernet || kind === Protocol.Sll || kind === Protocol.Sll2) {
        layer = this.link(frame, layer, segment, count, copy);
        segment = this.linkSegment;
      } else {
        if ((READ & (1 << kind)) !== 0) segment = this.packet(frame, layer, kind, segment, count, copy);
        layer++;
      }
    }
    if (segment >= 0 && frame.quotedFrom !== MAX_LAYERS) this.tunnelReader.error(frame, segment);
  }

  /** A header of `kind` that is no link header; `copy` as `Copies` says. Returns the segment of what is in it. */
  private packet(frame: Frame, layer: number, kind: number, segment: number, count: number, copy: number): number {
    switch (kind) {
      case Protocol.Udp: {
        if (layer + 1 < count && frame.kinds[layer + 1] === Protocol.Data)
          this.tunnelReader.stranger(frame, layer, segment);
        if (layer + 1 === count && count < frame.layerCount && frame.kinds[count] === Protocol.Dhcp)
          this.leases.observeCut(frame, count);
        const at = frame.offsets[layer];
        if (udpDestinationPort(frame.view, at) === DNS || udpSourcePort(frame.view, at) === DNS)
          this.listener.dns(frame, layer);
        return segment;
      }
      case Protocol.Tcp:
        if (copy < 0) this.flowReader.tcp(frame, layer, segment, this.hiTo, this.loTo);
        return segment;
      case Protocol.Vxlan:
        return this.vxlan(frame, layer, count, segment);
      case Protocol.Icmp:
        this.icmpReader.icmp(frame, layer, segment, this.hiTo, this.loTo, copy >= 0);
        return segment;
      case Protocol.Icmpv6:
        this.icmpReader.icmpv6(frame, layer, segment, this.hiTo, this.loTo, copy >= 0);
        return segment;
      case Protocol.Vrrp:
        if (copy < 0) this.virtualRouters.read(frame, layer, segment, this.hiTo < 0 ? -1 : this.hi, this.lo);
        return segment;
      case Protocol.Dhcp: {
        const exchange = this.leases.observe(frame, layer, segment);
        if (exchange >= 0 && copy < 0) this.relays.observe(frame, layer, segment, exchange);
        return segment;
      }
      case Protocol.Geneve:
        if (this.station >= 0) this.stations.note(this.station, Trait.Tunnels);
        return this.segments.vni(segment, geneveVni(frame.view, frame.offsets[layer]));
      case Protocol.Erspan:
        return this.segments.mirror(segment, erspanSession(frame.view, frame.offsets[layer]));
      default:
        return segment;
    }
  }

  private linkSegment = 0;
  /** Row of the sender of the frame's latest link header, -1 before the first. */
  private station = -1;

  /** A frame of another port than the one before. */
  private seesPort(base: number, capture: number): void {
    this.toLocate = capture === this.portCapture ? ALL_FRAMES : START_FRAMES;
    this.port = base;
    this.direction = -1;
    this.portCapture = capture;
  }

  /** A link header, its VLAN tags, and the packet in it; `copy` as `Copies` says. Returns the layer behind what was looked at. */
  private link(frame: Frame, at: number, outer: number, count: number, copy: number): number {
    this.readLink(frame, at);
    const isCopy = copy >= 0;
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
    const { hi, lo, hiTo, loTo } = this;
    const isGroup = this.group !== 0;
    const mayBeGroup = this.perhapsGroup !== 0;
    const isOutermost = at === 0;
    if (this.toLocate > 0 && isOutermost && frame.kinds[0] !== Protocol.Sll) {
      this.toLocate--;
      this.locations.observe(frame, this.port, hi, lo, tagOf(frame), frame.ends[layer - 1], mayBeGroup);
    }
    const direction = isOutermost && !(isCopy && this.givesBack(frame, copy)) ? frame.direction : Direction.Unknown;
    const station = this.stations.sends(segment, hi, lo, direction, isCopy);
    this.station = station;
    if (frame.kinds[at] === Protocol.Ethernet && !isGroup && hi === hiTo && lo === loTo && (hi | lo) !== 0) {
      this.stations.note(station, Trait.ToItself);
      this.listener.sameMac(frame, at, segment, isCopy);
    }
    if (direction === Direction.In && this.stations.sentOut(station)) this.comesBack(frame, at, station, isCopy);
    else if (direction === Direction.Out && isGroup && !isCopy && this.stations.cameIn(station))
      this.comesFromElsewhere(frame, at, station);
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
      if (this.strays.formerCount > 0 && !isCopy && !isGroup && hiTo >= 0) {
        const header = frame.offsets[layer];
        const destination = ipv4Destination(frame.view, header);
        const source = ipv4Source(frame.view, header);
        this.strays.packet(frame, layer, segment, IPV4, source, destination, hi, lo, hiTo, loTo);
      }
      this.ipv4(frame, frame.offsets[layer], segment);
      return layer + 1;
    }
    if (kind === Protocol.Arp)
      this.resolver.arp(frame, layer, segment, hi, lo, hiTo, loTo, isGroup, mayBeGroup, isCopy);
    else if (kind === Protocol.Ipv6) {
      this.ipv6(frame, frame.offsets[layer], segment);
      if (this.pathMtus.count > 0 && !isCopy) this.icmpReader.ipv6(frame, layer, segment);
      let inner = layer + 1;
      while (inner < count && frame.kinds[inner] === Protocol.Ipv6Extension) {
        if (!isCopy) this.fragmentReader.ipv6(frame, layer, inner, segment);
        inner++;
      }
      if (inner < count && frame.kinds[inner] === Protocol.Icmpv6) this.neighbor(frame, inner, layer, segment, isCopy);
      if ((this.moves.ipv6Count > 0 || this.strays.formerCount > 0) && !isCopy && !isGroup && hiTo >= 0) {
        const header = frame.offsets[layer];
        const source = this.addresses.ipv6(frame.view, header + IPV6_SOURCE);
        const destination = this.addresses.ipv6(frame.view, header + IPV6_DESTINATION);
        this.moves.packet(frame, layer, segment, IPV6, source, destination, hi, lo, hiTo, loTo);
        this.strays.packet(frame, layer, segment, IPV6, source, destination, hi, lo, hiTo, loTo);
      }
    } else return layer;
    return layer + 1;
  }

  /** An ICMPv6 message in `layer`, its IPv6 header in `ip`. */
  private neighbor(frame: Frame, layer: number, ip: number, segment: number, isCopy: boolean): void {
    const { hi, lo, hiTo, loTo } = this;
    this.resolver.neighbor(frame, layer, ip, segment, hi, lo, hiTo, loTo, this.perhapsGroup !== 0, isCopy);
    if (isCopy) return;
    this.neighborHolders.read(frame, layer, ip, segment, hi, lo);
    this.neighborRoles.read(frame, layer, segment, hi, lo);
  }

  private vxlan(frame: Frame, layer: number, count: number, segment: number): number {
    const inner = this.tunnelReader.vxlan(frame, layer, count, segment);
    if (inner >= 0 && this.station >= 0) this.stations.note(this.station, Trait.Tunnels);
    return inner;
  }

  /** A copy of a frame that came in goes out where it came in: this machine is the relay (hairpin), not its sender. */
  private givesBack({ direction }: Frame, copy: number): boolean {
    return direction === Direction.Out && this.copies.firstDirection(copy) === Direction.In;
  }

  /** A frame comes in from a station whose frames go out here. */
  private comesBack(frame: Frame, at: number, station: number, isCopy: boolean): void {
    if (this.group !== 0) {
      if (isCopy) return;
      if (announcesItself(frame, at + 1)) this.stations.note(station, Trait.MovedAway);
      this.comesFromElsewhere(frame, at, station);
      this.listener.ownMac(frame, station);
      return;
    }
    // LINUX_SLL does not tell devices apart: what comes in at one of them goes out at another.
    if (frame.kinds[at] !== Protocol.Sll) this.stations.note(station, isCopy ? Trait.Reflected : Trait.Inside);
  }

  /** A broadcast or multicast passes the other way than frames of its sender did before: it is elsewhere now. */
  private comesFromElsewhere(frame: Frame, at: number, station: number): void {
    // LINUX_SLL does not tell devices apart: what comes in at one of them goes out at another.
    if (frame.kinds[at] === Protocol.Sll) return;
    const { stations } = this;
    this.arrivals.arrive(stations.segment(station), stations.hi(station), stations.lo(station), frame, at, false);
  }

  private ipv4({ view }: Frame, header: number, segment: number): void {
    const { hi, lo } = this;
    const source = ipv4Source(view, header);
    const isContested = this.claims.countsPackets;
    if (this.recent.has(segment, hi, lo, source) && !isContested) return;
    this.bindings.source(segment, hi, lo, this.addresses.ipv4(source), ipv4Ttl(view, header));
    if (!isContested) return;
    const destination = this.addresses.ipv4(ipv4Destination(view, header));
    this.bindings.deliver(segment, this.hiTo, this.loTo, destination);
  }

  private ipv6({ view }: Frame, header: number, segment: number): void {
    const { hi, lo } = this;
    const source = this.addresses.ipv6(view, header + IPV6_SOURCE);
    const isContested = this.claims.countsPackets;
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
      // `| 0` spares V8 checks for overflow.
      const hiTo = view.getUint16(at);
      const hi = view.getUint16((at + 6) | 0);
      const lo = view.getInt32((at + 8) | 0);
      // Bit 0 of the first byte: group address (IEEE 802 section 8.2.2).
      const group = (hiTo >> 8) & 1;
      this.hiTo = hiTo;
      this.loTo = view.getInt32((at + 2) | 0);
      this.hi = hi;
      this.lo = lo;
      this.group = group;
      this.perhapsGroup = group;
      if ((hi & 0x100) !== 0 || (hi | lo) === 0) this.listener.invalidSource(frame, layer);
      return;
    }
    const isSll = kind === Protocol.Sll;
    const sender = at + (isSll ? SLL_ADDRESS : SLL2_ADDRESS);
    const packetType = isSll ? sllPacketType(view, at) : sll2PacketType(view, at);
    this.hi = view.getUint16(sender);
    this.lo = view.getInt32(sender + 2);
    this.hiTo = -1;
    this.loTo = 0;
    this.group = packetType === PacketType.Broadcast || packetType === PacketType.Multicast ? 1 : 0;
    this.perhapsGroup = packetType === PacketType.Outgoing ? 1 : this.group;
  }
}

/** VLAN of the outermost tag, 0 without one. */
function tagOf({ view, kinds, offsets, layerCount }: Frame): number {
  return layerCount > 1 && kinds[1] === Protocol.Vlan ? vlanId(view, offsets[1]) : 0;
}
