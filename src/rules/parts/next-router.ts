import type { Device, Namespace } from '../../network/context/device.js';
import { contains } from '../../network/context/firewall-match.js';
import type { HostContext } from '../../network/context/host-context.js';
import { reach } from '../../network/context/reach.js';
import { forwards, wayTo } from '../../network/context/routing.js';
import { printable } from '../../wire/printable.js';

/** Where more devices forward than these, none is looked for. */
const MAX_ROUTERS = 1024;

/** A router on the link of a device, by which that device's host can send. */
export interface NextRouter {
  readonly address: string;
  /** The own device that leads to it, and its device there. */
  readonly device: Device;
  readonly router: Device;
}

/**
 * The one machine that forwards on the links of these devices of one host, as the host context shows it; with a destination, the
 * one that has a way there that does not lead back. Null where there is none, or more than one.
 */
export function nextRouter(
  context: HostContext | null,
  devices: readonly Device[],
  family: 4 | 6,
  to?: ArrayLike<number>,
): NextRouter | null {
  if (!context) return null;
  const found = new Map<string, NextRouter & { readonly isReached: boolean }>();
  for (const device of devices) {
    const own = device.addresses.filter((address) => address.family === family && !address.text.startsWith('fe80:'));
    let reached: Set<Device> | null = null;
    for (const other of own.length > 0 ? routersOf(context, family) : []) {
      const beside = other.addresses.filter(({ words }) =>
        own.some((address) => contains({ words: address.words, length: address.prefixLength }, words)),
      );
      if (beside.length === 0 || !isWay(context, device, other, to)) continue;
      reached ??= reach(context, device);
      for (const { text } of beside)
        found.set(text, { address: text, device, router: other, isReached: reached.has(other) });
    }
  }
  // The same subnet may be on another link, too.
  const all = [...found.values()];
  const near = all.filter(({ isReached }) => isReached);
  const routers = near.length > 0 ? near : all;
  return routers.length === 1 ? routers[0] : null;
}

/** The address of the one machine that forwards on a device's link, and leads to a destination; else a placeholder to fill in. */
export function routerBeside(
  context: HostContext | null,
  device: Device,
  isIpv4: boolean,
  to?: ArrayLike<number>,
): string {
  return nextRouter(context, [device], isIpv4 ? 4 : 6, to)?.address ?? '<router>';
}

/** How a router could send to an address, as `ip route` takes it: its holder is on a link, or behind the one router that leads there. */
export function wayTowards(context: HostContext | null, router: Namespace, to: ArrayLike<number>): string | null {
  if (!context) return null;
  const devices = [...router.devices.values()];
  const [holder, ...others] = context.devicesByIp(to);
  if (holder && others.length === 0) {
    const beside = besides(context, devices, holder);
    if (beside.length === 1) return `dev ${printable(beside[0].name)}`;
  }
  const next = nextRouter(context, devices, to.length === 1 ? 4 : 6, to);
  return next && `via ${next.address} dev ${printable(next.device.name)}`;
}

/** The devices of a router on whose link another is; those that are ports of a bridge have none of their own. */
export function besides(context: HostContext, devices: readonly Device[], other: Device): Device[] {
  const reached = reach(context, other);
  return devices.filter((device) => reached.has(device) && device.masterKind !== 'bridge');
}

/**
 * The one device of a machine that forwards whose MTU is in a range: by it packets between two sizes are lost; of two at the ends of one link
 * either. Null where none is, or several.
 */
export function narrowRouter(context: HostContext | null, from: number, below: number, family: 4 | 6): Device | null {
  let found: Device | null = null;
  for (const device of context?.devices ?? []) {
    const { mtu, up } = device;
    if (!up || mtu === null || mtu < from || mtu >= below) continue;
    const namespace = context?.namespaces.get(device.namespace);
    if (!namespace || !forwards(namespace, device, family)) continue;
    if (found && (found.mtu !== mtu || !context || !reach(context, found).has(device))) return null;
    found ??= device;
  }
  return found;
}

/** The network that an address is in, where the host context shows its holder; else the address itself, for a route to it alone. */
export function prefixAround(context: HostContext | null, words: ArrayLike<number>, address: string): string {
  const holders = context?.devicesByIp(words) ?? [];
  const home = holders.length === 1 ? context?.namespaces.get(holders[0].namespace) : undefined;
  const way = home ? wayTo(home, words) : null;
  if (way?.kind !== 'routed' || way.routes.length !== 1) return address;
  const [{ dst, gateway, dev }] = way.routes;
  return gateway === null && dev === holders[0].name && dst !== 'default' ? dst : address;
}

/** Devices with addresses on machines that forward; looked for once. */
const routers = new WeakMap<HostContext, Map<4 | 6, Device[]>>();

function routersOf(context: HostContext, family: 4 | 6): readonly Device[] {
  const known = routers.get(context) ?? new Map<4 | 6, Device[]>();
  routers.set(context, known);
  const found = known.get(family) ?? context.devices.filter((device) => isRouting(context, device, family));
  known.set(family, found);
  return found.length > MAX_ROUTERS ? [] : found;
}

function isRouting(context: HostContext, device: Device, family: 4 | 6): boolean {
  const namespace = context.namespaces.get(device.namespace);
  const has = ({ addresses }: Device) => addresses.some((address) => address.family === family);
  return !device.loopback && has(device) && namespace !== undefined && forwards(namespace, device, family) === true;
}

/** Whether a machine leads anywhere from one of its links: containers forward as their host does, and have one link alone. */
function isWay(
  context: HostContext,
  { namespace: here }: Device,
  other: Device,
  to: ArrayLike<number> | undefined,
): boolean {
  const namespace = context.namespaces.get(other.namespace);
  if (!namespace || other.namespace === here) return false;
  if (!to) return [...namespace.devices.values()].some((device) => device !== other && device.up && !device.loopback);
  const { kind, routes } = wayTo(namespace, to);
  if (kind === 'none' || kind === 'refused') return false;
  return routes.every(
    ({ gateway, dev }) =>
      dev !== other.name &&
      !(gateway && context.devicesByIp(gateway.words).some((device) => device.namespace === here)),
  );
}
