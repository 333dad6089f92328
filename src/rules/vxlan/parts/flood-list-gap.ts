import { parseIp } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { reach } from '../../../network/context/reach.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { asSymptoms, inNamespace, label, type Question, requestFrames } from '../../parts/question.js';
import type { Diagnosis, Remedy } from '../../rule.js';
import { flooded as added, EVERYBODY, outerAddresses, underlayOf } from './peers.js';
import { vxlanLine } from './tunnel.js';

/**
 * A question in vain for a host that the host context shows behind another endpoint of the same VNI, which the flood list on the
 * asker's side lacks: no frame of that endpoint is needed. Null where that is not so.
 */
export function floodListGap(network: Network, question: Question): Omit<Diagnosis, 'confidence'> | null {
  const { asker, target, spa, tpa, requests } = question;
  if (!asker || !target) return null;
  const unknown = unknownToProxy(network, question);
  if (unknown) return unknown;
  const gap = gapBetween(network, asker, target);
  if (!gap?.near.vxlan || gap.near.vxlan.proxy) return null;
  const { near, far, to, flooded } = gap;
  const name = printable(near.name);
  const unrouted = network.context ? missingRoute(network.context, near, to) : null;
  const others = flooded === 0 ? 'nobody' : `${flooded} other${flooded === 1 ? '' : 's'}, not to ${to}`;
  return {
    ...question,
    key: `list ${question.key}`,
    title: `${label(near)} floods VNI ${gap.near.vxlan.id} to ${others}: ${spa} asks for ${tpa} in vain`,
    summary:
      `${spa} asks who has ${tpa}, ${requests} times. ${label(target)} has this address, and is behind ${label(far)} at ${to}. ` +
      `The flood list of ${label(near)} ${flooded === 0 ? 'is empty: the kernel drops the questions there' : `lacks ${to}, so that the questions go to other endpoints only`}.`,
    subject: { device: label(near), ip: tpa, missing: to, vni: gap.near.vxlan.id },
    evidence: requestFrames(network, question),
    cause: unrouted
      ? `${near.namespace ?? 'The machine'} has no route to ${to}, and BGP puts no endpoint into the list of ${label(near)} that no route leads to: ${to} is not announced, or its announcement is filtered.`
      : `The flood list of ${label(near)} (forwarding entries for ${EVERYBODY}) lacks ${to}.`,
    remedy: unrouted ?? [
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

/** What to do first where the asker's side has no route to the endpoint: an entry alone would lead nowhere. Null where it has one, or that is not known. */
function missingRoute(context: HostContext, near: Device, to: string): Remedy[] | null {
  const namespace = context.namespaces.get(underlayOf(context, near) ?? '');
  const endpoint = parseIp(to);
  if (!namespace || !endpoint || wayTo(namespace, endpoint.words).kind !== 'none') return null;
  const ip = endpoint.family === 4 ? 'ip' : 'ip -6';
  return [
    { text: 'See that no route leads there', commands: [inNamespace(near, `${ip} route get ${to}`)] },
    {
      text: `On the machine that has ${to}: announce it, as from the BGP of FRR`,
      commands: [
        `vtysh -c 'conf t' -c 'router bgp' -c 'address-family ${endpoint.family === 4 ? 'ipv4' : 'ipv6'} unicast' -c 'network ${to}/${endpoint.family === 4 ? 32 : 128}'`,
      ],
    },
  ];
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
  const ends = endsOf(network, asker, target);
  if (!ends) return null;
  const { near, far, to } = ends;
  if (near.vxlan?.remote || near.vxlan?.group || !near.endpoints) return null;
  const flooded = near.endpoints.filter(({ mac }) => mac === 0);
  if (flooded.some(({ dst }) => dst.text === to)) return null;
  // Who floods to nobody shows nothing of where it floods to.
  return flooded.length > 0 && isHeard(network, far) ? null : { near, far, to, flooded: flooded.length };
}

/** The VXLAN devices of one VNI that two devices are behind, and the address of the other one. */
export function endsOf({ context }: Network, asker: Device, target: Device): Pick<Gap, 'near' | 'far' | 'to'> | null {
  if (!context) return null;
  const near = endpointBeside(context, asker);
  const far = endpointBeside(context, target);
  if (!near?.vxlan || !far?.vxlan || near === far || !near.up || !far.up) return null;
  if (near.vxlan.id !== far.vxlan.id || near.vxlan.port !== far.vxlan.port) return null;
  const addresses = outerAddresses(context, far);
  return addresses.length === 1 ? { near, far, to: addresses[0] } : null;
}

/**
 * A question that a VXLAN device with `proxy` cannot answer: it has no neighbour entry for the target, and sends no question on (kernel:
 * `arp_reduce` in drivers/net/vxlan/vxlan_core.c).
 */
function unknownToProxy(network: Network, question: Question): Omit<Diagnosis, 'confidence'> | null {
  const { asker, target, spa, tpa, requests } = question;
  const ends = asker && target ? endsOf(network, asker, target) : null;
  const told = ends ? network.context?.namespaces.get(ends.near.namespace)?.neighbours : undefined;
  if (!ends?.near.vxlan?.proxy || !target?.mac || !told) return null;
  const { near, far, to } = ends;
  const vni = ends.near.vxlan.id;
  if (told.some(({ dst, dev }) => dev === near.name && dst.text === tpa)) return null;
  const name = printable(near.name);
  const { text: mac } = target.mac;
  return {
    ...question,
    key: `list ${question.key}`,
    title: `${label(near)} answers ARP itself, and has no entry for ${tpa}: ${spa} asks in vain`,
    summary:
      `${spa} asks who has ${tpa}, ${requests} times. ${label(target)} has this address, and is behind ${label(far)} at ${to}. ` +
      `VXLAN device ${label(near)} was made with \`proxy\`: it answers for the neighbours it was told, and drops all other questions.`,
    subject: { device: label(near), ip: tpa, missing: to, vni },
    evidence: requestFrames(network, question),
    cause: `Nobody has told ${label(near)} the MAC of ${tpa} (permanent neighbor entry), as whatever fills its tables should have.`,
    remedy: [
      { text: 'See what it was told', commands: [inNamespace(near, `ip neigh show dev ${name}`)] },
      {
        text: `Tell it the MAC of ${tpa}, and the endpoint behind which that is`,
        commands: [
          `ip neigh replace ${tpa} lladdr ${mac} dev ${name} nud permanent`,
          `bridge fdb replace ${mac} dev ${name} dst ${to}`,
        ].map((command) => inNamespace(near, command)),
      },
    ],
    context: [vxlanLine(near), vxlanLine(far)],
    explains: asSymptoms(network, question),
  };
}

/** Whether an endpoint sends anything here: then its own frames tell. */
export function isHeard({ tunnels, context, addresses }: Network, device: Device): boolean {
  const namespace = context && underlayOf(context, device);
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
