import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { prefixAround, wayTowards } from '../../parts/next-router.js';
import { inNamespace, label } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';

/** A DHCP server of the host context that cannot answer a relay. */
export interface NoWayBack {
  readonly cause: string;
  readonly remedy: readonly Remedy[];
  readonly context: readonly string[];
}

/**
 * Null where the server has a route to the relay's address on the link of its clients, to which its answers go (giaddr, RFC 2131 section
 * 4.1), or that is not known. Addresses are signed integers.
 */
export function noWayBack({ context, addresses }: Network, server: number, giaddr: number): NoWayBack | null {
  const [device, ...others] = context?.devicesByIp([server]) ?? [];
  const namespace = device && context?.namespaces.get(device.namespace);
  if (!namespace || others.length > 0 || device.loopback) return null;
  if (wayTo(namespace, [giaddr], [server]).kind !== 'none') return null;
  const [to, from] = [giaddr, server].map((address) => addresses.format(addresses.ipv4(address)));
  const network = prefixAround(context, [giaddr], to);
  const way = wayTowards(context, namespace, [giaddr]);
  return {
    cause: `${from} (${label(device)}) has no route to ${to}, where its answers go: its kernel drops them, and no frame leaves.`,
    remedy: [
      {
        text: 'On the server: give it a route to the link of the clients',
        commands: [
          inNamespace(
            device,
            `ip route add ${network} ${way ?? 'via <address of the relay on the way to the server>'}`,
          ),
        ],
      },
    ],
    context: [`${label(device)}: no route to ${to}`],
  };
}
