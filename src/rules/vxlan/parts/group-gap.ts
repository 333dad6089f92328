import { parseIp } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { asSymptoms, label, type Question, requestFrames } from '../../parts/question.js';
import type { Diagnosis } from '../../rule.js';
import { carrierOf, type GroupEnds, groupEnds, isJoinedBeside, sharesNetwork } from './group-ends.js';
import { deviceMadeAnew } from './made-anew.js';
import { flooded, underlayOf } from './peers.js';
import { vxlanLine } from './tunnel.js';

/** What the kinds of gap differ in. */
type Gap = Pick<Diagnosis, 'title' | 'confidence' | 'cause' | 'remedy' | 'wouldRaise'> & {
  /** What the summary ends with. */
  readonly said: string;
  /** What is wrong is the group itself (`vxlan/group-mismatch`). */
  readonly isOtherGroup?: true;
};

/** A diagnosis, the VXLAN device on the asker's side, and whether it is that both ends use different groups. */
export interface GroupGap {
  readonly diagnosis: Diagnosis;
  readonly near: Device;
  readonly isOtherGroup: boolean;
}

/**
 * A question in vain for a host that the host context shows behind another endpoint of the same VNI, where the one on the asker's side floods to a
 * multicast group that the other one does not listen to: no frame of the tunnel is needed. Null where that is not so.
 */
export function groupGap(network: Network, question: Question): GroupGap | null {
  const { context } = network;
  const { asker, target, spa, tpa, requests } = question;
  const ends = context && asker && target ? groupEnds(context, asker, target) : null;
  if (!context || !target || !ends) return null;
  const gap = gapOf(context, ends, `no answer for ${tpa}`);
  if (!gap) return null;
  const { near, far, group, vni, to } = ends;
  const { said, isOtherGroup, ...words } = gap;
  const diagnosis: Diagnosis = {
    ...question,
    ...words,
    key: `list ${question.key}`,
    summary:
      `${spa} asks who has ${tpa}, ${requests} times. ${label(target)} has this address, and is behind ${label(far)} at ${to}. ` +
      `${label(near)} floods VNI ${vni} to multicast group ${group.text}. ${said}`,
    subject: { device: label(near), ip: tpa, group: group.text, missing: to, vni },
    evidence: requestFrames(network, question),
    context: [vxlanLine(near), vxlanLine(far)],
    explains: asSymptoms(network, question),
  };
  return { diagnosis, near, isOtherGroup: isOtherGroup === true };
}

function gapOf(context: HostContext, ends: GroupEnds, inVain: string): Gap | null {
  const { far, group } = ends;
  if (!far.up) return null;
  const own = far.vxlan?.group;
  if (own?.text === group.text) return otherNetwork(context, ends);
  if (isJoinedBeside(context, far, group)) return null;
  return own ? otherGroup(context, ends, own.text, inVain) : withoutGroup(context, ends, inVain);
}

function withoutGroup(context: HostContext, ends: GroupEnds, inVain: string): Gap {
  const { near, far, group, vni, to } = ends;
  // One that was made without `dev` sends by what the routes say.
  const below = carrierOf(context, far) ?? holderOf(context, to, underlayOf(context, far));
  return {
    title: `${label(near)} floods VNI ${vni} to ${group.text}, and ${label(far)} is not on it: ${inVain}`,
    confidence: 'certain',
    said: `${label(far)} was made without a group: nothing joined it there, and the flood list of ${label(near)} lacks ${to}.`,
    cause: 'One VXLAN device of the VNI was made with a multicast group, and another with the addresses of endpoints.',
    remedy: [
      { text: `Name ${to} in the flood list of ${label(near)}, beside the group`, commands: flooded(near, [to]) },
      {
        text: `Or make ${label(far)} again with the group`,
        commands: deviceMadeAnew(context, far, settingsOf(ends, far, group.text, below?.name), far.vxlan?.remote?.text),
      },
    ],
  };
}

