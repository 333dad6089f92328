import type { Device } from '../../../network/context/device.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { narrowRouter } from '../next-router.js';

/** Routers that a way is followed through at most. */
const MAX_HOPS = 8;

/**
 * By what packets are lost that are larger than `least` bytes, and smaller ones are not, as the host context shows it: the device with the smallest MTU
 * that routers on the way send by. Where the way is not known, the one router with such an MTU. `from` and `to` are rows of `Addresses`.
 */
export function narrowAt(network: Network, from: number, to: number, least: number, below: number): Device | null {
  const family = network.addresses.isIpv4(to) ? 4 : 6;
  return narrowOnWay(network, from, to, least, below) ?? narrowRouter(network.context, least, below, family);
}

function narrowOnWay({ context, addresses }: Network, from: number, to: number, least: number, below: number) {
  const [source, target] = [addresses.words(from), addresses.words(to)];
  let machine = context?.devicesByIp(source) ?? [];
  let narrowest: Device | null = null;
  for (let hop = 0; context && hop < MAX_HOPS; hop++) {
    const namespace = machine.length > 0 ? context.namespaces.get(machine[0].namespace) : undefined;
    if (!namespace || machine.some((each) => each.namespace !== namespace.name)) return null;
    const { kind, routes } = wayTo(namespace, target, source);
    const [route] = routes;
    if (kind !== 'routed' || routes.length !== 1) return narrowest;
    const output = namespace.devices.get(route.dev ?? '');
    const mtu = output?.mtu ?? 0;
    // The sender itself knows its own.
    if (hop > 0 && output && mtu >= least && mtu < below && mtu < (narrowest?.mtu ?? below)) narrowest = output;
    if (!route.gateway) return narrowest;
    machine = context.devicesByIp(route.gateway.words);
  }
  return narrowest;
}
