import { Leases } from './dhcp/leases.js';
import { Relays } from './dhcp/relays.js';
import { FlowReader } from './flows/flow-reader.js';
import { Flows } from './flows/flows.js';
import { Gaps } from './flows/gaps.js';
import { Handshakes } from './flows/handshakes.js';
import { Resets } from './flows/resets.js';
import { Retransmissions } from './flows/retransmissions.js';
import { Windows } from './flows/windows.js';
import { DoubleReplies } from './icmp/double-replies.js';
import { Echoes } from './icmp/echoes.js';
import { IcmpErrors } from './icmp/icmp-errors.js';
import { IcmpReader } from './icmp/icmp-reader.js';
import { PathMtus } from './icmp/path-mtus.js';
import { Pings } from './icmp/pings.js';
import { Datagrams } from './ip/datagrams.js';
import { FragmentReader } from './ip/fragment-reader.js';
import { Fragments } from './ip/fragments.js';
import { RoutingLoops } from './ip/routing-loops.js';
import { Strays } from './ip/strays.js';
import { VirtualRouters } from './ip/virtual-routers.js';
import { Copies } from './link/copies.js';
import { NeighborTables, type NetworkOptions } from './neighbor-tables.js';
import { Digest } from './rows/digest.js';
import { FrameLists } from './rows/frame-lists.js';
import { RecentPackets } from './rows/recent-packets.js';
import { TunnelErrors } from './tunnels/tunnel-errors.js';
import { TunnelReader } from './tunnels/tunnel-reader.js';
import { TunnelStations } from './tunnels/tunnel-stations.js';
import { Tunnels } from './tunnels/tunnels.js';

/**
 * What has been observed so far, one table a subject: rules ask them. `Network` fills them, frame by frame. All tables are
 * bounded. These are of what is carried over the links: tunnels, datagrams, pings, connections.
 */
export class Tables extends NeighborTables {
  private readonly digest = new Digest();
  readonly copies = new Copies(this.digest);
  protected readonly recent = new RecentPackets();
  readonly tunnels: Tunnels;
  readonly tunnelStations: TunnelStations;
  readonly tunnelErrors: TunnelErrors;
  readonly fragments: Fragments;
  readonly echoes: Echoes;
  readonly pathMtus: PathMtus;
  readonly pings: Pings;
  readonly doubleReplies: DoubleReplies;
  readonly icmpErrors: IcmpErrors;
  readonly leases: Leases;
  readonly relays: Relays;
  readonly routingLoops: RoutingLoops;
  protected readonly datagrams: Datagrams;
  readonly virtualRouters: VirtualRouters;
  readonly strays: Strays;
  readonly handshakes: Handshakes;
  readonly flows: Flows;
  readonly retransmissions: Retransmissions;
  readonly windows: Windows;
  readonly resets: Resets;
  readonly gaps: Gaps;
  protected readonly tunnelReader: TunnelReader;
  protected readonly fragmentReader: FragmentReader;
  protected readonly icmpReader: IcmpReader;
  protected readonly flowReader: FlowReader;
  /** `Frame.time` of the latest frame. */
  now = Number.NEGATIVE_INFINITY;

  constructor(options: NetworkOptions) {
    super(options);
    const { settings } = this;
    // Tunnels list many frames: they must not take the room of others.
    const tunnelLists = new FrameLists();
    this.tunnels = new Tunnels(tunnelLists, (row) => this.listener.tunnelled(row));
    this.tunnelStations = new TunnelStations(
      tunnelLists,
      (row) => this.listener.misdirected(row),
      (row, before, frame, layer) => this.listener.movedInTunnel(row, before, frame, layer),
    );
    this.tunnelErrors = new TunnelErrors(tunnelLists, (row) => this.listener.tunnelRefused(row));
    this.tunnelReader = new TunnelReader(
      this.segments,
      this.addresses,
      this.tunnels,
      this.tunnelStations,
      this.tunnelErrors,
    );
    this.fragments = new Fragments(new FrameLists(), (row) => this.listener.fragmentsLost(row), settings);
    this.fragmentReader = new FragmentReader(this.addresses, this.fragments);
    const icmpLists = new FrameLists();
    this.echoes = new Echoes(this.addresses, icmpLists, (row) => this.listener.echoesUnanswered(row));
    this.pathMtus = new PathMtus(icmpLists, (row) => this.listener.tooBig(row), settings);
    const doubleLists = new FrameLists();
    this.pings = new Pings(this.addresses, icmpLists, doubleLists, settings, {
      lost: (row) => this.listener.pingLost(row),
      answered: (row, frame, layer) => this.listener.pingAnswered(row, frame, layer),
      strange: (row) => this.listener.strangeReply(row),
    });
    this.icmpErrors = new IcmpErrors(icmpLists, (row) => this.listener.icmpError(row));
    this.doubleReplies = new DoubleReplies(
      this.pings,
      doubleLists,
      (row) => this.listener.answeredTwice(row),
      settings,
    );
    this.icmpReader = new IcmpReader(
      this.addresses,
      this.echoes,
      this.pathMtus,
      this.pings,
      this.icmpErrors,
      this.doubleReplies,
    );
    this.routingLoops = new RoutingLoops(this.addresses, new FrameLists(), (row) => this.listener.looped(row));
    this.datagrams = new Datagrams(this.digest, this.routingLoops, settings);
    this.leases = new Leases(new FrameLists(), (row, type) => this.listener.leased(row, type), settings);
    this.relays = new Relays(new FrameLists(), (row) => this.listener.relayed(row));
    this.strays = new Strays(new FrameLists(), (row) => this.listener.strayed(row));
    this.virtualRouters = new VirtualRouters(
      this.addresses,
      new FrameLists(),
      (row) => this.listener.mastersMet(row),
      (row, former) => {
        const { strays, virtualRouters: routers } = this;
        const [hi, lo] = [routers.hi(former), routers.lo(former)];
        strays.takenOver(routers.segment(row), row, routers.hi(row), routers.lo(row), former, hi, lo);
      },
      settings,
    );
    this.handshakes = new Handshakes(new FrameLists(), (row) => this.listener.connecting(row));
    const streamLists = new FrameLists();
    this.retransmissions = new Retransmissions(streamLists, {
      repeated: (row) => this.listener.retransmitted(row),
      stuck: (row) => this.listener.stalled(row),
    });
    this.windows = new Windows(streamLists, (row) => this.listener.windowClosed(row), settings);
    this.resets = new Resets(streamLists, (row) => this.listener.connectionReset(row));
    this.gaps = new Gaps(streamLists);
    this.flows = new Flows(this.handshakes, this.retransmissions, this.windows, this.resets, this.gaps);
    this.flowReader = new FlowReader(this.addresses, this.flows);
  }

  /** Raises the events that the end of a capture decides. */
  endCapture(capture: number): void {
    const isIn = (segment: number) => this.segments.captureOf(segment) === capture;
    this.resolutions.finish(isIn);
    this.refreshes.finish(isIn);
    this.locations.finish();
    this.fragments.finish(this.now, isIn);
    this.icmpErrors.finish(isIn);
    this.handshakes.finish(isIn);
    this.routingLoops.finish(isIn);
    this.flows.finish();
    this.retransmissions.finish(isIn);
    this.gaps.finish(isIn);
    this.windows.finish(this.now, isIn);
    this.unheard.finish(isIn);
    this.pings.finish(isIn);
  }
}
