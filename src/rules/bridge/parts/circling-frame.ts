import { ipv4At, ipv6At, macAt } from '../../../wire/address.js';
import type { Frame } from '../../../wire/frame.js';
import { geneveVni } from '../../../wire/geneve.js';
import { DESTINATION as IPV4_DESTINATION, SOURCE as IPV4_SOURCE, ipv4Destination } from '../../../wire/ipv4.js';
import { DESTINATION as IPV6_DESTINATION, SOURCE as IPV6_SOURCE } from '../../../wire/ipv6.js';
import { Protocol } from '../../../wire/protocol.js';
import { PacketType, sll2PacketType } from '../../../wire/sll.js';
import { vxlanVni } from '../../../wire/vxlan.js';
import { outerIp } from './tunnel-copies.js';

/** Programs send the same datagram in the frame at `layer` again and again, with one IP identification as well; nobody repeats ARP like that. */
export function isDatagram({ kinds, layerCount }: Frame, layer: number): boolean {
  return kinds.subarray(layer, layerCount).includes(Protocol.Udp);
}

/** The VLAN ids of a frame's tags as one number, -1 for none; of more than four tags the inner ones. */
export function tagsOf({ view, kinds, offsets, readable }: Frame): number {
  let tags = -1;
  for (let layer = 1; layer < readable && kinds[layer] === Protocol.Vlan; layer++)
    tags = (Math.max(0, tags) * 4096 + (view.getUint16(offsets[layer]) & 0xfff)) % 2 ** 48;
  return tags;
}

export function isToGroup(frame: Frame): boolean {
  const { view, kinds, offsets } = frame;
  if (kinds[0] === Protocol.Ethernet) return (view.getUint8(offsets[0]) & 1) !== 0;
  const type = sll2PacketType(view, offsets[0]);
  // Outgoing frames of a cooked capture do not say whom they are for, but what is in them may.
  if (type === PacketType.Outgoing) return !isForOne(frame);
  return type !== PacketType.Host && type !== PacketType.OtherHost;
}

/** Whether the packet is for one host: a TCP stack resets a full pipe with hundreds of packets that are all alike. */
function isForOne({ view, kinds, offsets, readable }: Frame): boolean {
  for (let layer = 1; layer < readable; layer++) {
    // Multicast begins at 224.0.0.0, and broadcast is at its end.
    if (kinds[layer] === Protocol.Ipv4) return ipv4Destination(view, offsets[layer]) >>> 28 < 14;
    if (kinds[layer] === Protocol.Ipv6) return view.getUint8(offsets[layer] + IPV6_DESTINATION) !== 0xff;
  }
  return false;
}

export function sourceOf({ view, kinds, offsets }: Frame, layer: number): string {
  // Ethernet and Linux cooked v1 have it at the same offset by chance.
  const sender = kinds[layer] === Protocol.Sll2 ? 12 : 6;
  return macAt(view, offsets[layer] + sender);
}

/** `VXLAN (VNI 5) from 10.9.0.1 to 10.9.0.2`, for the frame in `layer`; '' where it is in no tunnel. */
export function tunnelOf(frame: Frame, layer: number): string {
  const ip = outerIp(frame, layer);
  if (ip < 0) return '';
  const { view, kinds, offsets } = frame;
  const at = offsets[ip];
  const [from, to] =
    kinds[ip] === Protocol.Ipv4
      ? [ipv4At(view, at + IPV4_SOURCE), ipv4At(view, at + IPV4_DESTINATION)]
      : [ipv6At(view, at + IPV6_SOURCE), ipv6At(view, at + IPV6_DESTINATION)];
  return `${tunnelName(frame, layer - 1)} from ${from} to ${to}`;
}

function tunnelName({ view, kinds, offsets }: Frame, layer: number): string {
  if (kinds[layer] === Protocol.Vxlan) return `VXLAN (VNI ${vxlanVni(view, offsets[layer])})`;
  return kinds[layer] === Protocol.Geneve ? `Geneve (VNI ${geneveVni(view, offsets[layer])})` : 'GRE';
}