function otherGroup(context: HostContext, ends: GroupEnds, other: string, inVain: string): Gap {
  const { near, far, group, vni } = ends;
  const uses = (text: string) => context.devices.filter(({ vxlan }) => vxlan?.id === vni && vxlan.group?.text === text);
  // The odd one is made again.
  const isFar = uses(group.text).length > uses(other).length;
  const [odd, right] = isFar ? [far, group.text] : [near, other];
  const below = carrierOf(context, odd);
  return {
    isOtherGroup: true,
    title: `${label(near)} floods VNI ${vni} to ${group.text}, ${label(far)} to ${other}: ${inVain}`,
    confidence: 'certain',
    said: `${label(far)} was made with group ${other}, and hears that one only.`,
    cause: 'The VXLAN devices were made with different groups.',
    remedy: [
      {
        text: `Make ${label(odd)} again with the group of the other`,
        commands: deviceMadeAnew(context, odd, settingsOf(ends, odd, right, below?.name)),
      },
    ],
  };
}

/** The one device of a namespace that has an address. */
function holderOf(context: HostContext, text: string, namespace: string | null): Device | null {
  const holders = context.devicesByIp(parseIp(text)?.words ?? []).filter((each) => each.namespace === namespace);
  return holders.length === 1 ? holders[0] : null;
}

/** Settings of a device that is made again to flood to a group. What it sends from is kept where it is below the same device. */
function settingsOf({ vni, port }: GroupEnds, { vxlan }: Device, group: string, below = '<underlay device>'): string {
  const local = vxlan?.local && (vxlan.link === below || vxlan.link === null) ? ` local ${vxlan.local.text}` : '';
  return `id ${vni} group ${group} dev ${printable(below)}${local} dstport ${port}`;
}

/** Both joined the group, by devices that are in different networks. */
function otherNetwork(context: HostContext, ends: GroupEnds): Gap | null {
  const { near, far, group, vni, output } = ends;
  const input = carrierOf(context, far);
  if (!input || sharesNetwork(output, input, group.family)) return null;
  const better = betterCarrier(context, far, output, group.family);
  const other = better ? null : betterCarrier(context, near, input, group.family);
  const right = better ?? other;
  if (!right) return null;
  const [odd, carrier] = better ? [far, input] : [near, output];
  const [name, used] = [printable(right.name), printable(carrier.name)];
  return {
    title: `${label(near)} floods VNI ${vni} to ${group.text} by ${printable(output.name)}, and ${label(far)} joined it by ${printable(input.name)}, in another network`,
    confidence: 'likely',
    said: `${label(far)} joined the group too, but the two were made with \`dev\` ${printable(output.name)} and ${printable(input.name)}, which have no address in one network; by ${name}, ${label(odd)} would be in the same.`,
    cause: `A VXLAN device joins its group, and sends to it, by the device that it was made with, and ${label(odd)} was made with ${used} and not ${name}. Only a router for multicast would carry the group from one network to the other.`,
    remedy: [
      {
        text: `Make ${label(odd)} again with \`dev\` ${name}`,
        commands: deviceMadeAnew(context, odd, settingsOf(ends, odd, group.text, name)),
      },
    ],
    wouldRaise: [`a capture at ${name} of ${printable(odd.namespace)}: do packets to the group come in?`],
  };
}

/** The one other device of a VXLAN device's machine that is in the network of a device elsewhere. */
function betterCarrier(
  context: HostContext,
  { namespace, vxlan }: Device,
  there: Device,
  family: 4 | 6,
): Device | null {
  const devices = [...(context.namespaces.get(namespace)?.devices.values() ?? [])];
  const found = devices.filter(
    (each) => each.up && !each.loopback && each.name !== vxlan?.link && sharesNetwork(each, there, family),
  );
  return found.length === 1 ? found[0] : null;
}
