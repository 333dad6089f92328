import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import type { Question } from '../../parts/question.js';

/** A child with a MAC of its own and the device that carries it, as the host context shows them. */
export interface Child {
  readonly child: Device;
  readonly parent: Device;
}

/** The one macvlan or macvtap device with this MAC and its parent; null where it has its parent's MAC, or the context knows none. */
export function childWith({ context }: Network, hi: number, lo: number): Child | null {
  const devices = context?.devicesByMac(hi, lo) ?? [];
  if (devices.length !== 1) return null;
  const [child] = devices;
  const { parent } = child;
  if (!parent?.mac || (child.kind !== 'macvlan' && child.kind !== 'macvtap') || child.mode === 'passthru') return null;
  return { child, parent };
}

/** Whether the target is on the same device: then it is the mode, not the network, that decides. */
export function isInside({ context }: Network, { child, parent }: Child, target: Device | null): boolean {
  return target !== null && (target === parent || (context?.sharesParent(child, target) ?? 'no') !== 'no');
}

/** Whether a device asked for the target too and was answered, without asking again. */
export function isServed(network: Network, { segment, row }: Question, { mac, addresses }: Device): boolean {
  const { resolutions } = network;
  const tpa = resolutions.tpa(row);
  return addresses.some((address) => {
    const spa = network.addresses.find(address.words);
    if (mac === null || spa < 0) return false;
    const served = resolutions.find(segment, mac.hi, mac.lo, spa, tpa);
    return served >= 0 && resolutions.run(served) === 0 && hasAnswer(network, served);
  });
}

function hasAnswer({ resolutions }: Network, row: number): boolean {
  return resolutions.lastAnswer(row) !== Number.NEGATIVE_INFINITY && resolutions.repeats.count(row) === 0;
}
