import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { at, atNamespace } from '../../parts/device-argument.js';
import { learnedAt } from '../../parts/learned-at.js';
import type { Remedy } from '../../rule.js';

/** Hosts that a cure names at most. */
const MAX_HOSTS = 8;

/** Keeps the advertisements of one router (row of `Routers`) from hosts, and has them forget it: they keep what they took for half an hour. */
export function guard({ context, routers }: Network, row: number, ip: string, mac: string): Remedy[] {
  const port = learnedAt(context, routers.hi(row), routers.lo(row));
  const takers = [...(context?.namespaces.values() ?? [])].flatMap(({ name, routes }) =>
    routes
      .filter(
        ({ family, dst, gateway, dev }) => family === 6 && dst === 'default' && gateway?.text === ip && dev !== null,
      )
      .map(({ dev }) => atNamespace(name, `ip -6 route del default via ${ip} dev ${printable(dev ?? '')}`)),
  );
  return [
    {
      text: `If ${ip} should not be there: drop its advertisements at the switch, here on a Linux bridge, until the next restart`,
      commands: [
        'nft add table bridge raguard',
        "nft add chain bridge raguard guard '{ type filter hook forward priority 0; }'",
        `nft add rule bridge raguard guard ether saddr ${mac} icmpv6 type nd-router-advert drop`,
      ].map((command) => at(port, command)),
    },
    {
      text: `And have each host that took ${ip} for its router forget it, which else lasts until its lifetime ends`,
      commands: takers.length > 0 ? takers.slice(0, MAX_HOSTS) : [`ip -6 route del default via ${ip} dev <device>`],
    },
  ];
}
