import { type Refusing, refusingRoute } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { onHost } from '../../parts/device-argument.js';
import type { Diagnosis } from '../../rule.js';
import type { Who } from './unreachable-words.js';

/** ICMP codes that a route of a type has its router send (kernel: `fib_props` in net/ipv4/fib_semantics.c). */
const TYPES: Readonly<Record<string, string>> = { prohibited: 'prohibit', host: 'unreachable' };

/** The route on the machine that reports by which it refuses packets, as the host context shows it; null if none is known. */
export function refusedByRoute(
  { context, addresses, icmpErrors }: Network,
  row: number,
  reason: string,
): Refusing | null {
  const homes = new Set(
    (context?.devicesByIp(addresses.words(icmpErrors.reporter(row))) ?? []).map(({ namespace }) => namespace),
  );
  const [home] = homes;
  const namespace = homes.size === 1 ? context?.namespaces.get(home) : undefined;
  if (!namespace) return null;
  const found = refusingRoute(
    namespace,
    addresses.words(icmpErrors.destination(row)),
    addresses.words(icmpErrors.source(row)),
  );
  return found && found.route.type === TYPES[reason] ? found : null;
}

/** How such a refusal is told. */
export function byRoute(
  network: Network,
  { route, table }: Refusing,
  { reporter, to, ip, prefix, via }: Who,
): Pick<Diagnosis, 'title' | 'cause' | 'remedy' | 'context'> {
  const name = `${route.type} ${printable(route.dst)}`;
  const where = table === 'main' ? '' : ` table ${printable(table)}`;
  const at = (command: string) => onHost(network, reporter, command);
  return {
    title: `${reporter} refuses packets to ${to}: its route for them is of type ${route.type}`,
    cause: `The best route of ${reporter} for ${to} is "${name}"${where}: somebody refuses this network on purpose, or a routing daemon does so for a whole block, and the route to a part of it is missing.`,
    remedy: [
      {
        text: `On ${reporter}: let go of the route that refuses; what a less specific one says then holds. Until its network or routing daemon starts again`,
        commands: [at(`${ip} route del ${name}${where}`)],
      },
      ...(via.startsWith('<')
        ? []
        : [
            {
              text: `Or set the route to ${to} that is missing`,
              commands: [at(`${ip} route replace ${prefix} via ${via}${where}`)],
            },
          ]),
    ],
    context: [`route of ${reporter}: ${name}${where}`],
  };
}
