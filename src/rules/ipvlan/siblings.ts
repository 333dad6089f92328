import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import type { Question } from '../question.js';

/** Asker and target if both are ipvlan children of one device in l2 mode; null otherwise. */
export function ipvlanPair(
  context: HostContext,
  { asker, target }: Question,
): { asker: Device; target: Device } | null {
  if (!asker || !target || asker === target) return null;
  if (asker.kind !== 'ipvlan' || target.kind !== 'ipvlan') return null;
  if (asker.mode !== 'l2' || context.sharesParent(asker, target) === 'no') return null;
  return { asker, target };
}
