import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { inNamespace } from '../../parts/question.js';

/** Other endpoints that commands name at most. */
const MAX_PEERS = 8;
export const EVERYBODY = '00:00:00:00:00:00';

/**
 * The namespace that the outer packets of a VXLAN device belong to: the one that it was made in, which Docker moves it out of (overlay
 * networks). Null where the context does not tell.
 */
export function underlayOf(context: HostContext, { namespace, link }: Device): string | null {
  const number = link?.netnsid ?? null;
  if (number === null) return namespace;
  return context.namespaces.get(namespace)?.ids.get(number) ?? null;
}

/** Addresses that packets to an endpoint can have: its own, or those of the device that carries it. */
export function outerAddresses(context: HostContext, { namespace, vxlan }: Device): string[] {
  if (!vxlan) return [];
  if (vxlan.local) return [vxlan.local.text];
  const below = vxlan.link === null ? undefined : context.namespaces.get(namespace)?.devices.get(vxlan.link);
  return (below?.addresses ?? [])
    .filter(({ family, text }) => family === 4 || !text.startsWith('fe80:'))
    .map(({ text }) => text);
}

/** Addresses of the other endpoints of a VXLAN device's VNI and port, as far as the host context shows them. */
export function peersOf(context: HostContext, { namespace, vxlan }: Device): string[] {
  const found = new Set<string>();
  for (const other of context.devices) {
    if (other.namespace === namespace || other.vxlan?.id !== vxlan?.id || other.vxlan?.port !== vxlan?.port) continue;
    const addresses = outerAddresses(context, other);
    if (addresses.length === 1 && found.size < MAX_PEERS) found.add(addresses[0]);
  }
  return [...found];
}

/** Commands that add endpoints to the flood list of a VXLAN device. */
export function flooded(device: Device, endpoints: readonly string[]): string[] {
  return endpoints.map((dst) => inNamespace(device, `bridge fdb append ${EVERYBODY} dev ${device.name} dst ${dst}`));
}
