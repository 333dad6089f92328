import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { nextRouter } from '../../parts/next-router.js';
import type { Refusal } from './refusals.js';

/** No way is so long on purpose that a packet which may pass so many routers should end on it. */
const FEW_HOPS = 8;

/** How many routers the packets of a tunnel may pass, where that is few; null where it is not, or not seen. */
export function fewHops({ bindings }: Network, { segment, sender }: Refusal): number | null {
  const hops = bindings.of(segment, sender).map((row) => bindings.ttl(row));
  const least = Math.min(...hops.filter((each) => each > 0));
  return least <= FEW_HOPS ? least : null;
}

/** Whether the endpoint is on a link of the machine that reports it unreachable, by the host context: it looked for it there, and nobody answered. */
export function isOnItsLink({ context, addresses, tunnelErrors }: Network, { row, target }: Refusal): boolean {
  const holders = context?.devicesByIp(addresses.words(tunnelErrors.reporter(row))) ?? [];
  const namespace = holders.length > 0 ? context?.namespaces.get(holders[0].namespace) : undefined;
  if (!namespace || holders.some((each) => each.namespace !== namespace.name)) return false;
  const way = wayTo(namespace, addresses.words(target));
  return way.kind === 'routed' && way.routes.every(({ gateway }) => gateway === null);
}

/** The router beside the one that knows no way, which has one, by the host context; else a placeholder. */
export function routerFrom({ context, addresses, tunnelErrors }: Network, { row, target }: Refusal): string {
  const words = addresses.words(target);
  const [holder] = context?.devicesByIp(addresses.words(tunnelErrors.reporter(row))) ?? [];
  const devices = holder ? [...(context?.namespaces.get(holder.namespace)?.devices.values() ?? [])] : [];
  return nextRouter(context, devices, words.length === 1 ? 4 : 6, words)?.address ?? '<next router>';
}
