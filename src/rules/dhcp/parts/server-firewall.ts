import { macKey } from '../../../network/context/address.js';
import { type Device, isPair, isStacked } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { addressValue, type Flow, firstOf } from '../../../network/context/netfilter/packet.js';
import { comesIn, leaves, type Machine, type Way } from '../../../network/context/netfilter/way.js';
import { reach } from '../../../network/context/reach.js';
import type { Network } from '../../../network/network.js';
import { onlyOf } from '../../parts/device-argument.js';
import { type Filtered, machineOf, remembered } from '../../parts/firewalls/filtered.js';
import { bridgeFilter } from './bridge-filter.js';
import { CLIENT_PORT, DISCOVER, offerOf } from './messages.js';

/** Any other port, to see whether it is about these that something is dropped (RFC 863). */
const DISCARD = 9;
/** Devices of machines with rules that are looked at for one client at most. */
const MAX_JUDGED = 64;

/** Whom a firewall does not concern. */
export const READS_IN_FRONT =
  'ISC dhcpd and Kea read in front of the firewall: of these another cause is to be looked for';

export const WRITES_PAST =
  'ISC dhcpd, Kea and udhcpd write past the firewall: of these another cause is to be looked for';

/** A drop on a machine where a server may be. */
interface Candidate {
  readonly drop: Filtered;
  /** Whether it is about DHCP: other ports are not dropped there. */
  readonly isSpecific: boolean;
}

/** By the client's device, for it is asked at each discover, and goes through the devices of the host context. */
const known = new WeakMap<Device, Filtered | null>();

/**
 * Where the firewall of a machine that the client's broadcasts reach, or of the bridge on their way, drops what clients send to
 * servers, or what servers answer (a row of `leases`); null if there is none, or it is not known of which machine to speak.
 */
export function serverFilter(network: Network, row: number, devices: readonly Device[]): Filtered | null {
  const { context, leases } = network;
  const client = onlyOf(devices);
  if (!client) {
    // A virtual machine: the context knows its tap alone, and its bridge.
    const tap = devices.length === 0 && context ? context.guestPort(macKey(leases.hi(row), leases.lo(row))) : null;
    return tap && bridgeFilter(network, tap);
  }
  let filter = known.get(client);
  if (filter === undefined) {
    filter = find(network, client) ?? bridgeFilter(network, client);
    known.set(client, filter);
  }
  return filter;
}

/** Where the machine that has a server's address drops what a client writes to it by unicast to keep its own (IPv4); null where it does not, or that is not known. */
export function renewalFilter(network: Network, server: number, own: number): Filtered | null {
  const { context } = network;
  const holders = context?.devicesByIp([server | 0]) ?? [];
  const [device] = holders;
  const namespace = holders.length === 1 ? context?.namespaces.get(device.namespace) : undefined;
  const ruleset = namespace?.firewall?.ruleset;
  if (!namespace || !ruleset || device.loopback || ruleset.bases.length === 0) return null;
  return remembered(ruleset, `dhcp ${server} ${own}`, () => {
    const machine = machineOf(network, namespace, ruleset);
    const flow = { ...DISCOVER, source: addressValue([own]), destination: addressValue([server]) };
    const way = comesIn(machine, device, firstOf(flow));
    if (way?.fate.kind !== 'drop' || !way.fate.place || way.fate.assumesDevice) return null;
    return dropAt(machine, device, { ...way, packet: { ...way.packet, source: null, destination: null } });
  });
}

/** Whether what servers answer is dropped, not what clients ask. */
export function isOffer({ packet }: Filtered): boolean {
  return packet.destinationPort === CLIENT_PORT;
}

function find(network: Network, client: Device): Filtered | null {
  const { context } = network;
  if (!context) return null;
  const reached = [...reach(context, client)];
  const others = reached.filter(
    ({ namespace, master, masterKind, loopback }) =>
      namespace !== client.namespace && !loopback && (!master || masterKind === 'vrf'),
  );
  const filtering = others.filter(({ namespace }) => hasRules(context, namespace));
  if (filtering.length > MAX_JUDGED) return null;
  const candidates = filtering.map((device) => judge(network, device)).filter((each) => each !== null);
  // Whoever filters these ports means DHCP, and may be the one who serves.
  const specific = candidates.filter(({ isSpecific }) => isSpecific);
  if (specific.length > 0) return onlyMachine(specific.map(({ drop }) => drop));
  // What drops all that it does not know says nothing of DHCP, unless nobody else can be the server.
  const addressed = others.filter(({ addresses }) => addresses.some(({ family }) => family === 4));
  const machines = new Set(addressed.map(({ namespace }) => namespace));
  if (machines.size !== 1 || !reached.every(isInside)) return null;
  return onlyMachine(candidates.filter(({ drop }) => addressed.includes(drop.device)).map(({ drop }) => drop));
}

function hasRules(context: HostContext, namespace: string): boolean {
  return (context.namespaces.get(namespace)?.firewall?.ruleset?.bases.length ?? 0) > 0;
}

function onlyMachine(drops: readonly Filtered[]): Filtered | null {
  return new Set(drops.map(({ namespace }) => namespace)).size === 1 ? drops[0] : null;
}

/** Whether all that a device is connected to is in the host context. */
function isInside(device: Device): boolean {
  return (
    device.kind === 'bridge' || (isPair(device) ? device.peer !== null : isStacked(device) && device.parent !== null)
  );
}

function judge(network: Network, device: Device): Candidate | null {
  const namespace = network.context?.namespaces.get(device.namespace);
  const ruleset = namespace?.firewall?.ruleset;
  if (!namespace || !ruleset) return null;
  const machine = machineOf(network, namespace, ruleset);
  const ways: [Flow, (flow: Flow) => Way | null][] = [
    [DISCOVER, (flow) => comesIn(machine, device, firstOf(flow))],
    [offerOf(device), (flow) => leaves(machine, firstOf(flow), device)],
  ];
  for (const [flow, pass] of ways) {
    const way = pass(flow);
    if (!way) return null;
    const { fate, packet } = way;
    if (fate.kind === 'accept') continue;
    const { place } = fate;
    if (fate.kind !== 'drop' || !place || fate.assumesDevice) return null;
    const other = pass({ ...flow, sourcePort: DISCARD, destinationPort: DISCARD })?.fate;
    const isSpecific = other?.kind === 'accept' || (other?.kind === 'drop' && other.place?.rule !== place.rule);
    // Clients ask from their addresses too, and by unicast.
    const any = { ...packet, source: null, destination: null };
    return { drop: dropAt(machine, device, { fate, packet: any }), isSpecific };
  }
  return null;
}

function dropAt({ namespace, ruleset }: Machine, device: Device, { fate, packet }: Way): Filtered {
  const place = fate.place as NonNullable<typeof fate.place>;
  return { namespace, ruleset, device, place, packet, isTarget: true, fate, back: null };
}
