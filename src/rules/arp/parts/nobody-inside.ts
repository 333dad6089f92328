import { contains } from '../../../network/context/firewall-match.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { guestBridge } from '../../parts/bare-bridge.js';
import { inNamespace, label, type Question } from '../../parts/question.js';
import type { OwnTarget } from './own-target.js';

/**
 * A question on a bridge that nothing but guests of the host context is on, for an address that none of them has: a guest that is
 * gone, or one of a network elsewhere whose addresses are those of the bridge too. Null where the context leaves open who else is there.
 */
export function nobodyInside({ context, addresses, resolutions }: Network, question: Question): OwnTarget | null {
  const { asker, tpa, row } = question;
  const bridge = context && asker ? guestBridge(context, asker) : null;
  const address = resolutions.tpa(row);
  if (!bridge || !asker || !context) return null;
  const words = addresses.words(address);
  const isNear = asker.addresses.some(
    (each) => each.family === 4 && contains({ words: each.words, length: each.prefixLength }, words),
  );
  if (!isNear) return null;
  const ports = context.portsOf(bridge);
  // A machine answers for all its addresses, on whichever device they are.
  const inside = new Set([bridge.namespace, ...ports.map(({ peer }) => peer?.namespace)]);
  const holders = context.devicesByIp(words);
  if (holders.some(({ namespace, parent }) => inside.has(namespace) || (parent && inside.has(parent.namespace))))
    return null;
  const own = bridge.addresses.find(({ family }) => family === 4);
  const prefix = own ? ` (${own.text}/${own.prefixLength})` : '';
  const name = printable(bridge.name);
  const routes = context.namespaces.get(bridge.namespace)?.routes ?? [];
  const out = routes.find(({ dst, family }) => dst === 'default' && family === 4);
  const via = out?.gateway && out.dev ? `${out.gateway.text} dev ${printable(out.dev)}` : '<router>';
  return {
    clause: '',
    sentence: ` Nothing but guests that the host context knows is on ${label(bridge)}, and none of them has ${tpa}.`,
    cause:
      `Nobody on ${label(bridge)} has ${tpa}: ` +
      (holders.length > 0
        ? `${label(holders[0])} has it, in another network. The`
        : `a guest that had it is gone, or ${tpa} is in another network, and the`) +
      ` addresses of the bridge${prefix} cover that one, so that packets for it never leave the machine.`,
    remedy: [
      {
        text: 'See who is on the bridge, and which addresses it covers',
        commands: [`bridge link show | grep -w ${name}`, `ip -br addr show dev ${name}`].map((command) =>
          inNamespace(bridge, command),
        ),
      },
      {
        text: `If ${tpa} is in another network: lead the machine there, and the asking guest to the machine; lasts until either starts again`,
        commands: [
          inNamespace(bridge, `ip route add ${tpa} via ${via}`),
          ...(asker === bridge
            ? []
            : [inNamespace(asker, `ip route add ${tpa} via ${own?.text ?? '<address of the bridge>'}`)]),
        ],
      },
      {
        text: 'For good: give the bridge other addresses (Docker: "bip" in /etc/docker/daemon.json, or make the network anew with --subnet)',
        commands: ['docker network inspect $(docker network ls -q) | grep -i subnet'],
      },
    ],
    context: [`${label(bridge)}: ${ports.length} ports, all to guests without ${tpa}`],
  };
}
