import { erspanSession } from '../wire/erspan.js';
import { Direction, type Frame, MAX_LAYERS } from '../wire/frame.js';
import { geneveVni } from '../wire/geneve.js';
import { ipv4Destination, ipv4IsFragment, ipv4Source, ipv4Ttl } from '../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE, ipv6HopLimit } from '../wire/ipv6.js';
import { Protocol } from '../wire/protocol.js';
import { PacketType, SLL_ADDRESS, SLL2_ADDRESS, sll2PacketType, sllPacketType } from '../wire/sll.js';
import { vlanId, vlanTpid } from '../wire/vlan.js';
import { vxlanVni } from '../wire/vxlan.js';
import { Addresses } from './addresses.js';
import { Announcements } from './announcements.js';
import { ArpSenders } from './arp-senders.js';
import { Bindings } from './bindings.js';
import { CaptureQualities } from './capture-quality.js';
import { Claims } from './claims.js';
import type { Device } from './context/device.js';
import type { HostContext } from './context/host-context.js';
import { Copies } from './copies.js';
import { DadProbes } from './dad-probes.js';
import { Datagrams } from './datagrams.js';
import { DoubleReplies } from './double-replies.js';
import { Echoes } from './echoes.js';
import type { NetworkEvents } from './events.js';
import { FlowReader } from './flow-reader.js';
import { Flows } from './flows.js';
import { FragmentReader } from './fragment-reader.js';
import { Fragments } from './fragments.js';
import { FrameLists } from './frame-lists.js';
import { Handshakes } from './handshakes.js';
import { IcmpErrors } from './icmp-errors.js';
import { IcmpReader } from './icmp-reader.js';
import { Leases } from './leases.js';
import { Locations } from './locations.js';
import { Moves } from './moves.js';
import { PathMtus } from './path-mtus.js';
import { Pings } from './pings.js';
import { Probes } from './probes.js';
import { RecentPackets } from './recent-packets.js';
import { Refreshes } from './refreshes.js';
import { Relays } from './relays.js';
import { Resets } from './resets.js';
import { Resolutions } from './resolutions.js';
import { Resolver } from './resolver.js';
import { Retransmissions } from './retransmissions.js';
import { Routers } from './routers.js';
import { RoutingLoops } from './routing-loops.js';
import { Segments } from './segments.js';
import { Stations, Trait } from './stations.js';
import { Tags } from './tags.js';
import { TunnelErrors } from './tunnel-errors.js';
import { TunnelQuestions } from './tunnel-questions.js';
import { TunnelReader } from './tunnel-reader.js';
import { TunnelStations } from './tunnel-stations.js';
import { Tunnels } from './tunnels.js';
import { Unheard } from './unheard.js';
import { VirtualRouters } from './virtual-routers.js';
import { Windows } from './windows.js';

/** Programs that write several interfaces write some frames of one before the first of the next. */
const START_FRAMES = 64;

export interface NetworkOptions {
  /** What the capturing host knows of itself. */
  readonly context: HostContext | null;
  /** The device at which the captures were taken, where that is told. */
  readonly vantage: Device | null;
  /** Namespace of the context in which they were taken, where that is told. */
  readonly namespace?: string | null;
  readonly listener: NetworkEvents;
}

/**
 * The network as seen so far: what every frame adds to the tables is added here once, whatever number of rules
 * asks for it. Raises the events of `NetworkEvents`. All tables are bounded.
 */
