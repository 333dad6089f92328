import type { Ip } from '../../../network/context/address.js';
import type { Device, Namespace } from '../../../network/context/device.js';
import { addressValue, firstOf, type Packet } from '../../../network/context/netfilter/packet.js';
import type { Ruleset } from '../../../network/context/netfilter/ruleset.js';
import { comesIn, leaves } from '../../../network/context/netfilter/way.js';
import { wayTo } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import { type Filtered, machineOf, remembered } from '../../parts/firewalls/filtered.js';
import { endOfWay, hasPassed, type WayEnd } from '../../parts/firewalls/way-through.js';

/** Hooks of what a machine sends. */
const OUTWARDS: readonly string[] = ['output', 'postrouting', 'egress'];

/** One way between two tunnel endpoints. */
export interface TunnelWay {
  readonly from: Ip;
  readonly to: Ip;
  readonly port: number;
  /** What the near end floods to, where it is a multicast group and not the far end's own address. */
  readonly group?: Group;
}

/** A multicast group, and the devices by which it leaves the near end and comes in at the far one. */
interface Group {
  readonly ip: Ip;
  readonly output: Device;
  readonly input: Device;
}

/**
 * Where the firewall of a tunnel's far end drops what comes through the tunnel, or else what its own end sends back; null
 * where it does neither, or that is not known.
 */
export function endpointDrop(network: Network, way: TunnelWay): Filtered | null {
  const { from, to, port, group } = way;
  const end = endOf(network, to);
  const device = end && (group?.input ?? entrance(end, from.words));
  if (!end || !device) return null;
  const { namespace, ruleset } = end;
  return remembered(ruleset, `vxlan ${nameOf(way)}`, () => {
    const machine = machineOf(network, namespace, ruleset);
    const comes = comesIn(machine, device, packetOf(way));
    if (!comes) return null;
    const { fate, packet } = comes;
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
  return remembered(ruleset, `vxlan out ${nameOf(way)}`, () => {
    const { fate, packet } = leaves(machineOf(network, namespace, ruleset), packetOf(way), way.group?.output);
    const { place } = fate;
    if (fate.kind !== 'drop' || !place) return null;
    return { namespace, ruleset, device: holders[0], place, packet, isTarget: true, fate, back: null };
  });
}

/** What drops VXLAN between its two ends, by the host context. */
export interface TransitDrop {
  readonly drop: Filtered;
  /** The bridge whose firewall it is; else it is a router's. */
  readonly bridge: Device | null;
  /** Whether it is what the far end sends back. */
  readonly isBack: boolean;
}

/**
 * Where a router or bridge between the two ends drops what the near one sends, or else what comes back; null where none does, or that is not
 * known. `segment`: where the tunnel is seen to pass; null where it is not seen.
 */
export function transitDrop(network: Network, way: TunnelWay, segment: number | null): TransitDrop | null {
  const there = transitOf(network, way);
  const back = transitOf(network, { ...way, from: way.to, to: way.from });
  if (there?.drop && !there.drop.isTarget) {
    const isBeyond = segment === null || hasPassed(network, there, segment);
    if (!isBeyond) return null;
    // Each end sends from a port of its own choice: no rule knows what comes back for an answer.
    const isSame = back?.drop && !back.drop.isTarget && back.drop.namespace === there.drop.namespace;
    return { drop: { ...there.drop, back: isSame ? back.drop : null }, bridge: there.bridge, isBack: false };
  }
  if (!back?.drop || back.drop.isTarget || (segment !== null && hasPassed(network, back, segment))) return null;
  return { drop: back.drop, bridge: back.bridge, isBack: true };
}

/** The device by which a router between the two ends sends on what the near one sends, with another source address. */
export function translatorOf(network: Network, way: TunnelWay): Device | null {
  return transitOf(network, way)?.translator ?? null;
}

function transitOf(network: Network, way: TunnelWay): WayEnd | null {
  const { context } = network;
  const holders = context?.devicesByIp(way.from.words) ?? [];
  const names = new Set(holders.map(({ namespace }) => namespace));
  const [name] = names;
  const sender = names.size === 1 ? context?.namespaces.get(name) : undefined;
  return sender ? endOfWay(network, sender, packetOf(way)) : null;
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

function nameOf({ from, to, port, group }: TunnelWay): string {
  return `${from.text} ${to.text} ${port} ${group?.ip.text ?? ''}`;
}

function packetOf({ from, to, port, group }: TunnelWay): Packet {
  const [source, destination] = [addressValue(from.words), addressValue((group?.ip ?? to).words)];
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
