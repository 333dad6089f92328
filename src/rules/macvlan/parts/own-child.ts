import { inNamespace } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';
import type { Pair } from './siblings.js';

/** Gives a host a child of its own, by which `own` of the host and `far` of another child reach each other: both in mode bridge. */
export function ownChild({ child, other: host }: Pair, own: string, far: string, isIpv4: boolean): Remedy {
  const bits = isIpv4 ? 32 : 128;
  const isApart = child.mode === 'vepa' || child.mode === 'private';
  return {
    text: `Give the host a child of its own${isApart ? ', in bridge mode like the other,' : ''} and reach the other through it`,
    commands: [
      ...(isApart ? [inNamespace(child, `ip link set ${child.name} type ${child.kind} mode bridge`)] : []),
      inNamespace(host, `ip link add mv-host link ${host.name} type macvlan mode bridge`),
      inNamespace(host, `ip addr add ${own}/${bits} dev mv-host`),
      inNamespace(host, 'ip link set mv-host up'),
      inNamespace(host, `ip route add ${far}/${bits} dev mv-host`),
    ],
  };
}
