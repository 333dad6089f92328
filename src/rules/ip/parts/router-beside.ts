import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { forwards } from '../../../network/context/routing.js';

/** The address of the one machine that forwards on a device's link, as the host context shows it; else a placeholder to fill in. */
export function routerBeside(context: HostContext | null, device: Device, isIpv4: boolean): string {
  const family = isIpv4 ? 4 : 6;
  const own = device.addresses.filter((address) => address.family === family && !address.text.startsWith('fe80:'));
  const found = new Set<string>();
  for (const other of context?.devices ?? []) {
    const namespace = context?.namespaces.get(other.namespace);
    if (!namespace || other.namespace === device.namespace || !forwards(namespace, other, family)) continue;
    for (const { text, words } of other.addresses)
      if (own.some((address) => isOnLink(address.words, words, address.prefixLength))) found.add(text);
  }
  const [router] = found;
  return found.size === 1 ? router : '<router>';
}

function isOnLink(own: ArrayLike<number>, other: ArrayLike<number>, length: number): boolean {
  if (own.length !== other.length) return false;
  for (let word = 0, left = length; left > 0; word++, left -= 32)
    if (((own[word] ^ other[word]) & (left >= 32 ? -1 : -1 << (32 - left))) !== 0) return false;
  return true;
}
