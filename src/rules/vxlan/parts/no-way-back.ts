import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { prefixAround, wayTowards } from '../../parts/next-router.js';
import { inNamespace, label } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';
import { address } from './tunnel.js';

/** Why nothing can come back through a tunnel: by the host context its far end has no route to the near one, or one that refuses. */
export interface NoWayBack {
  readonly cause: string;
  readonly remedy: Remedy;
  readonly context: string;
}

export function noWayBack(network: Network, tunnel: number): NoWayBack | null {
  const { context, tunnels, addresses } = network;
  const [near, far] = [tunnels.source(tunnel), tunnels.destination(tunnel)].map((row) => addresses.words(row));
  const holders = context?.devicesByIp(far) ?? [];
  const [device] = holders;
  const namespace = device && context?.namespaces.get(device.namespace);
  if (!namespace || holders.some((each) => each.namespace !== namespace.name)) return null;
  const { kind, routes } = wayTo(namespace, near, far);
  if (kind !== 'none' && kind !== 'refused') return null;
  const [from, to] = [tunnels.source(tunnel), tunnels.destination(tunnel)].map((row) => address(network, row));
  const ip = from.includes(':') ? 'ip -6' : 'ip';
  const [refusing] = routes;
  if (kind === 'refused') {
    const route = printable(`${refusing.type} ${refusing.dst}`);
    return {
      cause: `${to} (${label(device)}) has a route that refuses ${from}: \`${route}\`. What it would send back ends there.`,
      remedy: {
        text: `On ${to}: take that route away, if nobody needs it`,
        commands: [inNamespace(device, `${ip} route del ${route}`)],
      },
      context: `${label(device)}: ${route}`,
    };
  }
  const way = wayTowards(context, namespace, near) ?? 'via <router>';
  return {
    cause: `${to} (${label(device)}) has no route to ${from}: it can take in VXLAN, and send none back.`,
    remedy: {
      text: `On ${to}: give it a route back; until its network starts again`,
      commands: [inNamespace(device, `${ip} route add ${prefixAround(context, near, from)} ${way}`)],
    },
    context: `${label(device)}: no route to ${from}`,
  };
}
