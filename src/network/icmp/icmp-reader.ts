import type { Frame } from '../../wire/frame.js';
import {
  IcmpType,
  icmpCode,
  icmpIdentifier,
  icmpMtu,
  icmpSequence,
  icmpType,
  isFragmentationNeeded,
} from '../../wire/icmp.js';
import { Icmpv6Type, icmpv6Identifier, icmpv6Mtu, icmpv6Sequence, icmpv6Type } from '../../wire/icmpv6.js';
import {
  ipv4Destination,
  ipv4DontFragment,
  ipv4MoreFragments,
  ipv4Source,
  ipv4TotalLength,
  ipv4Ttl,
} from '../../wire/ipv4.js';
import {
  DESTINATION as IPV6_DESTINATION,
  SOURCE as IPV6_SOURCE,
  ipv6HopLimit,
  ipv6PayloadLength,
} from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import type { Addresses } from '../addresses.js';
import { IPV6 } from '../flows/flow-rows.js';
import type { DoubleReplies } from './double-replies.js';
import type { Echoes } from './echoes.js';
import { IcmpErrorReader } from './icmp-error-reader.js';
import type { IcmpErrors } from './icmp-errors.js';
import type { PathMtus } from './path-mtus.js';
import type { Pings } from './pings.js';

const IPV6_HEADER = 40;
/** RFC 8200 section 5. */
const IPV6_MIN_MTU = 1280;
/** Offset of the identifier of an echo request or reply, with the sequence number behind it (RFC 792, RFC 4443 section 4.1). */
const ECHO_IDENTIFIER = 4;
/** Requests that may not go farther than traceroute's 30 hops are not meant to arrive. */
const TRACEROUTE_HOPS = 30;

/** Reads pings, and errors that tell an MTU, into their tables; other errors are `IcmpErrorReader`'s. */
export class IcmpReader {
  private readonly errors: IcmpErrorReader;

  constructor(
    private readonly addresses: Addresses,
    private readonly echoes: Echoes,
    private readonly pathMtus: PathMtus,
    private readonly pings: Pings,
    errors: IcmpErrors,
    private readonly doubles: DoubleReplies,
  ) {
    this.errors = new IcmpErrorReader(addresses, errors);
  }

  /** An ICMP header at `layer`; (hi, lo) is where the frame was sent to. */
  icmp(frame: Frame, layer: number, segment: number, hi: number, lo: number, isCopy: boolean): void {
    const { view } = frame;
    const type = icmpType(view, frame.offsets[layer]);
    const ip = layer - 1;
    if (ip < 0 || frame.kinds[ip] !== Protocol.Ipv4 || isCopy) return;
    const isReply = type === IcmpType.EchoReply;
    if (!isReply && type !== IcmpType.Echo) {
      this.other(frame, layer, segment, type);
      return;
    }
    const header = frame.offsets[ip];
    const source = ipv4Source(view, header);
    const destination = ipv4Destination(view, header);
    const hops = ipv4Ttl(view, header);
    const isPing = hops > TRACEROUTE_HOPS && !isGroup(hi) && destination >>> 28 < 14;
    // The rest of a fragmented ping has a fate of its own.
    const size = ipv4MoreFragments(view, header) ? -1 : ipv4TotalLength(view, header);
    this.echo(frame, layer, segment, source, destination, isReply, isPing, hops, size, hi, lo);
  }

