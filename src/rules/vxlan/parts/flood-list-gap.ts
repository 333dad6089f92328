import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { reach } from '../../../network/context/reach.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { asSymptoms, inNamespace, label, type Question, requestFrames } from '../../parts/question.js';
import type { Diagnosis } from '../../rule.js';
import { flooded as added, EVERYBODY, outerAddresses } from './peers.js';
import { vxlanLine } from './tunnel.js';

/**
 * A question in vain for a host that the host context shows behind another endpoint of the same VNI, which the flood list on the
 * asker's side lacks: no frame of that endpoint is needed. Null where that is not so.
 */
export function floodListGap(network: Network, question: Question): Omit<Diagnosis, 'confidence'> | null {
  const { asker, target, spa, tpa, requests } = question;
  if (!asker || !target) return null;
  const gap = gapBetween(network, asker, target);
  if (!gap?.near.vxlan) return null;
  const { near, far, to, flooded } = gap;
  const name = printable(near.name);
  return {
    ...question,
    key: `list ${question.key}`,
    title: `${label(near)} floods VNI ${gap.near.vxlan.id} to ${flooded} other${flooded === 1 ? '' : 's'}, not to ${to}: ${spa} asks for ${tpa} in vain`,
    summary:
      `${spa} asks who has ${tpa}, ${requests} times. ${label(target)} has this address, and is behind ${label(far)} at ${to}. ` +
      `The flood list of ${label(near)} lacks ${to}, so that the questions go to other endpoints only.`,
    subject: { device: label(near), ip: tpa, missing: to, vni: gap.near.vxlan.id },
    evidence: requestFrames(network, question),
    cause: `The flood list of ${label(near)} (forwarding entries for ${EVERYBODY}) lacks ${to}.`,
    remedy: [
      { text: 'See the flood list', commands: [inNamespace(near, `bridge fdb show dev ${name} | grep ${EVERYBODY}`)] },
      {
        text: `Add ${to} to it`,
        commands: added(near, [to]),
      },
    ],
    context: [vxlanLine(near), vxlanLine(far)],
    explains: asSymptoms(network, question),
  };
}

/** A VXLAN device whose flood list lacks the one behind which a device is. */
interface Gap {
  readonly near: Device;
  readonly far: Device;
  /** Address of the endpoint that is lacking. */
  readonly to: string;
  /** Endpoints in the list. */
  readonly flooded: number;
}

export function gapBetween(network: Network, asker: Device, target: Device): Gap | null {
  const { context } = network;
  if (!context) return null;
  const near = endpointBeside(context, asker);
  const far = endpointBeside(context, target);
  if (!near?.vxlan || !far?.vxlan || near === far || !far.up) return null;
  if (near.vxlan.id !== far.vxlan.id || near.vxlan.port !== far.vxlan.port) return null;
  if (near.vxlan.remote || near.vxlan.group || !near.endpoints) return null;
  const flooded = near.endpoints.filter(({ mac }) => mac === 0);
  // Nobody at all is what the VXLAN device itself shows.
  if (flooded.length === 0) return null;
  const addresses = outerAddresses(context, far);
  if (addresses.length !== 1 || flooded.some(({ dst }) => dst.text === addresses[0])) return null;
  return isHeard(network, far) ? null : { near, far, to: addresses[0], flooded: flooded.length };
}

/** Whether an endpoint sends anything here: then its own frames tell. */
export function isHeard({ tunnels, context, addresses }: Network, { namespace }: Device): boolean {
  for (let row = 0; row < tunnels.count; row++) {
    const senders = context?.devicesByIp(addresses.words(tunnels.source(row))) ?? [];
    if (senders.some((sender) => sender.namespace === namespace)) return true;
  }
  return false;
}

/** The one VXLAN device that a device's broadcasts get to by bridges and virtual cables. */
export function endpointBeside(context: HostContext, device: Device): Device | null {
  const found = [...reach(context, device)].filter(({ vxlan }) => vxlan);
  return found.length === 1 ? found[0] : null;
}
