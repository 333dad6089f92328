import { Addresses } from './addresses.js';
import type { Device } from './context/device.js';
import type { HostContext } from './context/host-context.js';
import type { NetworkEvents } from './events.js';
import { Home } from './home.js';
import { Routers } from './ip/routers.js';
import { Arrivals } from './link/arrivals.js';
import { CaptureQualities } from './link/capture-quality.js';
import { Locations } from './link/locations.js';
import { IPV4, IPV6, Moves } from './link/moves.js';
import { Segments } from './link/segments.js';
import { Stations } from './link/stations.js';
import { Tags } from './link/tags.js';
import { Announcements } from './neighbors/announcements.js';
import { ArpSenders } from './neighbors/arp-senders.js';
import { Bindings } from './neighbors/bindings.js';
import { Claims } from './neighbors/claims.js';
import { DadProbes } from './neighbors/dad-probes.js';
import { LatestArp } from './neighbors/latest-arp.js';
import { claimMoved, neighborMoved } from './neighbors/moved-holders.js';
import { NeighborHolders } from './neighbors/neighbor-holders.js';
import { NeighborRoles } from './neighbors/neighbor-roles.js';
import { Probes } from './neighbors/probes.js';
import { Refreshes } from './neighbors/refreshes.js';
import { Resolutions } from './neighbors/resolutions.js';
import { Resolver } from './neighbors/resolver.js';
import { isAnsweredWhereAsked } from './neighbors/several-ports.js';
import { Unheard } from './neighbors/unheard.js';
import { FrameLists } from './rows/frame-lists.js';
import { type NetworkSettings, OWN_SETTINGS } from './settings.js';
import { TunnelQuestions } from './tunnels/tunnel-questions.js';

export interface NetworkOptions {
  /** What the capturing host knows of itself. */
  readonly context: HostContext | null;
  /** The device at which the captures were taken, where that is told. */
  readonly vantage: Device | null;
  /** Namespace of the context in which they were taken, where that is told. */
  readonly namespace?: string | null;
  readonly listener: NetworkEvents;
  /** What decides that something is noticed; `SETTINGS` says what. */
  readonly settings?: NetworkSettings;
}

/** Links, who is on them, and who has which address there: by all frames, and by ARP and neighbor discovery. */
export class NeighborTables {
  listener: NetworkEvents;
  readonly settings: NetworkSettings;
  readonly captures: CaptureQualities;
  readonly segments = new Segments();
  readonly stations = new Stations((row, hi, lo) => this.home.meet(row, hi, lo));
  readonly home = new Home(this.stations, this.segments);
  readonly addresses = new Addresses();
  readonly bindings = new Bindings();
  readonly claims: Claims;
  readonly moves: Moves;
  readonly neighborHolders: NeighborHolders;
  readonly neighborRoles = new NeighborRoles(this.addresses);
  readonly resolutions: Resolutions;
  readonly refreshes: Refreshes;
  readonly announcements: Announcements;
  readonly arrivals = new Arrivals(new FrameLists());
  readonly arpSenders: ArpSenders;
  readonly latestArp = new LatestArp();
  readonly probes: Probes;
  readonly dadProbes: DadProbes;
  readonly routers: Routers;
  readonly tunnelQuestions: TunnelQuestions;
  readonly locations: Locations;
  readonly tags: Tags;
  readonly unheard: Unheard;
  protected readonly resolver: Resolver;

  /**
   * What the host says of itself, where it speaks of the capture that is read. A live capture takes it again when links change: rules look at
   * it when they judge, and keep nothing of it.
   */
  get context(): HostContext | null {
    return this.home.context;
  }

  /** The device that is captured at, where the context has it. */
  get vantage(): Device | null {
    return this.home.vantage;
  }

  /** The namespace of the context that devices are numbered in, where that is told. */
  get namespace(): string | null {
    return this.home.namespace;
  }

  constructor({ context, vantage, namespace = null, listener, settings = OWN_SETTINGS }: NetworkOptions) {
    this.home.context = context;
    this.home.vantage = vantage;
    this.home.namespace = namespace;
    this.listener = listener;
    this.settings = settings;
    this.captures = new CaptureQualities(settings);
    const lists = new FrameLists();
    this.moves = new Moves(new FrameLists(), (row) => this.listener.sentToOld(row));
    this.neighborHolders = new NeighborHolders(this.addresses, settings, {
      changed: (row, hi, lo, frame, layer) => neighborMoved(this, row, hi, lo, frame, layer),
      doubled: (row) => this.listener.neighborDoubled(row),
      announced: (row, time) => {
        const { moves, neighborHolders: holders } = this;
        if (moves.ipv6Count === 0) return;
        moves.announce(holders.segment(row), IPV6, holders.address(row), holders.hi(row), holders.lo(row), time);
      },
    });
    this.claims = new Claims(this.bindings, lists, settings, {
      contested: (binding, rival, claim) => this.listener.contested(binding, rival, claim),
      doublyAnswered: (binding, rival, claim) => this.listener.doublyAnswered(binding, rival, claim),
      usurped: (binding, rival, claim) => this.listener.usurped(binding, rival, claim),
      disregarded: (binding, rival, claim, times) => this.listener.disregarded(binding, rival, claim, times),
      changed: (claim, hi, lo, frame, offset, length) => claimMoved(this, claim, hi, lo, frame, offset, length),
      announced: (claim) => {
        if (this.moves.count === 0) return;
        const { claims, moves } = this;
        const [address] = this.addresses.words(claims.address(claim));
        moves.announce(claims.segment(claim), IPV4, address, claims.hi(claim), claims.lo(claim), claims.last(claim));
      },
    });
    this.resolutions = new Resolutions(lists, settings, {
      unanswered: (row) => {
        if (isAnsweredWhereAsked(this.resolutions, this.segments, row)) return;
        const inner = this.tunnelQuestions.add(row);
        this.listener.unanswered(row);
        if (inner >= 0) this.listener.unansweredInside(inner);
      },
      answered: (row) => this.listener.answered(row),
      askedAgain: (row) => this.listener.askedAgain(row),
    });
    this.refreshes = new Refreshes(new FrameLists(), this.stations, settings, {
      lost: (row) => this.listener.neighborLost(row),
      back: (row) => this.listener.neighborBack(row),
    });
    this.tunnelQuestions = new TunnelQuestions(this.segments, this.resolutions);
    this.announcements = new Announcements(lists, (row) => this.listener.announced(row), settings);
    this.probes = new Probes(
      { answered: (row) => this.listener.probeAnswered(row), rivalled: (row) => this.listener.probeRivalled(row) },
      settings,
    );
    this.dadProbes = new DadProbes((row) => this.listener.dadAnswered(row), settings);
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
      this.arrivals,
      this.latestArp,
    );
    this.locations = new Locations((row) => this.listener.moved(row), settings);
    this.tags = new Tags(new FrameLists(), (row) => this.listener.tagged(row));
    this.unheard = new Unheard(this.stations, this.addresses, new FrameLists(), (row) => this.listener.unheard(row));
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
}