export class Network {
  listener: NetworkEvents;
  /** A live capture takes them again when links change: rules look at them when they judge, and keep nothing of them. */
  context: HostContext | null;
  vantage: Device | null;
  readonly namespace: string | null;
  readonly captures = new CaptureQualities();
  readonly segments = new Segments();
  readonly stations = new Stations();
  readonly addresses = new Addresses();
  readonly bindings = new Bindings();
  readonly copies = new Copies();
  private readonly recent = new RecentPackets();
  readonly claims: Claims;
  readonly moves: Moves;
  readonly resolutions: Resolutions;
  readonly refreshes: Refreshes;
  readonly announcements: Announcements;
  readonly arpSenders: ArpSenders;
  readonly probes: Probes;
  readonly dadProbes: DadProbes;
  readonly routers: Routers;
  readonly tunnels: Tunnels;
  readonly tunnelStations: TunnelStations;
  readonly tunnelErrors: TunnelErrors;
  readonly tunnelQuestions: TunnelQuestions;
  readonly fragments: Fragments;
  readonly echoes: Echoes;
  readonly pathMtus: PathMtus;
  readonly pings: Pings;
  readonly doubleReplies: DoubleReplies;
  readonly icmpErrors: IcmpErrors;
  readonly leases: Leases;
  readonly relays: Relays;
  readonly locations: Locations;
  /** Port and capture of the frame before; whether the capture has several ports. */
  private port = -1;
  private portCapture = -1;
  private hasPorts = false;
  /** Frames still to be located before several ports are seen. */
  private startFrames = 0;
  readonly routingLoops: RoutingLoops;
  private readonly datagrams: Datagrams;
  readonly tags: Tags;
  readonly unheard: Unheard;
  readonly virtualRouters: VirtualRouters;
  readonly handshakes: Handshakes;
  readonly flows: Flows;
  readonly retransmissions: Retransmissions;
  readonly windows: Windows;
  readonly resets: Resets;
  private readonly resolver: Resolver;
  private readonly tunnelReader: TunnelReader;
  private readonly fragmentReader: FragmentReader;
  private readonly icmpReader: IcmpReader;
  private readonly flowReader: FlowReader;
  /** `Frame.time` of the latest frame. */
  now = Number.NEGATIVE_INFINITY;
  /** Source and destination of the Ethernet header being looked at; a cooked header has no destination. */
  private hi = 0;
  private lo = 0;
  private hiTo = 0;
  private loTo = 0;
  private isGroup = false;
  /** As `isGroup`, but true as well where a cooked header leaves open whom an outgoing frame was sent to. */
  private mayBeGroup = false;

