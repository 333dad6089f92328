import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { accessOf, otherTagOf, vlanFrom } from '../../../network/context/port-vlans.js';
import type { Network } from '../../../network/network.js';
import type { Question } from '../../parts/question.js';

/** A host that tags its VLAN with a protocol that its switch does not know, while the other host is in that VLAN of the switch. */
export interface UnknownTag {
  readonly ip: string;
  readonly device: Device;
  readonly port: Device;
  /** Of the switch. */
  readonly protocol: string;
}

/** Of the two hosts of a question the one whose tag the switch of the context takes for data; null where there is none. */
export function unknownTag({ context, vantage }: Network, { asker, target, spa, tpa }: Question): UnknownTag | null {
  if (!context || !asker || !target) return null;
  // What is seen at the target has come there.
  if (vantage !== null && (vantage === target || vantage === target.parent)) return null;
  return between(context, asker, target, spa) ?? between(context, target, asker, tpa);
}

function between(context: HostContext, device: Device, other: Device, ip: string): UnknownTag | null {
  const found = otherTagOf(context, device);
  const access = found && accessOf(context, other);
  if (!found || access?.port.master !== found.port.master || vlanFrom(access) !== device.vlan?.id) return null;
  return { ip, device, ...found };
}
