import { type Device, isWithoutAddress } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { wayTo } from '../../../network/context/routing.js';
import { inNamespace } from '../../parts/question.js';

/** Other endpoints that commands name at most. */
const MAX_PEERS = 8;
export const EVERYBODY = '00:00:00:00:00:00';

/**
 * The namespace that the outer packets of a VXLAN device belong to: the one that it was made in, which Docker moves it out of (overlay
 * networks). Null where the context does not tell.
 */
export function underlayOf(
  context: HostContext,
  { namespace, link }: Pick<Device, 'namespace' | 'link'>,
): string | null {
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

/**
 * The address that a VXLAN device sends from to another endpoint: its own, or that of the device below it, or of the one that a route leads
 * to. Null where that is not known, and several devices have addresses.
 */
export function outerAddressTowards(
  context: HostContext,
  { namespace, vxlan, link }: Device,
  endpoint: ArrayLike<number>,
) {
  if (vxlan?.local) return vxlan.local.text;
  const home = context.namespaces.get(underlayOf(context, { namespace, link }) ?? '');
  const devices = [...(home?.devices.values() ?? [])].filter((each) => !each.loopback && !isWithoutAddress(each));
  const [route] = home ? wayTo(home, endpoint).routes : [];
  const family = endpoint.length === 1 ? 4 : 6;
  const below =
    devices.find(({ name }) => name === vxlan?.link) ??
    devices.find(({ name }) => name === route?.dev) ??
    (devices.length === 1 ? devices[0] : null);
  return below?.addresses.find((own) => own.family === family)?.text ?? null;
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