  constructor({ context, vantage, namespace = null, listener }: NetworkOptions) {
    this.context = context;
    this.vantage = vantage;
    this.namespace = namespace;
    this.listener = listener;
    const lists = new FrameLists();
    this.moves = new Moves(new FrameLists(), (row) => this.listener.sentToOld(row));
    this.claims = new Claims(this.bindings, lists, {
      contested: (binding, rival, claim) => this.listener.contested(binding, rival, claim),
      doublyAnswered: (binding, rival, claim) => this.listener.doublyAnswered(binding, rival, claim),
      usurped: (binding, rival, claim) => this.listener.usurped(binding, rival, claim),
      changed: (claim, hi, lo, frame, offset, length) => this.changed(claim, hi, lo, frame, offset, length),
      announced: (claim) => {
        if (this.moves.count === 0) return;
        const { claims, moves } = this;
        const [address] = this.addresses.words(claims.address(claim));
        moves.announce(claims.segment(claim), address, claims.hi(claim), claims.lo(claim), claims.last(claim));
      },
    });
    this.resolutions = new Resolutions(lists, {
      unanswered: (row) => {
        const inner = this.tunnelQuestions.add(row);
        this.listener.unanswered(row);
        if (inner >= 0) this.listener.unansweredInside(inner);
      },
      answered: (row) => this.listener.answered(row),
      askedAgain: (row) => this.listener.askedAgain(row),
    });
    const sentBy = (segment: number, hi: number, lo: number): number => {
      const station = this.stations.find(segment, hi, lo);
      return station < 0 ? 0 : this.stations.sent(station);
    };
    this.refreshes = new Refreshes(new FrameLists(), sentBy, {
      lost: (row) => this.listener.neighborLost(row),
      back: (row) => this.listener.neighborBack(row),
    });
    this.tunnelQuestions = new TunnelQuestions(this.segments, this.resolutions);
    this.announcements = new Announcements(lists, (row) => this.listener.announced(row));
    this.probes = new Probes((row) => this.listener.probeAnswered(row));
    this.dadProbes = new DadProbes((row) => this.listener.dadAnswered(row));
    this.routers = new Routers(this.addresses, lists, (row) => this.listener.routerAdvertised(row));
    this.arpSenders = new ArpSenders(new FrameLists(), (row) => this.listener.arpFromOther(row));
    this.resolver = new Resolver(
      this.addresses,
      this.bindings,
      this.claims,
      this.resolutions,
      this.refreshes,
      this.announcements,
      this.probes,
      this.dadProbes,
      this.routers,
      this.arpSenders,
    );
    // Tunnels list many frames: they must not take the room of others.
    const tunnelLists = new FrameLists();
    this.tunnels = new Tunnels(tunnelLists, (row) => this.listener.tunnelled(row));
    this.tunnelStations = new TunnelStations(tunnelLists, (row) => this.listener.misdirected(row));
    this.tunnelErrors = new TunnelErrors(tunnelLists, (row) => this.listener.tunnelRefused(row));
    this.tunnelReader = new TunnelReader(this.addresses, this.tunnels, this.tunnelStations, this.tunnelErrors);
    this.fragments = new Fragments(new FrameLists(), (row) => this.listener.fragmentsLost(row));
    this.fragmentReader = new FragmentReader(this.addresses, this.fragments);
    const icmpLists = new FrameLists();
    this.echoes = new Echoes(icmpLists, (row) => this.listener.echoesUnanswered(row));
    this.pathMtus = new PathMtus(icmpLists, (row) => this.listener.tooBig(row));
    this.pings = new Pings(icmpLists, {
      lost: (row) => this.listener.pingLost(row),
      strange: (row) => this.listener.strangeReply(row),
    });
    this.icmpErrors = new IcmpErrors(icmpLists, (row) => this.listener.icmpError(row));
    this.doubleReplies = new DoubleReplies(new FrameLists(), (row) => this.listener.answeredTwice(row));
    this.icmpReader = new IcmpReader(
      this.addresses,
      this.echoes,
      this.pathMtus,
      this.pings,
      this.icmpErrors,
      this.doubleReplies,
    );
    this.routingLoops = new RoutingLoops(this.addresses, new FrameLists(), (row) => this.listener.looped(row));
    this.datagrams = new Datagrams(this.routingLoops);
    this.tags = new Tags(new FrameLists(), (row) => this.listener.tagged(row));
    this.unheard = new Unheard(this.stations, this.addresses, new FrameLists(), (row) => this.listener.unheard(row));
    this.leases = new Leases(new FrameLists(), (row, type) => this.listener.leased(row, type));
    this.relays = new Relays(new FrameLists(), (row) => this.listener.relayed(row));
    this.virtualRouters = new VirtualRouters(this.addresses, new FrameLists(), (row) => this.listener.mastersMet(row));
    this.locations = new Locations((row) => this.listener.moved(row));
    this.handshakes = new Handshakes(new FrameLists(), (row) => this.listener.connecting(row));
    const streamLists = new FrameLists();
    this.retransmissions = new Retransmissions(streamLists, {
      repeated: (row) => this.listener.retransmitted(row),
      stuck: (row) => this.listener.stalled(row),
    });
    this.windows = new Windows(streamLists, (row) => this.listener.windowClosed(row));
    this.resets = new Resets(streamLists, (row) => this.listener.connectionReset(row));
    this.flows = new Flows(this.handshakes, this.retransmissions, this.windows, this.resets);
    this.flowReader = new FlowReader(this.addresses, this.flows);
  }

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
          const inner = this.segments.vni(segment, vxlanVni(frame.view, frame.offsets[layer]));
          this.tunnelReader.vxlan(frame, layer, count, segment, inner);
          segment = inner;
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

  /**
   * How sure it is that an answer to a resolution would have been seen: `yes` where the requester sends from this
   * machine and frames come in, `perhaps` where unicast for it is seen (whose, and all of it, is unknown).
   */
  seesAnswersTo(resolution: number): 'yes' | 'perhaps' | 'no' {
    const { resolutions } = this;
    return this.seesUnicastTo(resolutions.segment(resolution), resolutions.hi(resolution), resolutions.lo(resolution));
  }

  /** The same of any unicast to a station. */
  seesUnicastTo(segment: number, hi: number, lo: number): 'yes' | 'perhaps' | 'no' {
    const { stations, segments } = this;
    const station = stations.find(segment, hi, lo);
    if (station < 0) return 'no';
    if (stations.sentOut(station) && segments.sawInbound(segment)) return 'yes';
    return stations.wasWrittenTo(station) ? 'perhaps' : 'no';
  }

  /** Tells what time has made ripe without a frame: live, when nothing comes. */
  tick(time: number): void {
    if (time >= this.resolutions.due) this.resolutions.ripen(time);
    if (time >= this.refreshes.due) this.refreshes.ripen(time);
  }

