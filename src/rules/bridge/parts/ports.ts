import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Question } from '../../parts/question.js';

/** Macvlan on VLAN on … on veth: no stack of devices is deeper. */
const MAX_DEPTH = 8;

/** The ports of one bridge behind which asker and target sit, as the host context shows them. */
export interface Ports {
  readonly asker: Device;
  readonly target: Device;
}

/** Null where the context does not show both cables, or they end in the same port or in two bridges. */
export function portsBetween(context: HostContext, question: Question): Ports | null {
  const asker = question.asker && portOf(context, question.asker);
  const target = question.target && portOf(context, question.target);
  if (!asker || !target || asker === target || asker.master !== target.master) return null;
  return { asker, target };
}

function portOf(context: HostContext, device: Device): Device | null {
  let lowest = device;
  for (let depth = 0; lowest.parent && depth < MAX_DEPTH; depth++) lowest = lowest.parent;
  return context.switchPort(lowest);
}
