import type { Device } from '../../../network/context/device.js';
import { type Access, accessOf, vlanFrom } from '../../../network/context/port-vlans.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { inNamespace, label, type Question } from '../../parts/question.js';
import type { Mismatch } from './mismatch.js';

/** One of two hosts whose switch port is not in the VLAN that it speaks in. */
interface Shut {
  readonly ip: string;
  readonly device: Device;
  readonly access: Access;
  /** What the other one's frames are put into, where a port of the same switch says so. */
  readonly vlan: number | null;
}

/** The switch of the context takes nothing from one of the two hosts: its port lacks the VLAN of its tag, or has none for untagged frames. */
export function shutOut(network: Network, question: Question): Mismatch | null {
  const shut = shutOf(network, question);
  if (!shut) return null;
  const { access, device, ip, vlan } = shut;
  const { port, tag } = access;
  const { spa, tpa, requests } = question;
  const name = printable(port.name);
  const isMissing = tag !== null;
  return {
    confidence: 'likely',
    title: `${spa} cannot reach ${tpa}: switch port ${name} ${isMissing ? `does not carry VLAN ${tag}` : 'takes no untagged frames'}`,
    summary:
      `${spa} asks who has ${tpa}, ${requests} times in vain. ${ip} is on ${label(device)}, which speaks ` +
      `${isMissing ? `with tag ${tag}` : 'without tag'} behind ${label(port)}. That port ` +
      `${isMissing ? 'is not in this VLAN' : 'has no VLAN for untagged frames (PVID)'}: the switch drops what comes from ${ip}, and sends it nothing.`,
    cause: isMissing
      ? `VLAN ${tag} is not allowed on the trunk to ${label(device)}.`
      : `The access port of ${ip} is in no VLAN.`,
    remedy: [
      {
        text: isMissing
          ? 'Let the port carry the VLAN (other switches: `switchport trunk allowed vlan add`)'
          : 'Put the port into the VLAN of the host (other switches: `switchport access vlan`)',
        commands: [
          inNamespace(
            port,
            `bridge vlan add dev ${port.name} vid ${tag ?? vlan ?? '<VLAN>'}${tag === null ? ' pvid untagged' : ''}`,
          ),
        ],
      },
    ],
    evidence: [],
    context: [
      `${label(port)}: VLANs ${[...(port.portVlans?.keys() ?? [])].slice(0, 8).join(', ') || 'none'}`,
      ...(isMissing ? [`${label(device)}: VLAN ${tag}`] : []),
    ],
    wouldRaise: [
      'the VLANs of the port at the time of the capture (`bridge vlan show`): the host context shows one moment',
    ],
  };
}

function shutOf(network: Network, { asker, target, spa, tpa }: Question): Shut | null {
  const { context } = network;
  if (!context) return null;
  const from = asker && accessOf(context, asker);
  const to = target && accessOf(context, target);
  const isOneSwitch = from && to && from.port.master === to.port.master;
  if (asker && from && vlanFrom(from) === null && !hasPassed(network, asker, from))
    return { ip: spa, device: asker, access: from, vlan: isOneSwitch ? vlanFrom(to) : null };
  if (target && to && vlanFrom(to) === null && !hasArrived(network, target, to))
    return { ip: tpa, device: target, access: to, vlan: isOneSwitch ? vlanFrom(from) : null };
  return null;
}

/** Whether the question is seen behind the port that should have dropped it: the switch was set up otherwise then. */
function hasPassed({ vantage }: Network, asker: Device, { port }: Access): boolean {
  return vantage !== null && vantage !== asker && vantage !== port && vantage !== port.peer;
}

/** Whether it is seen where the port should have let nothing out. */
function hasArrived({ vantage }: Network, target: Device, { port }: Access): boolean {
  return vantage !== null && (vantage === target || vantage === port || vantage === port.peer);
}
