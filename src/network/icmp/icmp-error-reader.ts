import type { Frame } from '../../wire/frame.js';
import { GATEWAY, IcmpType, icmpCode } from '../../wire/icmp.js';
import {
  Icmpv6Type,
  icmpv6Code,
  icmpv6Type,
  isNeighborDiscovery,
  REDIRECT_DESTINATION,
  TARGET,
} from '../../wire/icmpv6.js';
import { IpProtocol } from '../../wire/ip-protocols.js';
import { ipv4Destination, ipv4Protocol, ipv4Source } from '../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE, ipv6NextHeader } from '../../wire/ipv6.js';
import { Protocol } from '../../wire/protocol.js';
import type { Addresses } from '../addresses.js';
import { errorKind, type IcmpErrors, Quoted } from './icmp-errors.js';

/** Ports that traceroute and mtr send UDP to. */
const TRACEROUTE_PORTS = { from: 33434, to: 33534 };

/** Reads ICMP and ICMPv6 errors, and what they quote, into `IcmpErrors`. */
export class IcmpErrorReader {
  constructor(
    private readonly addresses: Addresses,
    private readonly errors: IcmpErrors,
  ) {}

  /** An error about an IPv4 packet: unreachable, redirect, time exceeded. */
  error(frame: Frame, layer: number, segment: number, type: number, isPing: boolean): void {
    if (type !== IcmpType.DestinationUnreachable && type !== IcmpType.Redirect && type !== IcmpType.TimeExceeded)
      return;
    const { view, kinds, offsets, statuses, quotedFrom } = frame;
    if (kinds[quotedFrom] !== Protocol.Ipv4 || statuses[quotedFrom] !== 0) return;
    const at = offsets[layer];
    const header = offsets[quotedFrom];
    const protocol = ipv4Protocol(view, header);
    const port = portOf(frame, protocol);
    this.errors.add(
      segment,
      this.addresses.ipv4(ipv4Source(view, offsets[layer - 1])),
      this.addresses.ipv4(ipv4Source(view, header)),
      this.addresses.ipv4(ipv4Destination(view, header)),
      errorKind(false, type, icmpCode(view, at), quotedAs(protocol, port, isPing && type === IcmpType.TimeExceeded)),
      type === IcmpType.Redirect ? this.addresses.ipv4(view.getInt32(at + GATEWAY)) : -1,
      protocol,
      port,
      frame,
      layer,
    );
  }

  /** An error about an IPv6 packet: unreachable, time exceeded. */
  error6(frame: Frame, layer: number, segment: number, type: number, isPing: boolean): void {
    if (type !== Icmpv6Type.DestinationUnreachable && type !== Icmpv6Type.TimeExceeded) return;
    const { view, kinds, offsets, statuses, quotedFrom } = frame;
    if (kinds[quotedFrom] !== Protocol.Ipv6 || statuses[quotedFrom] !== 0) return;
    const header = offsets[quotedFrom];
    const protocol = ipv6NextHeader(view, header);
    if (isOfTheLink(frame)) return;
    const port = portOf(frame, protocol);
    this.errors.add(
      segment,
      this.addresses.ipv6(view, offsets[layer - 1] + IPV6_SOURCE),
      this.addresses.ipv6(view, header + IPV6_SOURCE),
      this.addresses.ipv6(view, header + IPV6_DESTINATION),
      errorKind(
        true,
        type,
        icmpv6Code(view, offsets[layer]),
        quotedAs(protocol, port, isPing && type === Icmpv6Type.TimeExceeded),
      ),
      -1,
      protocol,
      port,
      frame,
      layer,
    );
  }

  /** ICMPv6 redirect: it names target and destination itself, and goes to the host. */
  redirect6(frame: Frame, layer: number, segment: number, header: number): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    this.errors.add(
      segment,
      this.addresses.ipv6(view, header + IPV6_SOURCE),
      this.addresses.ipv6(view, header + IPV6_DESTINATION),
      this.addresses.ipv6(view, at + REDIRECT_DESTINATION),
      errorKind(true, Icmpv6Type.Redirect, 0, Quoted.Other),
      this.addresses.ipv6(view, at + TARGET),
      0,
      0,
      frame,
      layer,
    );
  }
}

/** Destination port of the quoted packet, 0 where it is not TCP or UDP or was cut. */
function portOf(frame: Frame, protocol: number): number {
  if (protocol !== IpProtocol.Tcp && protocol !== IpProtocol.Udp) return 0;
  const end = frame.ends[frame.quotedFrom];
  // Eight bytes are quoted at least (RFC 792): the ports are in the first four.
  return end + 4 <= frame.limits[frame.quotedFrom] ? frame.view.getUint16(end + 2) : 0;
}

/** What a quoted packet is, of `Quoted`. */
function quotedAs(protocol: number, port: number, isPing: boolean): number {
  if (isPing) return Quoted.Ping;
  const isTrace = protocol === IpProtocol.Udp && port >= TRACEROUTE_PORTS.from && port <= TRACEROUTE_PORTS.to;
  return isTrace ? Quoted.Trace : Quoted.Other;
}

/**
 * Whether neighbor discovery is quoted, which no router passes on: Linux sends errors about redirects from a link-local address that it was to
 * forward to a proxied neighbour (against RFC 4443 section 2.4 (e)), and nothing is lost.
 */
function isOfTheLink({ view, kinds, offsets, quotedFrom, layerCount }: Frame): boolean {
  const inner = quotedFrom + 1;
  return (
    inner < layerCount && kinds[inner] === Protocol.Icmpv6 && isNeighborDiscovery(icmpv6Type(view, offsets[inner]))
  );
}
