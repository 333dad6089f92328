import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { forwards } from '../../network/context/routing.js';
import { printable } from '../../wire/printable.js';
import type { Remedy } from '../rule.js';
import { inNamespace } from './question.js';

/** Whether a bridge has no address by which its machine could route to what hangs on it; a link-local one does not count. */
export function isBare(bridge: Device, family: 4 | 6): boolean {
  return !bridge.addresses.some(
    (own) => own.family === family && !own.text.startsWith('fe80:') && !own.text.startsWith('169.254.'),
  );
}

/** The bridge that a device is, or hangs on as a guest, if all its ports lead to guests that the context knows; null otherwise. */
export function guestBridge(context: HostContext, device: Device): Device | null {
  const bridge = device.kind === 'bridge' ? device : (device.peer?.master ?? null);
  if (bridge?.kind !== 'bridge' || (device !== bridge && device.namespace === bridge.namespace)) return null;
  const leadsToGuest = ({ peer }: Device) => peer !== null && peer.namespace !== bridge.namespace && !peer.master;
  const ports = context.portsOf(bridge);
  return ports.length > 0 && ports.every(leadsToGuest) ? bridge : null;
}

/**
 * The bridge that a guest hangs on, if nobody but its own machine can be the router of the guests, and it has no address: the machine
 * forwards, and all ports lead to guests that the context knows. Null otherwise.
 */
export function bareBridge(context: HostContext, guest: Device, family: 4 | 6): Device | null {
  const bridge = guest.kind === 'bridge' ? null : guestBridge(context, guest);
  const namespace = context.namespaces.get(bridge?.namespace ?? '');
  if (!bridge || !namespace || !isBare(bridge, family)) return null;
  return forwards(namespace, bridge, family) === true ? bridge : null;
}

/** Gives a bridge the address that a guest of it takes for its gateway; null is one that the context does not name. */
export function giveGateway(bridge: Device, guest: Device, family: 4 | 6, gateway: string | null): Remedy {
  const length = guest.addresses.find((own) => own.family === family)?.prefixLength;
  const address = `${printable(gateway ?? '<gateway of the guests>')}/${length ?? '<prefix length>'}`;
  return {
    text: 'Give the bridge the address that its guests have as their gateway; lasts until its network starts again (Docker: with its daemon)',
    commands: [
      inNamespace(bridge, `${family === 4 ? 'ip' : 'ip -6'} addr add ${address} dev ${printable(bridge.name)}`),
    ],
  };
}
