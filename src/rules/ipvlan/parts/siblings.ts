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

/** The flag as a command must name it to keep it: `ip link` sets it back to bridge where a command names the mode alone. */
export function flagOf({ flag }: Device): string {
  return flag === null || flag === 'bridge' ? '' : ` ${flag}`;
}
