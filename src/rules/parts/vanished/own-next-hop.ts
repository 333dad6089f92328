import type { Device } from '../../../network/context/device.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';

/** What a kernel sends to; FAILED and INCOMPLETE it does not. */
const USABLE: readonly string[] = ['REACHABLE', 'STALE', 'DELAY', 'PROBE', 'PERMANENT', 'NOARP'];

/**
 * The devices with the MAC that a machine of the host context sends its own packets to, by its routes and its neighbour table: what a cooked
 * capture there does not keep. `from` and `to` are rows of `Addresses`; `sender` is the device that the packets leave by.
 */
export function ownNextHop(
  { context, addresses }: Network,
  sender: Device,
  from: number,
  to: number,
): readonly Device[] {
  const namespace = context?.namespaces.get(sender.namespace);
  const holders = context?.devicesByIp(addresses.words(from)) ?? [];
  // Forwarded packets look alike, and of an address that several have it is not known who sends.
  if (!context || !namespace || holders.length !== 1 || holders[0].namespace !== namespace.name) return [];
  const { kind, routes } = wayTo(namespace, addresses.words(to));
  const [route] = routes;
  if (kind !== 'routed' || routes.length !== 1 || route.dev !== sender.name) return [];
  const hop = route.gateway?.text ?? addresses.format(to);
  const known = namespace.neighbours.find(({ dst, dev }) => dst.text === hop && dev === sender.name);
  const { lladdr, state } = known ?? {};
  return lladdr && state?.some((each) => USABLE.includes(each)) ? context.devicesByMac(lladdr.hi, lladdr.lo) : [];
}
