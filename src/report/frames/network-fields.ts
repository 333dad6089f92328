import { ipv4At, ipv6At, macAt } from '../../wire/address.js';
import * as arpHeader from '../../wire/arp.js';
import * as icmpHeader from '../../wire/icmp.js';
import * as v6message from '../../wire/icmpv6.js';
import * as igmpHeader from '../../wire/igmp.js';
import * as v4 from '../../wire/ipv4.js';
import * as v6 from '../../wire/ipv6.js';
import * as extension from '../../wire/ipv6-extension.js';
import type { Describe, Fields } from './describe.js';

export const arp: Describe = (out, view, at) => {
  out.operation = arpHeader.arpOperation(view, at);
  if (!arpHeader.resolvesIpv4(view, at)) return;
  // The offsets of RFC 826 for addresses of 6 bytes move with other lengths.
  const moved = arpHeader.arpHardwareLength(view, at) - 6;
  if (moved === 0) out.senderMac = macAt(view, at + arpHeader.SHA);
  out.senderIp = ipv4At(view, at + arpHeader.SPA + moved);
  if (moved === 0) out.targetMac = macAt(view, at + arpHeader.THA);
  out.targetIp = ipv4At(view, at + arpHeader.TPA + 2 * moved);
};

export const ipv4: Describe = (out, view, at) => {
  out.totalLength = v4.ipv4TotalLength(view, at);
  out.identification = v4.ipv4Identification(view, at);
  out.dontFragment = v4.ipv4DontFragment(view, at);
  out.moreFragments = v4.ipv4MoreFragments(view, at);
  out.fragmentOffset = v4.ipv4FragmentOffset(view, at);
  out.ttl = v4.ipv4Ttl(view, at);
  out.protocolNumber = v4.ipv4Protocol(view, at);
  out.source = ipv4At(view, at + v4.SOURCE);
  out.destination = ipv4At(view, at + v4.DESTINATION);
};

export const ipv6: Describe = (out, view, at) => {
  out.payloadLength = v6.ipv6PayloadLength(view, at);
  out.nextHeader = v6.ipv6NextHeader(view, at);
  out.hopLimit = v6.ipv6HopLimit(view, at);
  out.source = ipv6At(view, at + v6.SOURCE);
  out.destination = ipv6At(view, at + v6.DESTINATION);
};

export const ipv6Extension: Describe = (out, view, at, frame, layer) => {
  out.type = extension.extensionType(frame, layer);
  out.nextHeader = extension.extensionNextHeader(view, at);
  if (!extension.isFragmentHeader(frame, layer)) return;
  out.fragmentOffset = extension.extensionFragmentOffset(view, at);
  out.moreFragments = extension.extensionMoreFragments(view, at);
  out.identification = extension.extensionIdentification(view, at);
};

export const icmp: Describe = (out, view, at) => {
  const type = icmpHeader.icmpType(view, at);
  const code = icmpHeader.icmpCode(view, at);
  out.type = type;
  out.code = code;
  if (icmpHeader.hasIdentifier(type)) {
    out.identifier = icmpHeader.icmpIdentifier(view, at);
    out.sequence = icmpHeader.icmpSequence(view, at);
  } else if (type === icmpHeader.IcmpType.Redirect) out.gateway = ipv4At(view, at + icmpHeader.GATEWAY);
  else if (icmpHeader.isFragmentationNeeded(type, code)) out.mtu = icmpHeader.icmpMtu(view, at);
};

export const icmpv6: Describe = (out, view, at, frame, layer) => {
  const { Icmpv6Type, NdpOption, TARGET } = v6message;
  const type = v6message.icmpv6Type(view, at);
  out.type = type;
  out.code = v6message.icmpv6Code(view, at);
  if (type === Icmpv6Type.EchoRequest || type === Icmpv6Type.EchoReply) {
    out.identifier = v6message.icmpv6Identifier(view, at);
    out.sequence = v6message.icmpv6Sequence(view, at);
  } else if (type === Icmpv6Type.PacketTooBig) out.mtu = v6message.icmpv6Mtu(view, at);
  else if (v6message.hasTarget(type)) out.target = ipv6At(view, at + TARGET);
  if (!v6message.isNeighborDiscovery(type)) return;
  const end = frame.ends[layer];
  putLinkLayer(out, 'sourceLinkLayer', view, v6message.ndpOption(view, at, end, NdpOption.SourceLinkLayer));
  putLinkLayer(out, 'targetLinkLayer', view, v6message.ndpOption(view, at, end, NdpOption.TargetLinkLayer));
};

/** The MAC in a link-layer address option, if the option is there. */
function putLinkLayer(out: Fields, name: string, view: DataView, option: number): void {
  if (option >= 0) out[name] = macAt(view, option + v6message.OPTION_VALUE);
}

export const igmp: Describe = (out, view, at) => {
  const type = igmpHeader.igmpType(view, at);
  out.type = type;
  if (type !== igmpHeader.IgmpType.ReportV3) out.group = ipv4At(view, at + igmpHeader.GROUP);
};
