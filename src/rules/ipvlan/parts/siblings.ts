import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Question } from '../../parts/question.js';

/** Two ipvlan children of one device. */
export interface Siblings {
  readonly asker: Device;
  readonly target: Device;
}

/** Asker and target if both are ipvlan children of one device in l2 mode; null otherwise. */
export function ipvlanPair(context: HostContext, { asker, target }: Question): Siblings | null {
  if (!asker || !target || asker === target) return null;
  if (asker.kind !== 'ipvlan' || target.kind !== 'ipvlan') return null;
  if (asker.mode !== 'l2' || context.sharesParent(asker, target) === 'no') return null;
  return { asker, target };
}

/** Whether a device is an ipvlan child in mode l3 or l3s, which does no ARP. */
export function isL3({ kind, mode }: Device): boolean {
  return kind === 'ipvlan' && (mode === 'l3' || mode === 'l3s');
}
