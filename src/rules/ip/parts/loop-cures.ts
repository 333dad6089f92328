import type { Device, Namespace } from '../../../network/context/device.js';
import { contains } from '../../../network/context/firewall-match.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { atNamespace } from '../../parts/device-argument.js';
import { besides, prefixAround, wayTowards } from '../../parts/next-router.js';
import type { Remedy } from '../../rule.js';

/** What ends a circle of two routers (row of `RoutingLoops`); the host context may show which of them is wrong. */
export function loopCures({ routingLoops, context, addresses }: Network, row: number, to: string): Remedy[] {
  const destination = routingLoops.destination(row);
  const ip = addresses.isIpv4(destination) ? 'ip' : 'ip -6';
  const words = addresses.words(destination);
  const routers: Namespace[] = [];
  for (const station of routingLoops.stations(row)) {
    const devices = station && context ? context.devicesByMac(station.hi, station.lo) : [];
    const namespace = devices.length === 1 ? context?.namespaces.get(devices[0].namespace) : undefined;
    if (namespace && !routers.includes(namespace)) routers.push(namespace);
  }
  const [a, b] = routers;
  const prefix = printable(prefixAround(context, words, to));
  const corrections = routers.flatMap((router) => {
    const command = context && correction(context, router, words, prefix);
    return command ? [{ router, command: `${ip} ${command}` }] : [];
  });
  const [right] = corrections.length === 1 ? corrections : [];
  const holder = a && b ? oughtToHold(a, b, words) : null;
  return [
    {
      text: b ? 'See where the two send it' : 'On both routers: see where each sends it',
      commands: b ? routers.map(({ name }) => atNamespace(name, `${ip} route get ${to}`)) : [`${ip} route get ${to}`],
    },
    ...(right
      ? [
          {
            text: `In ${printable(right.router.name)}: give it the way there; lasts until its network starts again`,
            commands: [atNamespace(right.router.name, right.command)],
          },
        ]
      : []),
    {
      text: holder
        ? `If nobody has ${to} any more: in ${printable(holder.router.name)}, whose default route sends it back, refuse what no more specific route takes, so that senders are told`
        : 'On the router that ought to hold the prefix: refuse what no more specific route takes, instead of sending it back',
      commands: [
        holder
          ? atNamespace(holder.router.name, `${ip} route add unreachable ${printable(holder.prefix)}`)
          : `${ip} route add unreachable ${prefix === to ? `<prefix of ${to}>` : prefix}`,
      ],
    },
    ...(right
      ? []
      : [
          {
            text: 'On the router whose route is wrong: correct it',
            commands: [`${ip} route replace ${prefix === to ? `<prefix of ${to}>` : prefix} via <next hop>`],
          },
        ]),
  ];
}

/** The way that a router of the host context could take: who has the address is on a link of it, or behind the one router that leads there. */
function correction(context: HostContext, router: Namespace, words: Int32Array, prefix: string): string | null {
  const [holder, ...others] = context.devicesByIp(words);
  const lost = holder && others.length === 0 ? lostGateway(context, holder) : null;
  const beside = lost ? besides(context, [...router.devices.values()], holder) : [];
  if (beside.length === 1) return `addr add ${lost} dev ${printable(beside[0].name)}`;
  const way = wayTowards(context, router, words);
  return way && `route replace ${prefix} ${way}`;
}

/** The gateway of a host, with the length of its prefix, if no device has the address. */
function lostGateway(context: HostContext, { namespace, name, addresses }: Device): string | null {
  const routes = context.namespaces.get(namespace)?.routes ?? [];
  const route = routes.find(({ dst, gateway, dev }) => dst === 'default' && gateway !== null && dev === name);
  if (!route?.gateway || context.devicesByIp(route.gateway.words).length > 0) return null;
  const gateway = route.gateway;
  const own = addresses.find(({ words, prefixLength: length }) => contains({ words, length }, gateway.words));
  return own ? `${printable(gateway.text)}/${own.prefixLength}` : null;
}

/** Of two routers, the one that has a default route alone for what the other sends to it by a route of its own. */
function oughtToHold(a: Namespace, b: Namespace, words: Int32Array): { router: Namespace; prefix: string } | null {
  const [one, two] = [a, b].map((namespace) => {
    const { kind, routes } = wayTo(namespace, words);
    return kind === 'routed' && routes.length === 1 ? routes[0].dst : null;
  });
  if (one === null || two === null || (one === 'default') === (two === 'default')) return null;
  return one === 'default' ? { router: a, prefix: two } : { router: b, prefix: one };
}
