import type { Device, Namespace, Route } from '../../../network/context/device.js';
import { appliesAt, coversSource } from '../../../network/context/firewall.js';
import { contains } from '../../../network/context/firewall-match.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { type Way, wayTo } from '../../../network/context/routing.js';

/** Routers that are looked at on a way. */
const MAX_HOPS = 8;

/**
 * The device farther on by which packets of `source` leave the machines that have a way back to it, by the routes of the host context; null if that is
 * not known.
 */
export function uplinkOf(
  context: HostContext,
  { namespace }: Device,
  source: Int32Array,
  target: Int32Array,
): Device | null {
  let name = namespace;
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const machine = context.namespaces.get(name);
    const { kind, routes } = machine ? wayTo(machine, target, source) : { kind: 'unknown', routes: [] };
    const [{ gateway, dev } = { gateway: null, dev: null }] = routes;
    if (!machine || kind !== 'routed' || routes.length !== 1 || !gateway) return null;
    const next = new Set(context.devicesByIp(gateway.words).map((holder) => holder.namespace));
    [name] = next;
    const beyond = next.size === 1 ? context.namespaces.get(name) : undefined;
    if (!beyond) return null;
    const back = wayBack(beyond, source);
    if (back === 'none' || back === 'refused') return machine.devices.get(dev ?? '') ?? null;
    if (back === 'unknown') return null;
  }
  return null;
}

/** Whether a router farther on, by the routes of the host context, may translate packets of `source` to `target`. */
export function isTranslatedBeyond(
  context: HostContext,
  first: string,
  source: Int32Array,
  target: Int32Array,
): boolean {
  let reached = [first];
  for (let hops = 0; hops < MAX_HOPS && reached.length > 0; hops++) {
    const next = new Set<string>();
    for (const name of reached) {
      const namespace = context.namespaces.get(name);
      const routes = namespace ? wayTo(namespace, target, source).routes : [];
      for (const { gateway, dev } of routes) {
        const rules = hops === 0 || dev === null ? [] : (namespace?.firewall?.sourceNat ?? []);
        if (rules.some((rule) => appliesAt(rule, dev ?? '') && coversSource(rule, source, dev ?? '') !== 'no'))
          return true;
        for (const holder of gateway ? context.devicesByIp(gateway.words) : []) next.add(holder.namespace);
      }
    }
    reached = [...next];
  }
  return false;
}

/** The router on the one way back from a machine that has no route to an address; null if none is known. */
export function endOfWay(
  context: HostContext,
  homes: readonly (Namespace | undefined)[],
  words: Int32Array,
): string | null {
  let [home] = homes;
  if (homes.length !== 1) return null;
  for (let hops = 0; home && hops < MAX_HOPS; hops++) {
    const { kind, routes } = wayTo(home, words);
    if (kind === 'none' || kind === 'refused') return hops === 0 ? null : home.name;
    const [gateway] = kind === 'routed' && routes.length === 1 ? [routes[0].gateway] : [];
    const holders = new Set((gateway ? context.devicesByIp(gateway.words) : []).map(({ namespace }) => namespace));
    const [next] = holders;
    home = holders.size === 1 ? context.namespaces.get(next) : undefined;
  }
  return null;
}

/** Whether a machine has a route to an address; `unknown` where it would have to ask for a far address on its own link (`default dev eth0`). */
export function wayBack(home: Namespace, words: Int32Array): Way['kind'] {
  const { kind, routes } = wayTo(home, words);
  const isAskedFor = ({ gateway, dev }: Route) => {
    const device = home.devices.get(dev ?? '');
    // Tunnels and point-to-point devices have no MAC, and ask for nobody.
    if (gateway || !device || device.mac === null) return false;
    return !device.addresses.some((each) => contains({ words: each.words, length: each.prefixLength }, words));
  };
  return kind === 'routed' && routes.every(isAskedFor) ? 'unknown' : kind;
}
