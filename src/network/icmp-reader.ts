import type { Frame } from '../wire/frame.js';
import { IcmpType, icmpCode, icmpIdentifier, icmpMtu, icmpType, isFragmentationNeeded } from '../wire/icmp.js';
import { Icmpv6Type, icmpv6Identifier, icmpv6Mtu, icmpv6Type } from '../wire/icmpv6.js';
import { ipv4Destination, ipv4DontFragment, ipv4MoreFragments, ipv4Source, ipv4TotalLength } from '../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE, ipv6PayloadLength } from '../wire/ipv6.js';
import { Protocol } from '../wire/protocol.js';
import type { Addresses } from './addresses.js';
import type { Echoes } from './echoes.js';
import type { PathMtus } from './path-mtus.js';

const IPV6_HEADER = 40;

/** Reads pings, and errors that tell an MTU, into their tables. */
export class IcmpReader {
  constructor(
    private readonly addresses: Addresses,
    private readonly echoes: Echoes,
    private readonly pathMtus: PathMtus,
  ) {}

  /** An ICMP header at `layer`; (hi, lo) is where the frame was sent to. */
  icmp(frame: Frame, layer: number, segment: number, hi: number, lo: number, isCopy: boolean): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const type = icmpType(view, at);
    const ip = layer - 1;
    if (ip < 0 || frame.kinds[ip] !== Protocol.Ipv4 || isCopy) return;
    const header = frame.offsets[ip];
    if (type === IcmpType.Echo || type === IcmpType.EchoReply) {
      // The rest of a fragmented ping has a fate of its own.
      if (ipv4MoreFragments(view, header)) return;
      const from = this.addresses.ipv4(ipv4Source(view, header));
      const to = this.addresses.ipv4(ipv4Destination(view, header));
      const size = ipv4TotalLength(view, header);
      const id = icmpIdentifier(view, at);
      if (type === IcmpType.Echo) this.echoes.request(segment, id, from, to, size, hi, lo, frame, layer);
      else this.echoes.reply(segment, id, to, from, size);
    } else if (isFragmentationNeeded(type, icmpCode(view, at))) {
      const quoted = frame.quotedFrom;
      if (quoted >= frame.layerCount || frame.kinds[quoted] !== Protocol.Ipv4 || frame.statuses[quoted] !== 0) return;
      const packet = frame.offsets[quoted];
      const source = this.addresses.ipv4(ipv4Source(view, packet));
      const destination = this.addresses.ipv4(ipv4Destination(view, packet));
      const reporter = this.addresses.ipv4(ipv4Source(view, header));
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

  icmpv6(frame: Frame, layer: number, segment: number, hi: number, lo: number, isCopy: boolean): void {
    const { view } = frame;
    const at = frame.offsets[layer];
    const type = icmpv6Type(view, at);
    const ip = layer - 1;
    // Extension headers in front are left alone: fragments have a fate of their own.
    if (ip < 0 || frame.kinds[ip] !== Protocol.Ipv6 || isCopy) return;
    const header = frame.offsets[ip];
    if (type === Icmpv6Type.EchoRequest || type === Icmpv6Type.EchoReply) {
      const from = this.addresses.ipv6(view, header + IPV6_SOURCE);
      const to = this.addresses.ipv6(view, header + IPV6_DESTINATION);
      const size = ipv6PayloadLength(view, header) + IPV6_HEADER;
      const id = icmpv6Identifier(view, at);
      if (size > 0xffff) return;
      if (type === Icmpv6Type.EchoRequest) this.echoes.request(segment, id, from, to, size, hi, lo, frame, layer);
      else this.echoes.reply(segment, id, to, from, size);
    } else if (type === Icmpv6Type.PacketTooBig) {
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
}
