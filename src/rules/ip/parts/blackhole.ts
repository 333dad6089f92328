import { forwards, wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { wayTowards } from '../../parts/next-router.js';
import { inNamespace } from '../../parts/question.js';
import type { Arrival } from '../../parts/vanished/arrival.js';
import { together, type Vanished } from '../../parts/vanished/requests.js';
import { andOthers } from '../../parts/words.js';
import type { Diagnosis } from '../../rule.js';

/** The destination of the blackhole route that takes packets on a router which forwards; null if it has another way, or says why. */
export function blackholeOf(network: Network, { namespace, devices }: Arrival, vanished: Vanished): string | null {
  const family = vanished.isIpv4 ? 4 : 6;
  const way = wayTo(namespace, network.addresses.words(vanished.destination), network.addresses.words(vanished.source));
  // Routes of other types answer with an ICMP error.
  if (way.kind !== 'refused' || way.routes.some(({ type }) => type !== 'blackhole')) return null;
  return devices.some((device) => forwards(namespace, device, family) === true) ? way.routes[0].dst : null;
}

/** Packets that a blackhole route takes, `man 8 ip-route`: "packets are discarded silently". */
export function thrownAway({
  network,
  members,
  key,
  vanished: { from, to, isIpv4, destination },
  arrival: { namespace, devices },
  blackhole,
  router,
}: {
  network: Network;
  members: readonly Vanished[];
  key: string;
  vanished: Vanished;
  arrival: Arrival;
  blackhole: string;
  router: string;
}): Diagnosis {
  const ip = isIpv4 ? 'ip' : 'ip -6';
  const way = wayTowards(network.context, namespace, network.addresses.words(destination));
  const route = `blackhole ${printable(blackhole)}`;
  const others = andOthers(members.length - 1);
  return {
    ...together(members),
    key,
    confidence: 'certain',
    title: `${router} throws away packets from ${from} to ${to}${others}: its route for them is a blackhole`,
    summary:
      `${from} sends to ${to} through ${router}. The packets go there and are not passed on, and no ICMP error says why: ` +
      `the best of its routes for ${to} is ${route}, which drops without a word.`,
    subject: { router, source: from, destination: to },
    cause:
      `The route to ${to} itself is missing. Network plugins and routing daemons (Calico, Cilium, BIRD, FRR) set a blackhole for a ` +
      'whole block, for addresses that nobody has: it also takes what a lost route leaves.',
    remedy: [
      {
        text: 'On the router: see what it would do',
        commands: [inNamespace(devices[0], `${ip} route get ${to}`)],
      },
      {
        text: `Put the route to ${to} back; better, have the network plugin or routing daemon do it that lost it`,
        commands: [inNamespace(devices[0], `${ip} route add ${to} ${way ?? `dev <device towards ${to}>`}`)],
      },
    ],
    caveats: ['a route in another table is not known where the host context has no `ip rule`'],
    context: [`route of ${printable(namespace.name)}: ${route}`],
  };
}
