import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { setUp } from '../../parts/link-down.js';
import { asSymptoms, label, type Question, requestFrames } from '../../parts/question.js';
import type { Diagnosis } from '../../rule.js';
import { endpointBeside, isHeard } from './flood-list-gap.js';
import { underlayOf } from './peers.js';
import { vxlanLine } from './tunnel.js';

/**
 * A question in vain for a host that the host context shows behind another endpoint of the same VNI, where the VXLAN device of one end is set
 * down: it sends nothing, and has neither socket nor group (kernel: `vxlan_stop` in drivers/net/vxlan/vxlan_core.c). Null where that is not so, or
 * the frames of the tunnel tell it.
 */
export function deviceDown(network: Network, question: Question): Diagnosis | null {
  const { context } = network;
  const { asker, target, spa, tpa, requests } = question;
  if (!context || !asker || !target) return null;
  const near = endpointBeside(context, asker);
  const far = endpointBeside(context, target);
  if (!near?.vxlan || !far?.vxlan) return null;
  const { id: vni, port, group } = near.vxlan;
  const [here, there] = [underlayOf(context, near), underlayOf(context, far)];
  if (vni !== far.vxlan.id || port !== far.vxlan.port || here === null || there === null || here === there) return null;
  const down = [near, far].find(({ up }) => !up);
  if (!down || isHeard(network, down)) return null;
  // By unicast, the far machine refuses what comes: vxlan/port-unreachable.
  if (down === far && !group && isHeard(network, near)) return null;
  return {
    ...question,
    key: `list ${question.key}`,
    confidence: 'certain',
    title: `VXLAN device ${label(down)} is down: ${spa} asks for ${tpa} in vain`,
    summary:
      `${spa} asks who has ${tpa}, ${requests} times. ${label(target)} has this address, and between the two is the tunnel of ` +
      `${label(near)} and ${label(far)}, VNI ${vni}. ${label(down)} is not set up, and ${down === near ? 'sends' : 'takes'} nothing.`,
    subject: { device: label(down), ip: tpa, vni },
    evidence: requestFrames(network, question),
    cause: causeOf(down, down === near),
    remedy: setUp(down),
    context: [vxlanLine(near), vxlanLine(far)],
    explains: asSymptoms(network, question),
  };
}

function causeOf({ vxlan }: Device, isNear: boolean): string {
  if (isNear) return 'A VXLAN device that is set down drops what comes to it from its machine or bridge.';
  return vxlan?.group
    ? `A VXLAN device opens its UDP port and joins ${vxlan.group.text} as it is set up, and leaves both as it is set down.`
    : 'A VXLAN device opens its UDP port as it is set up, and closes it as it is set down.';
}
