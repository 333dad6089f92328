import type { Device, Namespace } from '../../../network/context/device.js';
import type { Fate, Place } from '../../../network/context/netfilter/fate.js';
import { addressValue, firstOf, type Packet } from '../../../network/context/netfilter/packet.js';
import type { Ruleset } from '../../../network/context/netfilter/ruleset.js';
import { answersTo, comesBack, comesIn, type Machine } from '../../../network/context/netfilter/way.js';
import { forwards } from '../../../network/context/routing.js';
import type { Network } from '../../../network/network.js';
import type { Confidence } from '../../rule.js';
import { type Arrival, arrivalOf } from '../vanished/arrival.js';
import type { Vanished } from '../vanished/requests.js';

/** What says which packets a request is made of. */
type Asked = Pick<Vanished, 'source' | 'destination' | 'sourcePort' | 'destinationPort' | 'isIpv4' | 'protocol'>;

/** Answers to questions about one ruleset that are kept. */
const MAX_KEPT = 1024;

/** A machine of the host context whose firewall drops requests, or the answers to them. */
export interface Filtered {
  readonly namespace: Namespace;
  readonly ruleset: Ruleset;
  /** Where the requests come in. */
  readonly device: Device;
  readonly place: Place;
  /** What is dropped, as the rule sees it. */
  readonly packet: Packet;
  /** Whether the machine is the one that is asked; else it is on the way. */
  readonly isTarget: boolean;
  readonly fate: Fate;
  /** Of requests on their way: where the answers would be dropped as well. */
  readonly back: { readonly place: Place; readonly packet: Packet } | null;
}

const kept = new WeakMap<Ruleset, Map<string, Filtered | null>>();

/**
 * Where the machine that requests come to drops them, or the answers to them, by the rules of its firewall; null where it does
 * not, or that is not known. For events: it goes through rules.
 */
export function filteredAt(network: Network, vanished: Vanished): Filtered | null {
  const arrival = arrivalOf(network, vanished);
  const firewall = arrival?.namespace.firewall;
  if (!arrival || !firewall?.ruleset || firewall.ruleset.bases.length === 0) return null;
  const devices = narrowed(network, arrival, vanished);
  const machine = machineOf(network, arrival.namespace, firewall.ruleset);
  return remembered(machine.ruleset, keyOf(devices, vanished), () => {
    const each = devices.map((device) => judge(network, machine, device, vanished));
    const [found] = each;
    // Where it is not known at which of several devices they come in, all must say the same.
    return found && each.every((other) => other && isEqual(other, found)) ? found : null;
  });
}

function keyOf(
  devices: readonly Device[],
  { from, to, protocol, sourcePort, destinationPort, isAnsweredBeyond }: Vanished,
): string {
  const names = devices.map(({ name }) => name).join(' ');
  return `${from} ${to} ${protocol} ${sourcePort} ${destinationPort} ${isAnsweredBeyond} ${names}`;
}

/** What was found out about the same before. */
export function remembered(ruleset: Ruleset, key: string, find: () => Filtered | null): Filtered | null {
  const known = kept.get(ruleset) ?? new Map<string, Filtered | null>();
  kept.set(ruleset, known);
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size === MAX_KEPT) known.clear();
  const filtered = find();
  known.set(key, filtered);
  return filtered;
}

export function machineOf({ context }: Network, namespace: Namespace, ruleset: Ruleset): Machine {
  return {
    namespace,
    ruleset,
    isCounted: namespace.firewall?.isCounted ?? false,
    holds: (words) => context?.devicesByIp(words).some((each) => each.namespace === namespace.name) ?? false,
  };
}

function judge(network: Network, machine: Machine, device: Device, vanished: Vanished): Filtered | null {
  const { addresses } = network;
  const asker = addresses.words(vanished.source);
  const { namespace, ruleset } = machine;
  const isThrough = !machine.holds(addresses.words(vanished.destination));
  if (isThrough && forwards(namespace, device, vanished.isIpv4 ? 4 : 6) !== true) return null;
  const way = comesIn(machine, device, packetOf(network, vanished));
  if (!way) return null;
  const { fate, packet } = way;
  const isTarget = packet.isLocal ?? !isThrough;
  const base = { namespace, ruleset, device, isTarget };
  // They were seen to pass: these are not the rules that they met.
  if (vanished.isAnsweredBeyond && fate.kind === 'drop') return null;
  if (fate.kind === 'accept' || vanished.isAnsweredBeyond) {
    const back = isTarget ? answersTo(machine, packet) : comesBack(machine, packet, asker);
    const place = back?.fate.kind === 'drop' ? back.fate.place : null;
    return back && place ? { ...base, place, packet: back.packet, fate: back.fate, back: null } : null;
  }
  if (!fate.place || (fate.kind !== 'drop' && !fate.hidesTracking)) return null;
  const back = isTarget ? null : comesBack(machine, packet, asker);
  const lost = back?.fate.place && back.fate.kind !== 'refuse' ? { place: back.fate.place, packet: back.packet } : null;
  return { ...base, place: fate.place, packet, fate, back: lost };
}

/** As `filteredAt`, at the machine that has the address asked for, wherever the requests were seen. */
export function filteredAtHolder(network: Network, vanished: Vanished): Filtered | null {
  const holders = network.context?.devicesByIp(network.addresses.words(vanished.destination)) ?? [];
  const [device] = holders;
  const namespace = holders.length === 1 ? network.context?.namespaces.get(device.namespace) : undefined;
  const ruleset = namespace?.firewall?.ruleset;
  if (!namespace || !ruleset || device.loopback || ruleset.bases.length === 0) return null;
  const machine = machineOf(network, namespace, ruleset);
  return remembered(ruleset, keyOf([device], vanished), () => judge(network, machine, device, vanished));
}

/** How sure it is that what vanished was dropped there. */
export function confidenceOf({ isAnsweredBeyond }: Vanished, { fate, packet, place }: Filtered): Confidence {
  if (fate.kind !== 'drop') return 'hint';
  if (fate.assumesMark || fate.assumesDevice) return 'likely';
  return !packet.isReply || isAnsweredBeyond || (place.packets ?? 0) > 0 ? 'certain' : 'likely';
}

/** The first request, as it comes to the machine. */
export function packetOf({ addresses }: Network, asked: Asked): Packet {
  const { source, destination, sourcePort, destinationPort, isIpv4, protocol } = asked;
  return firstOf({
    isIpv4,
    protocol,
    source: addressValue(addresses.words(source)),
    destination: addressValue(addresses.words(destination)),
    sourcePort,
    destinationPort,
  });
}

/** The devices that requests can come in at: VLAN devices have the MAC of what they are on. */
function narrowed({ segments, vantage }: Network, { devices }: Arrival, { segment }: Vanished): readonly Device[] {
  if (devices.length < 2) return devices;
  const { vlans, deviceIndex } = segments.describe(segment);
  const tagged = vlans.length > 0 ? devices.filter(({ vlan }) => vlan?.id === vlans[vlans.length - 1]) : [];
  if (tagged.length > 0) return tagged;
  const at = devices.filter((device) => device === vantage || device.index === deviceIndex);
  if (at.length > 0) return at;
  const plain = devices.filter(({ vlan }) => vlan === null);
  return plain.length > 0 && vlans.length === 0 && vantage?.vlan === null ? plain : devices;
}

function isEqual(a: Filtered, b: Filtered): boolean {
  return (
    a.fate.kind === b.fate.kind &&
    a.place.rule === b.place.rule &&
    a.place.chain === b.place.chain &&
    a.place.table === b.place.table
  );
}
