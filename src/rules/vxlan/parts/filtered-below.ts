import { type Ip, parseIp } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Network } from '../../../network/network.js';
import type { Filtered } from '../../parts/firewalls/filtered.js';
import { asSymptoms, label, type Question, requestFrames } from '../../parts/question.js';
import type { Diagnosis } from '../../rule.js';
import { certaintyOf, dropWords, transitWords } from './drop-words.js';
import { endpointDrop, isOutwards, senderDrop, type TunnelWay, transitDrop } from './endpoint-firewall.js';
import { endpointBeside, isHeard } from './flood-list-gap.js';
import { carrierOf, groupEnds } from './group-ends.js';
import { outerAddresses } from './peers.js';
import { vxlanLine } from './tunnel.js';

/** The VXLAN devices between two stations, and the way from one to the other. */
interface Between extends TunnelWay {
  readonly near: Device;
  readonly far: Device;
  readonly vni: number;
}

/**
 * A question in vain, seen at a station or bridge, for a host that the host context shows behind another endpoint of the same VNI: the firewall
 * of one of the two machines drops the tunnel between them. Null where that is not so, or frames of the tunnel tell it.
 */
export function filteredBelow(network: Network, question: Question): Diagnosis | null {
  const { context } = network;
  const { asker, target, spa, tpa, requests } = question;
  const between = context && asker && target && betweenOf(context, asker, target);
  if (!between) return null;
  const { near, far, vni, from, to, port, group } = between;
  const [isNearHeard, isFarHeard] = [isHeard(network, near), isHeard(network, far)];
  // Of what goes to a group, frames of the tunnel do not tell who hears it.
  if (!group && (isNearHeard || isFarHeard)) return null;
  const transit = group ? null : transitDrop(network, between, null);
  const own = ownDrop(network, between, { isSent: isNearHeard, endsBefore: transit?.isBack === false });
  const drop = own ?? transit?.drop;
  if (!drop || certaintyOf(drop).isOpen) return null;
  const isNear = drop.namespace.name === near.namespace;
  const isOut = isOutwards(drop);
  if (isOut && (isNear ? isNearHeard : isFarHeard)) return null;
  const isOfGroup = group !== undefined && isNear === isOut;
  // Of what goes back by addresses, they do.
  if (!isOfGroup && (isNearHeard || isFarHeard)) return null;
  const [who, other] = isNear ? [from.text, to.text] : [to.text, from.text];
  // What follows a flood comes by the far end's own address.
  const direct = group && !isNear && !isOut ? endpointDrop(network, { from, to, port }) : null;
  const { said, ...words } =
    own || !transit
      ? dropWords(drop, who, other, isOfGroup ? { port, group } : { port }, false, direct)
      : transitWords(transit, { from: from.text, to: to.text, port });
  return {
    ...question,
    ...words,
    key: `below ${question.key}`,
    summary:
      `${spa} asks who has ${tpa}, ${requests} times. ${label(target)} has this address, and between the two is the tunnel of ` +
      `${label(near)} and ${label(far)}, VNI ${vni}. ${said}`,
    subject: { endpoint: to.text, sender: from.text, vni, port },
    evidence: requestFrames(network, question),
    context: [...words.context, vxlanLine(near), vxlanLine(far)],
    explains: asSymptoms(network, question),
  };
}

/** What the packets come to first: what leaves the near end, what comes in at the far one unless they end before it, what comes back from there. */
function ownDrop(
  network: Network,
  way: Between,
  { isSent, endsBefore }: { readonly isSent: boolean; readonly endsBefore: boolean },
): Filtered | null {
  const { from, to, port } = way;
  const near = isSent ? null : senderDrop(network, way);
  if (near || endsBefore) return near;
  return endpointDrop(network, way) ?? endpointDrop(network, { from: to, to: from, port });
}

function betweenOf(context: HostContext, asker: Device, target: Device): Between | null {
  return betweenGroup(context, asker, target) ?? betweenListed(context, asker, target);
}

/** Two ends that joined the same multicast group. */
function betweenGroup(context: HostContext, asker: Device, target: Device): Between | null {
  const ends = groupEnds(context, asker, target);
  const input = ends && carrierOf(context, ends.far);
  if (!ends || !input || !ends.far.up || ends.far.vxlan?.group?.text !== ends.group.text) return null;
  const { near, far, vni, port, output, group: ip } = ends;
  const [from, to] = [parseIp(ends.from), parseIp(ends.to)];
  return from && to && { near, far, vni, port, from, to, group: { ip, output, input } };
}

function betweenListed(context: HostContext, asker: Device, target: Device): Between | null {
  const near = endpointBeside(context, asker);
  const far = endpointBeside(context, target);
  if (!near?.vxlan || !far?.vxlan || near.namespace === far.namespace || !near.up || !far.up) return null;
  const { port, id: vni } = near.vxlan;
  if (port === null || vni !== far.vxlan.id || port !== far.vxlan.port) return null;
  const [from, to] = [onlyAddress(context, near), onlyAddress(context, far)];
  if (!from || !to || from.family !== to.family) return null;
  return floodsTo(near, to) ? { near, far, vni, from, to, port } : null;
}

function onlyAddress(context: HostContext, device: Device): Ip | null {
  const addresses = outerAddresses(context, device);
  return addresses.length === 1 ? parseIp(addresses[0]) : null;
}

function floodsTo({ vxlan, endpoints }: Device, { text }: Ip): boolean {
  return vxlan?.remote?.text === text || (endpoints?.some(({ mac, dst }) => mac === 0 && dst.text === text) ?? false);
}
