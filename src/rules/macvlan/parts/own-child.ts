import type { HostContext } from '../../../network/context/host-context.js';
import { childAnew } from '../../parts/made-again.js';
import { inNamespace } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';
import type { Pair } from './siblings.js';

/**
 * What joins a host and a child of its card. A passthru child is alone on it, and its mode cannot be changed (kernel: drivers/net/macvlan.c,
 * macvlan_common_newlink and macvlan_changelink): it is made anew first.
 */
export function joined(context: HostContext, pair: Pair, own: string, far: string, isIpv4: boolean): Remedy[] {
  const { child, other: host } = pair;
  if (child.mode !== 'passthru') return [ownChild(pair, own, far, isIpv4)];
  return [
    {
      text: 'Make the child anew in bridge mode, for a passthru child is alone on its device (with a MAC of its own, and other children beside it)',
      commands: childAnew(context, child, host, `${child.kind} mode bridge`),
    },
    ownChild(pair, own, far, isIpv4, 'Then give the host a child of its own, and reach the other through it'),
  ];
}

/** Gives a host a child of its own, by which `own` of the host and `far` of another child reach each other: both in mode bridge. */
export function ownChild(
  { child, other: host }: Pair,
  own: string,
  far: string,
  isIpv4: boolean,
  words?: string,
): Remedy {
  const bits = isIpv4 ? 32 : 128;
  const isApart = child.mode === 'vepa' || child.mode === 'private';
  return {
    text:
      words ??
      `Give the host a child of its own${isApart ? ', in bridge mode like the other,' : ''} and reach the other through it`,
    commands: [
      ...(isApart ? [inNamespace(child, `ip link set ${child.name} type ${child.kind} mode bridge`)] : []),
      inNamespace(host, `ip link add mv-host link ${host.name} type macvlan mode bridge`),
      inNamespace(host, `ip addr add ${own}/${bits} dev mv-host`),
      inNamespace(host, 'ip link set mv-host up'),
      inNamespace(host, `ip route add ${far}/${bits} dev mv-host`),
    ],
  };
}
