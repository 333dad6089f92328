import type { Ip } from '../../../network/context/address.js';
import type { Device, Namespace } from '../../../network/context/device.js';
import { addressValue, firstOf, type Packet } from '../../../network/context/netfilter/packet.js';
import type { Ruleset } from '../../../network/context/netfilter/ruleset.js';
import { comesIn, leaves } from '../../../network/context/netfilter/way.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { type Filtered, machineOf, remembered } from '../../parts/filtered.js';

/** Hooks of what a machine sends. */
const OUTWARDS: readonly string[] = ['output', 'postrouting', 'egress'];

/** One way between two tunnel endpoints. */
export interface TunnelWay {
  readonly from: Ip;
  readonly to: Ip;
  readonly port: number;
}

/**
 * Where the firewall of a tunnel's far end drops what comes through the tunnel, or else what its own end sends back; null
 * where it does neither, or that is not known.
 */
export function endpointDrop(network: Network, { from, to, port }: TunnelWay): Filtered | null {
  const end = endOf(network, to);
  const device = end && entrance(end, from.words);
  if (!end || !device) return null;
  const { namespace, ruleset } = end;
  return remembered(ruleset, `vxlan ${from.text} ${to.text} ${port}`, () => {
    const machine = machineOf(network, namespace, ruleset);
    const way = comesIn(machine, device, packetOf({ from, to, port }));
    if (!way) return null;
    const { fate, packet } = way;
    const back = leaves(machine, packetOf({ from: to, to: from, port }));
    const lost = back.fate.kind === 'drop' && back.fate.place ? { place: back.fate.place, packet: back.packet } : null;
    const base = { namespace, ruleset, device, isTarget: true };
    if (fate.kind === 'accept') return lost && { ...base, ...lost, fate: back.fate, back: null };
    const place = fate.kind === 'drop' || fate.hidesTracking ? fate.place : fate.suspect;
    return place && { ...base, place, packet, fate, back: lost };
  });
}

/** Where the firewall of a tunnel's near end drops what it sends; null where it does not, or that is not known. */
export function senderDrop(network: Network, way: TunnelWay): Filtered | null {
  const end = endOf(network, way.from);
  if (!end) return null;
  const { namespace, ruleset, holders } = end;
  return remembered(ruleset, `vxlan out ${way.from.text} ${way.to.text} ${way.port}`, () => {
    const { fate, packet } = leaves(machineOf(network, namespace, ruleset), packetOf(way));
    const { place } = fate;
    if (fate.kind !== 'drop' || !place) return null;
    return { namespace, ruleset, device: holders[0], place, packet, isTarget: true, fate, back: null };
  });
}

/** Whether the far end's own VXLAN is what is dropped. */
export function isOutwards({ place }: Filtered): boolean {
  return OUTWARDS.includes(place.hook);
}

interface End {
  readonly namespace: Namespace;
  readonly ruleset: Ruleset;
  /** Devices with its address. */
  readonly holders: readonly Device[];
}

/** The one machine that holds an address, and has rules. */
function endOf({ context }: Network, { words }: Ip): End | null {
  const holders = context?.devicesByIp(words) ?? [];
  const [device] = holders;
  const isOne = device && holders.every((each) => each.namespace === device.namespace);
  const namespace = isOne ? context?.namespaces.get(device.namespace) : undefined;
  const ruleset = namespace?.firewall?.ruleset;
  return namespace && ruleset && ruleset.bases.length > 0 ? { namespace, ruleset, holders } : null;
}

function packetOf({ from, to, port }: TunnelWay): Packet {
  const [source, destination] = [addressValue(from.words), addressValue(to.words)];
  return firstOf({
    isIpv4: from.family === 4,
    protocol: 'udp',
    source,
    destination,
    sourcePort: null,
    destinationPort: port,
  });
}

/** The device at which packets from an address come in; an endpoint may have its own on a loopback. */
function entrance({ namespace, holders }: End, from: ArrayLike<number>): Device | null {
  const onLink = holders.find(({ loopback, kind }) => !loopback && kind !== 'dummy');
  if (onLink) return onLink;
  const { kind, routes } = wayTo(namespace, from);
  const name = kind === 'routed' && routes.length === 1 ? routes[0].dev : null;
  return (name !== null && namespace.devices.get(name)) || null;
}