  /**
   * An echo request or reply; the arguments are as in `Pings.request`. `isPing` tells a request that should arrive at one
   * host; `size` is the length of the IP packet, -1 where it cannot be told.
   */
  private echo(
    frame: Frame,
    layer: number,
    place: number,
    source: number,
    destination: number,
    isReply: boolean,
    isPing: boolean,
    hops: number,
    size: number,
    hi: number,
    lo: number,
  ): void {
    const { pings, echoes, doubles } = this;
    const word = frame.view.getInt32(frame.offsets[layer] + ECHO_IDENTIFIER);
    const id = word >>> 16;
    const sequence = word & 0xffff;
    const isIpv4 = (place & IPV6) === 0;
    if (isReply) {
      const ping = pings.reply(place, destination, source, id, sequence, frame, layer);
      if (ping >= 0 && isIpv4) doubles.reply(ping, sequence, frame, layer);
      if (size >= 0) echoes.reply(ping < 0 ? -1 : pings.echo(ping), place, id, destination, source, size);
      return;
    }
    let ping: number;
    if (isPing) {
      ping = pings.request(place, source, destination, id, sequence, hops, hi, lo, frame, layer);
      if (isIpv4) doubles.request(ping, sequence, frame, layer);
    } else ping = pings.find(place, source, destination, id);
    if (size < 0) return;
    const before = ping < 0 ? -1 : pings.echo(ping);
    const row = echoes.request(before, place, id, source, destination, size, hi, lo, frame, layer);
    if (ping < 0) echoes.remember(place, source, destination, id, row);
    else if (row !== before) pings.setEcho(ping, row);
  }

  /** ICMP that is no ping. */
  private other(frame: Frame, layer: number, segment: number, type: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const isTooBig = isFragmentationNeeded(type, icmpCode(view, at));
    if (frame.quotedFrom < frame.layerCount) {
      const isPing = type !== IcmpType.Redirect && this.refusedPing(frame, segment);
      if (!isTooBig) this.errors.error(frame, layer, segment, type, isPing);
    }
    if (isTooBig) {
      const quoted = frame.quotedFrom;
      if (quoted >= frame.layerCount || frame.kinds[quoted] !== Protocol.Ipv4 || frame.statuses[quoted] !== 0) return;
      const packet = frame.offsets[quoted];
      const source = this.addresses.ipv4(ipv4Source(view, packet));
      const destination = this.addresses.ipv4(ipv4Destination(view, packet));
      const reporter = this.addresses.ipv4(ipv4Source(view, frame.offsets[layer - 1]));
      const length = ipv4TotalLength(view, packet);
      this.pathMtus.tooBig(segment, source, destination, icmpMtu(view, at), reporter, length, frame, layer);
    }
  }

  /** An IPv4 header at `layer`, while there are paths with a known MTU: does the sender keep to it? */
  ipv4(frame: Frame, layer: number, segment: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    if (!ipv4DontFragment(view, at)) return;
    const source = this.addresses.ipv4(ipv4Source(view, at));
    const destination = this.addresses.ipv4(ipv4Destination(view, at));
    this.pathMtus.sent(segment, source, destination, ipv4TotalLength(view, at), frame, layer);
  }

  /** As `ipv4`: all IPv6 packets must stay whole on their way. */
  ipv6(frame: Frame, layer: number, segment: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const length = ipv6PayloadLength(view, at);
    // Zero: a jumbogram, or what is cut on the way out (offload).
    if (length === 0) return;
    const source = this.addresses.ipv6(view, at + IPV6_SOURCE);
    const destination = this.addresses.ipv6(view, at + IPV6_DESTINATION);
    const size = length + IPV6_HEADER;
    // No host need send less (RFC 8201 section 4).
    if (size > IPV6_MIN_MTU) this.pathMtus.sent(segment, source, destination, size, frame, layer);
  }