  /** Raises the events that the end of a capture decides. */
  endCapture(capture: number): void {
    this.resolutions.finish((segment) => this.segments.captureOf(segment) === capture);
    this.refreshes.finish((segment) => this.segments.captureOf(segment) === capture);
    this.locations.finish();
    this.fragments.finish(this.now, (segment) => this.segments.captureOf(segment) === capture);
    this.icmpErrors.finish((segment) => this.segments.captureOf(segment) === capture);
    this.handshakes.finish((segment) => this.segments.captureOf(segment) === capture);
    this.routingLoops.finish((segment) => this.segments.captureOf(segment) === capture);
    this.flows.finish();
    this.retransmissions.finish((segment) => this.segments.captureOf(segment) === capture);
    this.windows.finish(this.now, (segment) => this.segments.captureOf(segment) === capture);
    this.unheard.finish((segment) => this.segments.captureOf(segment) === capture);
    this.pings.finish((segment) => this.segments.captureOf(segment) === capture);
  }

  /** An address is claimed by another station than before. */
  private changed(claim: number, hi: number, lo: number, frame: number, offset: number, length: number): void {
    const { claims } = this;
    const [address] = this.addresses.words(claims.address(claim));
    const segment = claims.segment(claim);
    const time = claims.last(claim);
    this.moves.change(segment, address, hi, lo, claims.hi(claim), claims.lo(claim), time, frame, offset, length);
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
    if (isOutermost && !isCopy && !isGroup && hiTo >= 0 && direction !== Direction.Out)
      this.unheard.observe(frame, layer, segment, hi, lo, hiTo, loTo);
    const kind = layer < count ? frame.kinds[layer] : Protocol.None;
    if (!isCopy && !isGroup && (kind === Protocol.Ipv4 || kind === Protocol.Ipv6))
      this.datagrams.observe(frame, layer, segment, hi, lo, hiTo, loTo);
    if (kind === Protocol.Ipv4) {
      if (!isCopy && ipv4IsFragment(frame.view, frame.offsets[layer])) this.fragmentReader.ipv4(frame, layer, segment);
      if (this.pathMtus.count > 0 && !isCopy) this.icmpReader.ipv4(frame, layer, segment);
      if (this.moves.count > 0 && !isCopy && !isGroup && hiTo >= 0) {
        const header = frame.offsets[layer];
        const destination = ipv4Destination(frame.view, header);
        this.moves.packet(frame, layer, segment, ipv4Source(frame.view, header), destination, hi, lo, hiTo, loTo);
      }
      this.ipv4(frame, frame.offsets[layer], segment);
      return layer + 1;
    }
    if (!isGroup && hiTo >= 0) this.stations.receives(segment, hiTo, loTo);
    if (kind === Protocol.Arp)
      this.resolver.arp(frame, layer, segment, hi, lo, hiTo, loTo, isGroup, mayBeGroup, isCopy);
    else if (kind === Protocol.Ipv6) {
      const header = frame.offsets[layer];
      this.bindings.source(
        segment,
        hi,
        lo,
        this.addresses.ipv6(frame.view, header + IPV6_SOURCE),
        ipv6HopLimit(frame.view, header),
      );
      if (this.claims.contestedCount > 0)
        this.bindings.deliver(segment, hiTo, loTo, this.addresses.ipv6(frame.view, header + IPV6_DESTINATION));
      let inner = layer + 1;
      while (inner < count && frame.kinds[inner] === Protocol.Ipv6Extension) {
        if (!isCopy) this.fragmentReader.ipv6(frame, layer, inner, segment);
        inner++;
      }
      if (inner < count && frame.kinds[inner] === Protocol.Icmpv6)
        this.resolver.neighbor(frame, inner, layer, segment, hi, lo, hiTo, loTo, mayBeGroup, isCopy);
    } else return layer;
    return layer + 1;
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

  private ipv4(frame: Frame, header: number, segment: number): void {
    const { view } = frame;
    const { hi, lo, hiTo, loTo } = this;
    const source = ipv4Source(view, header);
    const isContested = this.claims.contestedCount > 0;
    if (this.recent.has(segment, hi, lo, hiTo, loTo, source) && !isContested) return;
    if (!this.isGroup && hiTo >= 0) this.stations.receives(segment, hiTo, loTo);
    this.bindings.source(segment, hi, lo, this.addresses.ipv4(source), ipv4Ttl(view, header));
    if (isContested) this.bindings.deliver(segment, hiTo, loTo, this.addresses.ipv4(ipv4Destination(view, header)));
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
