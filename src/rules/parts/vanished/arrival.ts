import type { Device, Namespace } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Network } from '../../../network/network.js';
import { ownNextHop } from './own-next-hop.js';
import type { Vanished } from './requests.js';

/** A machine of the host context that requests reach, and the devices of it that they come in at. */
export interface Arrival {
  readonly namespace: Namespace;
  readonly devices: readonly Device[];
}

/**
 * The machine that requests reach: the holder of the MAC they are sent to, or, where the capture keeps no destinations,
 * the one that captured, known by its own MACs, or the one that this one sends to. Null where the context leaves that open.
 */
export function arrivalOf(network: Network, vanished: Vanished): Arrival | null {
  const { context } = network;
  if (!context) return null;
  const { hi, lo, cameIn, wentOut, forOther, source, destination } = vanished;
  let devices: readonly Device[];
  if (hi >= 0) devices = context.devicesByMac(hi, lo);
  else {
    const own = forOther || !(cameIn || wentOut) ? [] : ownDevices(network, context, vanished.segment);
    devices = cameIn ? own : own.flatMap((device) => ownNextHop(network, device, source, destination));
  }
  // A bridge or bond has the MAC of a port of its own, and packets come in at the master.
  devices = devices.filter(({ master, masterKind }) => !master || masterKind === 'vrf');
  const names = new Set(devices.map(({ namespace }) => namespace));
  const [name] = names;
  const namespace = names.size === 1 ? context.namespaces.get(name) : undefined;
  return namespace ? { namespace, devices } : null;
}

/** The devices that a segment of a cooked capture may be: who sent frames with their MAC, and got none. */
function ownDevices(
  { stations, segments, namespace }: Network,
  context: HostContext,
  segment: number,
): readonly Device[] {
  const index = segments.describe(segment).deviceIndex;
  const own = new Set<Device>();
  const candidates =
    index === 0 ? context.devices : [...context.namespaces.values()].flatMap(({ byIndex }) => byIndex.get(index) ?? []);
  for (const device of candidates) {
    if (!device.mac || device.loopback) continue;
    const row = stations.find(segment, device.mac.hi, device.mac.lo | 0);
    if (row >= 0 && stations.sentOut(row) && !stations.cameIn(row)) own.add(device);
  }
  // A device that sent nothing has its number.
  const here = own.size > 0 || index === 0 ? null : namespace;
  const numbered = here === null ? undefined : context.namespaces.get(here)?.byIndex.get(index);
  return numbered ? [numbered] : [...own];
}

/** Whether the machine holds the address on any of its devices. */
export function holds({ context, addresses }: Network, { namespace }: Arrival, address: number): boolean {
  const holders = context?.devicesByIp(addresses.words(address)) ?? [];
  return holders.some((device) => device.namespace === namespace.name);
}
