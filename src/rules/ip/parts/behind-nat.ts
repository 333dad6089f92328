import type { HostContext } from '../../../network/context/host-context.js';
import { wayTo } from '../../../network/context/routing.js';
import { printable } from '../../../wire/printable.js';
import type { NextRouter } from '../../parts/next-router.js';
import { inNamespace } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';
import { isPrivate } from './forwarder.js';

/**
 * Who asks (IPv4) has a private address on another link of the router beside the target: a container or a virtual machine, of which
 * networks beyond its host know nothing. That host translates it as a rule (Docker, libvirt), until somebody flushes its tables.
 */
export function translateThere(context: HostContext | null, next: NextRouter, asker: ArrayLike<number>): Remedy[] {
  const { router } = next;
  const namespace = context?.namespaces.get(router.namespace);
  if (!namespace || !isPrivate(asker[0])) return [];
  const way = wayTo(namespace, asker);
  if (way.kind !== 'routed' || way.routes.length !== 1) return [];
  const [{ dst, gateway, dev }] = way.routes;
  if (gateway !== null || dev === router.name || dst === 'default') return [];
  const inside = printable(dst);
  return [
    {
      text: `Or on ${next.address}, if ${inside} is its own alone (containers, virtual machines): let it translate them again`,
      commands: [
        inNamespace(router, `iptables -t nat -I POSTROUTING -s ${inside} -o ${printable(router.name)} -j MASQUERADE`),
      ],
    },
  ];
}