  icmpv6(frame: Frame, layer: number, segment: number, hi: number, lo: number, isCopy: boolean): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const type = icmpv6Type(view, at);
    if (isCopy) return;
    if (type === Icmpv6Type.EchoRequest || type === Icmpv6Type.EchoReply) {
      this.echo6(frame, layer, segment, hi, lo, type === Icmpv6Type.EchoReply);
      return;
    }
    const ip = layer - 1;
    // Extension headers in front are left alone: fragments have a fate of their own.
    if (ip < 0 || frame.kinds[ip] !== Protocol.Ipv6) return;
    const header = frame.offsets[ip];
    if (frame.quotedFrom < frame.layerCount) {
      const isPing = this.refusedPing(frame, segment);
      if (type !== Icmpv6Type.PacketTooBig) this.errors.error6(frame, layer, segment, type, isPing);
    } else if (type === Icmpv6Type.Redirect) this.errors.redirect6(frame, layer, segment, header);
    if (type === Icmpv6Type.PacketTooBig) {
      const quoted = frame.quotedFrom;
      if (quoted >= frame.layerCount || frame.kinds[quoted] !== Protocol.Ipv6 || frame.statuses[quoted] !== 0) return;
      const packet = frame.offsets[quoted];
      const source = this.addresses.ipv6(view, packet + IPV6_SOURCE);
      const destination = this.addresses.ipv6(view, packet + IPV6_DESTINATION);
      const reporter = this.addresses.ipv6(view, header + IPV6_SOURCE);
      const length = ipv6PayloadLength(view, packet) + IPV6_HEADER;
      this.pathMtus.tooBig(segment, source, destination, icmpv6Mtu(view, at), reporter, length, frame, layer);
    }
  }

  /** An ICMP error answers the echo request that it quotes. Returns whether that is of a ping that was seen (of traceroute are none). */
  private refusedPing(frame: Frame, segment: number): boolean {
    const { view, kinds, offsets, statuses, quotedFrom } = frame;
    const inner = quotedFrom + 1;
    if (inner >= frame.layerCount || statuses[quotedFrom] !== 0 || statuses[inner] !== 0) return false;
    const at = offsets[inner];
    const header = offsets[quotedFrom];
    if (kinds[inner] === Protocol.Icmp && kinds[quotedFrom] === Protocol.Ipv4 && icmpType(view, at) === IcmpType.Echo) {
      const from = ipv4Source(view, header);
      const to = ipv4Destination(view, header);
      return this.pings.refused(segment, from, to, icmpIdentifier(view, at), icmpSequence(view, at));
    }
    if (
      kinds[inner] === Protocol.Icmpv6 &&
      kinds[quotedFrom] === Protocol.Ipv6 &&
      icmpv6Type(view, at) === Icmpv6Type.EchoRequest
    ) {
      const from = this.addresses.ipv6(view, header + IPV6_SOURCE);
      const to = this.addresses.ipv6(view, header + IPV6_DESTINATION);
      return this.pings.refused(segment | IPV6, from, to, icmpv6Identifier(view, at), icmpv6Sequence(view, at));
    }
    return false;
  }

  /** An ICMPv6 echo request or reply at `layer`, extension headers in front or not. */
  private echo6(frame: Frame, layer: number, segment: number, hi: number, lo: number, isReply: boolean): void {
    const { view } = frame;
    let ip = layer - 1;
    while (ip > 0 && frame.kinds[ip] === Protocol.Ipv6Extension) ip--;
    if (ip < 0 || frame.kinds[ip] !== Protocol.Ipv6) return;
    const header = frame.offsets[ip];
    const source = this.addresses.ipv6(view, header + IPV6_SOURCE);
    const destination = this.addresses.ipv6(view, header + IPV6_DESTINATION);
    const hops = ipv6HopLimit(view, header);
    const isPing = hops > TRACEROUTE_HOPS && view.getUint8(header + IPV6_DESTINATION) !== 0xff;
    const length = ipv6PayloadLength(view, header) + IPV6_HEADER;
    // Fragments have a fate of their own, and so has what stands behind other extension headers.
    const size = ip === layer - 1 && length <= 0xffff ? length : -1;
    this.echo(frame, layer, segment | IPV6, source, destination, isReply, isPing, hops, size, hi, lo);
  }
}

/** Whether these are the upper 16 bits of a group address; -1 is no address. */
function isGroup(hi: number): boolean {
  return hi >= 0 && (hi & 0x100) !== 0;
}
