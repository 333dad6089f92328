import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import { printable } from '../../wire/printable.js';
import { inNamespace } from './question.js';

/** Routes of a device that a remedy makes again; more are the work of a program. */
const MAX_ROUTES = 8;

/** Commands that give a device, or `name` beside it, the addresses that are lost when it is deleted. */
export function addressesAgain(device: Device, name = device.name): string[] {
  return device.addresses
    .filter(({ text }) => !text.startsWith('fe80:'))
    .map(({ text, prefixLength }) => inNamespace(device, `ip addr add ${text}/${prefixLength} dev ${name}`));
}

/**
 * Commands for the routes that are lost when a device, its address or its master changes. The kernel makes those to
 * the own prefix again, and routers announce theirs.
 */
export function routesAgain(context: HostContext, device: Device, name = device.name): string[] {
  const routes = context.namespaces.get(device.namespace)?.routes ?? [];
  return routes
    .filter(({ dev, gateway, prefsrc, family, type }) => {
      if (dev !== device.name || type !== 'unicast') return false;
      return gateway === null ? family === 4 && prefsrc === null : !gateway.text.startsWith('fe80:');
    })
    .slice(0, MAX_ROUTES)
    .map(({ family, dst, gateway, onLink }) => {
      const via = gateway ? ` via ${gateway.text}` : '';
      const end = onLink ? ' onlink' : '';
      return inNamespace(device, `ip${family === 6 ? ' -6' : ''} route add ${dst}${via} dev ${name}${end}`);
    });
}

/** ` netns box` for a device that is made in the namespace of `from` and belongs into that of `to`; '' where they are one. */
export function into(to: Device, from: Device): string {
  if (to.namespace === from.namespace) return '';
  // The machine's own has no name: it is that of its first process.
  const pid = to.namespace === 'host' ? '1' : /^[^/]+\/(\d+)$/.exec(to.namespace)?.[1];
  return ` netns ${pid ?? printable(to.namespace)}`;
}

/** Commands that delete a child of a card and make it anew as `type`, such as `macvlan mode bridge`, with what it had: master, addresses, routes. */
export function childAnew(context: HostContext | null, child: Device, parent: Device, type: string): string[] {
  return [
    inNamespace(child, `ip link del ${child.name}`),
    inNamespace(parent, `ip link add ${child.name} link ${parent.name}${into(child, parent)} type ${type}`),
    ...(child.master ? [inNamespace(child, `ip link set ${child.name} master ${child.master.name}`)] : []),
    inNamespace(child, `ip link set ${child.name} up`),
    ...addressesAgain(child),
    ...(context ? routesAgain(context, child) : []),
  ];
}
