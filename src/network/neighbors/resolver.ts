import { ArpOperation, arpOperation, isEthernetIpv4, SHA, SPA, THA, TPA } from '../../wire/arp.js';
import type { Frame } from '../../wire/frame.js';
import { Icmpv6Type, icmpv6Flags, icmpv6Type, TARGET } from '../../wire/icmpv6.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE } from '../../wire/ipv6.js';
import type { Addresses } from '../addresses.js';
import type { Routers } from '../ip/routers.js';
import type { Arrivals } from '../link/arrivals.js';
import { KeyTable } from '../rows/key-table.js';
import type { Announcements } from './announcements.js';
import type { ArpSenders } from './arp-senders.js';
import { type Bindings, Claim, claimAgain } from './bindings.js';
import type { Claims } from './claims.js';
import type { DadProbes } from './dad-probes.js';
import type { LatestArp } from './latest-arp.js';
import type { Probes } from './probes.js';
import type { Refreshes } from './refreshes.js';
import type { Resolutions } from './resolutions.js';
import { SAME_REQUEST_NS } from './same-request.js';

const SOLICITED = 0x40;
/** First byte of IPv6 multicast addresses (RFC 4291 section 2.7). */
const IPV6_MULTICAST = 0xff;

const MAX_SOLICITORS = 1 << 14;
const SOLICITOR_HI = 4;
const SOLICITOR_LO = 5;
const SOLICITOR_STRIDE = 6;

/**
 * Sorts ARP packets and neighbor discovery (catalogue 3.2) into resolutions, announcements, probes and claims.
 * `hiFrom` and `loFrom` are the frame's source, `hiTo` and `loTo` its destination, `isGroup` tells whether it was
 * sent to a group, `mayBeGroup` the same where a cooked header leaves it open.
 */
