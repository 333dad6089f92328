import type { Device, Namespace } from '../../../network/context/device.js';
import { addressValue, firstOf } from '../../../network/context/netfilter/packet.js';
import { comesIn, leaves } from '../../../network/context/netfilter/way.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { type Filtered, machineOf, remembered } from '../../parts/filtered.js';
import { address } from './tunnel.js';

/** Hooks of what a machine sends. */
const OUTWARDS: readonly string[] = ['output', 'postrouting', 'egress'];

/**
 * Where the firewall of a tunnel's far end drops what comes through the tunnel, or else what its own end sends back; null
 * where it does neither, or that is not known.
 */
export function endpointDrop(network: Network, tunnel: number): Filtered | null {
  const { context, tunnels, addresses } = network;
  const words = addresses.words(tunnels.destination(tunnel));
  const holders = context?.devicesByIp(words) ?? [];
  const names = new Set(holders.map(({ namespace }) => namespace));
  const [name] = names;
  const namespace = names.size === 1 ? context?.namespaces.get(name) : undefined;
  const ruleset = namespace?.firewall?.ruleset;
  if (!namespace || !ruleset || ruleset.bases.length === 0) return null;
  const device = entrance(namespace, holders, addresses.words(tunnels.source(tunnel)));
  if (!device) return null;
  const port = tunnels.port(tunnel);
  const [from, to] = [address(network, tunnels.source(tunnel)), address(network, tunnels.destination(tunnel))];
  return remembered(ruleset, `vxlan ${from} ${to} ${port}`, () => judge(network, tunnel, namespace, device));
}

/** Whether the far end's own VXLAN is what is dropped. */
export function isOutwards({ place }: Filtered): boolean {
  return OUTWARDS.includes(place.hook);
}

function judge(network: Network, tunnel: number, namespace: Namespace, device: Device): Filtered | null {
  const { tunnels, addresses } = network;
  const ruleset = namespace.firewall?.ruleset;
  if (!ruleset) return null;
  const machine = machineOf(network, namespace, ruleset);
  const near = addressValue(addresses.words(tunnels.source(tunnel)));
  const far = addressValue(addresses.words(tunnels.destination(tunnel)));
  const flow = {
    isIpv4: addresses.isIpv4(tunnels.destination(tunnel)),
    protocol: 'udp',
    sourcePort: null,
    destinationPort: tunnels.port(tunnel),
  } as const;
  const way = comesIn(machine, device, firstOf({ ...flow, source: near, destination: far }));
  if (!way) return null;
  const { fate, packet } = way;
  const back = leaves(machine, firstOf({ ...flow, source: far, destination: near }));
  const lost = back.fate.kind === 'drop' && back.fate.place ? { place: back.fate.place, packet: back.packet } : null;
  const base = { namespace, ruleset, device, isTarget: true };
  if (fate.kind === 'accept') return lost && { ...base, ...lost, fate: back.fate, back: null };
  const place = fate.kind === 'drop' || fate.hidesTracking ? fate.place : fate.suspect;
  return place && { ...base, place, packet, fate, back: lost };
}

/** The device at which packets from an address come in; an endpoint may have its own on a loopback. */
function entrance(namespace: Namespace, holders: readonly Device[], from: ArrayLike<number>) {
  const onLink = holders.find(({ loopback, kind }) => !loopback && kind !== 'dummy');
  if (onLink) return onLink;
  const { kind, routes } = wayTo(namespace, from);
  const name = kind === 'routed' && routes.length === 1 ? routes[0].dev : null;
  return (name !== null && namespace.devices.get(name)) || null;
}