export class Resolver {
  /** Hardware address behind (segment, asking address, target): answers may go to another, and cooked captures do not tell it. */
  private readonly solicitors = new KeyTable(SOLICITOR_STRIDE, MAX_SOLICITORS);
  /** The latest ARP request that came in by unicast: a bridge sends it out at another port, where a cooked header does not tell. */
  private readonly unicast = new Int32Array(4);
  private unicastAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly addresses: Addresses,
    private readonly bindings: Bindings,
    private readonly claims: Claims,
    private readonly resolutions: Resolutions,
    private readonly refreshes: Refreshes,
    private readonly announcements: Announcements,
    private readonly probes: Probes,
    private readonly dadProbes: DadProbes,
    private readonly routers: Routers,
    private readonly arpSenders: ArpSenders,
    private readonly arrivals: Arrivals,
    private readonly latest: LatestArp,
  ) {}

  arp(
    frame: Frame,
    layer: number,
    segment: number,
    hiFrom: number,
    loFrom: number,
    hiTo: number,
    loTo: number,
    isGroup: boolean,
    mayBeGroup: boolean,
    isCopy: boolean,
  ): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    if (!isEthernetIpv4(view, at)) return;
    const operation = arpOperation(view, at);
    const hi = view.getUint16(at + SHA);
    const lo = view.getInt32(at + SHA + 2);
    if (operation !== ArpOperation.Request && operation !== ArpOperation.Reply) {
      // Whoever asks for its own address by RARP begins to live here: a guest whose hypervisor announces it, or one without disk.
      const isOwn = view.getUint16(at + THA) === hi && view.getInt32(at + THA + 2) === lo;
      if (operation === ArpOperation.RarpRequest && isOwn && !isCopy)
        this.arrivals.arrive(segment, hi, lo, frame, layer, true);
      return;
    }
    const spaBits = view.getInt32(at + SPA);
    const tpaBits = view.getInt32(at + TPA);
    const tpa = this.addresses.ipv4(tpaBits);
    const isForeign = hi !== hiFrom || lo !== loFrom;
    if (isForeign && !isCopy)
      this.arpSenders.note(
        frame,
        layer,
        segment,
        hi,
        lo,
        hiFrom,
        loFrom,
        spaBits === 0 ? -1 : this.addresses.ipv4(spaBits),
      );
    if (operation === ArpOperation.Request && spaBits === 0) {
      if (!isCopy && !isForeign) this.probes.probe(segment, hi, lo, tpa, frame, layer);
      return;
    }
    const spa = this.addresses.ipv4(spaBits);
    const toHi = view.getUint16(at + THA);
    const toLo = view.getInt32(at + THA + 2);
    const isReply = operation === ArpOperation.Reply;
    const { latest } = this;
    if (spaBits !== 0 && spaBits !== tpaBits) latest.note(frame, operation, segment, hi, lo, toHi, toLo, spa, tpa);
    // A sender address that is not the frame's is a bond's, a repeater's or a broken packet's: nobody's claim (catalogue A11).
    const isClaim = !isCopy && !isForeign;
    if (spaBits === tpaBits || (isReply && isGroup)) {
      if (isCopy || spaBits === 0) return;
      this.announcements.announce(segment, hi, lo, spa, frame, layer, isReply, (toHi | toLo) === 0);
      if (isClaim) this.probes.claim(segment, hi, lo, spa, frame);
      if (isClaim)
        latest.binding = this.claims.claim(segment, hi, lo, spa, Claim.Announcement, frame, layer, toHi, toLo);
      return;
    }
    if (isReply) {
      const row = this.resolutions.row(segment, toHi, toLo, tpa, spa);
      const isUnasked = this.resolutions.isUnasked(row, frame);
      this.resolutions.answer(row, frame, layer, toHi === hi && toLo === lo, isCopy);
      if (!isCopy) this.refreshes.answer(segment, toHi, toLo, tpa, spa, frame);
      this.probes.answer(segment, toHi, toLo, spa, hi, lo, frame);
      latest.resolution = row;
      if (!isClaim) return;
      latest.binding = isUnasked
        ? this.claims.unasked(segment, hi, lo, spa, frame, layer, toHi, toLo, this.isHeard(segment, toHi, toLo, tpa))
        : this.claims.claim(segment, hi, lo, spa, Claim.Reply, frame, layer, toHi, toLo);
      return;
    }
    if (isClaim) {
      this.probes.claim(segment, hi, lo, spa, frame);
      latest.binding = this.claims.claim(segment, hi, lo, spa, Claim.Request, frame, layer, toHi, toLo);
    }
    // A unicast request only refreshes what the station knows already (catalogue 3.2).
    if (!mayBeGroup || (!isGroup && this.passedByUnicast(hi, lo, spa, tpa, frame.time))) {
      this.noteUnicast(hi, lo, spa, tpa, frame.time);
      this.claims.refreshed(segment, tpa, frame);
      // A proxy that knows the holder already never asks all.
      if (!isCopy) this.bindings.ask(segment, hi, lo, tpa);
      // Without a destination MAC it stays open whom it asks.
      if (!isCopy && hiTo >= 0) this.refreshes.request(segment, hi, lo, spa, tpa, hiTo, loTo, frame, layer);
      return;
    }
    const row = this.resolutions.row(segment, hi, lo, spa, tpa);
    if (!isCopy) {
      const asked = claimAgain(this.bindings, this.resolutions.askedBinding(row), segment, hi, lo, tpa, Claim.Asked);
      this.resolutions.keepAskedBinding(row, asked);
      this.claims.asked(segment, tpa, frame);
    }
    this.resolutions.repeats.noteProgram(row, toHi === 0xffff && toLo === -1);
    this.resolutions.request(row, frame, layer);
  }

  /** Neighbor solicitation and advertisement (RFC 4861 section 7.2); `ip` is the layer of the IPv6 header, `hiTo` and `loTo` the destination. */
  neighbor(
    frame: Frame,
    layer: number,
    ip: number,
    segment: number,
    hi: number,
    lo: number,
    hiTo: number,
    loTo: number,
    mayBeGroup: boolean,
    isCopy: boolean,
  ): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const type = icmpv6Type(view, at);
    if (type === Icmpv6Type.RouterAdvertisement && !isCopy) this.routers.advertise(frame, layer, ip, segment, hi, lo);
    if (type !== Icmpv6Type.NeighborSolicitation && type !== Icmpv6Type.NeighborAdvertisement) return;
    const source = frame.offsets[ip] + IPV6_SOURCE;
    const target = this.addresses.ipv6(view, at + TARGET);
    if (type === Icmpv6Type.NeighborSolicitation) {
      // From the unspecified address it is duplicate address detection, which silence answers.
      if (isUnspecified(view, source)) {
        if (!isCopy) this.dadProbes.probe(segment, hi, lo, target, frame, layer);
        return;
      }
      const asker = this.addresses.ipv6(view, source);
      const row = this.solicitors.add(segment, asker, target, 0);
      this.solicitors.cells[row * SOLICITOR_STRIDE + SOLICITOR_HI] = hi;
      this.solicitors.cells[row * SOLICITOR_STRIDE + SOLICITOR_LO] = lo;
      // As with ARP, a unicast solicitation only refreshes what the station knows already. A cooked header of what went out does not
      // tell the two apart, the address does.
      if (!mayBeGroup || view.getUint8(source + IPV6_DESTINATION - IPV6_SOURCE) !== IPV6_MULTICAST) {
        if (!isCopy && hiTo >= 0) this.refreshes.solicit(segment, hi, lo, asker, target, hiTo, loTo, frame, layer);
        return;
      }
      this.resolutions.request(this.resolutions.row(segment, hi, lo, asker, target), frame, layer);
      return;
    }
    if (!isCopy) this.dadProbes.advertise(segment, hi, lo, target, frame, layer);
    if ((icmpv6Flags(view, at) & SOLICITED) === 0) return;
    const asker = this.addresses.ipv6(view, frame.offsets[ip] + IPV6_DESTINATION);
    // Whose solicitation this answers, by the address that it goes to: the MAC beside it is what the answering host has in its table
    // (RFC 4861 section 7.2.4). Before a solicitation was seen it can only be the frame's destination.
    const row = this.solicitors.find(segment, asker, target, 0);
    const { cells } = this.solicitors;
    const toHi = row < 0 ? hiTo : cells[row * SOLICITOR_STRIDE + SOLICITOR_HI];
    const toLo = row < 0 ? loTo : cells[row * SOLICITOR_STRIDE + SOLICITOR_LO];
    const toSelf = toHi === hi && toLo === lo;
    const question = this.resolutions.row(segment, toHi, toLo, asker, target);
    this.resolutions.answer(question, frame, layer, toSelf, isCopy);
    if (!isCopy) this.refreshes.answer(segment, toHi, toLo, target, target, frame);
  }

  /** Whether the station sends packets from the address here: then its questions would be seen too. */
  private isHeard(segment: number, hi: number, lo: number, address: number): boolean {
    const row = this.bindings.find(segment, hi, lo, address);
    return row >= 0 && (this.bindings.claims(row) & Claim.Source) !== 0;
  }

  private noteUnicast(hi: number, lo: number, spa: number, tpa: number, time: number): void {
    const { unicast } = this;
    unicast[0] = hi;
    unicast[1] = lo;
    unicast[2] = spa;
    unicast[3] = tpa;
    this.unicastAt = time;
  }

  private passedByUnicast(hi: number, lo: number, spa: number, tpa: number, time: number): boolean {
    const { unicast } = this;
    return (
      Math.abs(time - this.unicastAt) < SAME_REQUEST_NS &&
      unicast[3] === tpa &&
      unicast[2] === spa &&
      unicast[1] === lo &&
      unicast[0] === hi
    );
  }
}

function isUnspecified(view: DataView, at: number): boolean {
  return (view.getInt32(at) | view.getInt32(at + 4) | view.getInt32(at + 8) | view.getInt32(at + 12)) === 0;
}
