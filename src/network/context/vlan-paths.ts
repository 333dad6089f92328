import { macKey } from './address.js';
import { type Device, isWithoutAddress, type Vlan } from './device.js';
import type { HostContext } from './host-context.js';

/** Devices on top of each other that are followed at most. */
const MAX_DEPTH = 8;

/**
 * Tags, outermost first, with which frames for `holder` pass `trunk`: `[100]` for eth0.100 on eth0, `[]` for eth0 itself, and so on
 * through bridges that leave tags alone. Null where `holder` does not sit on `trunk`, or a bridge on the way keeps VLANs.
 */
export function tagsBetween(context: HostContext, trunk: Device, holder: Device, depth = 0): number[] | null {
  if (holder === trunk) return [];
  if (depth > MAX_DEPTH) return null;
  if (holder.kind === 'vlan' && holder.vlan && holder.parent) {
    const below = tagsBetween(context, trunk, holder.parent, depth + 1);
    return below && [...below, holder.vlan.id];
  }
  if (holder.kind === 'bridge') {
    if (holder.vlanFiltering === true) return null;
    for (const port of context.portsOf(holder)) {
      const below = port === trunk || port.kind === 'vlan' ? tagsBetween(context, trunk, port, depth + 1) : null;
      if (below) return below;
    }
    return null;
  }
  if (holder.parent) return tagsBetween(context, trunk, holder.parent, depth + 1);
  const bridge = holder.peer?.masterKind === 'bridge' ? holder.peer.master : null;
  return bridge ? tagsBetween(context, trunk, bridge, depth + 1) : null;
}

/** Whether nothing on the device takes untagged frames: no address but link-local ones, no bridge, no macvlan, only VLANs. */
export function isTrunkOnly(context: HostContext, device: Device): boolean {
  const children = context.childrenOf(device);
  return (
    children.some(({ kind }) => kind === 'vlan') &&
    children.every(({ kind }) => kind === 'vlan') &&
    device.master === null &&
    isWithoutAddress(device)
  );
}

/** The VLAN device with this id that sits directly on `trunk`. */
export function vlanOn(context: HostContext, trunk: Device, id: number): Device | null {
  return context.childrenOf(trunk).find(({ vlan }) => vlan?.id === id) ?? null;
}

/** A port of a switch that is not set up for a VLAN as the machine at its other end is. */
export interface WrongPort {
  readonly vlan: number;
  /** Where the sender was learned, in `vlan`. */
  readonly entry: Device;
  readonly port: Device;
  /** `missing`: the port does not carry the VLAN. `untagged`: it does, without the tag. */
  readonly how: 'missing' | 'untagged';
  /** What takes the VLAN, with its tag, at the other end of the port's cable. */
  readonly device: Device;
}

/**
 * The first port, of a bridge that keeps VLANs and has learned this sender, which denies a machine the sender's VLAN: the
 * machine has a device for the tag, and the port does not send it. Only towards `target`, if it is known where that is.
 */
export function wrongPort(context: HostContext, hi: number, lo: number, target: Device | null): WrongPort | null {
  const mac = macKey(hi, lo);
  for (const entry of context.devices) {
    const vlan = entry.learnedVlans.get(mac);
    if (vlan === undefined || !entry.portVlans?.has(vlan) || entry.master?.vlanFiltering !== true) continue;
    for (const port of context.portsOf(entry.master)) {
      const device = port.peer && vlanOn(context, port.peer, vlan);
      if (port === entry || !port.peer || !device?.up || !port.portVlans) continue;
      if (target && !tagsBetween(context, port.peer, target)) continue;
      const carried = port.portVlans.get(vlan);
      if (!carried) return { vlan, entry, port, how: 'missing', device };
      if (carried.untagged && isTrunkOnly(context, port.peer)) return { vlan, entry, port, how: 'untagged', device };
    }
  }
  return null;
}

/** The VLAN in which a machine of the context has learned this sender behind a bridge of its own, null where none did. */
export function vlanOfSender(context: HostContext, hi: number, lo: number): { vlan: number; where: Device } | null {
  const mac = macKey(hi, lo);
  for (const port of context.devices) {
    if (!port.learned.has(mac) || port.kind === 'vlan' || !port.master || port.master.vlanFiltering === true) continue;
    for (const other of context.portsOf(port.master)) {
      if (other.vlan) return { vlan: other.vlan.id, where: port };
    }
  }
  return null;
}

/** A port that sends one VLAN without tag and takes untagged frames into another. Null where the context shows none. */
export function splitPort(context: HostContext, sends: number, takes: number): Device | null {
  return (
    context.devices.find(
      ({ portVlans }) => portVlans?.get(sends)?.untagged && !portVlans.get(sends)?.pvid && portVlans.get(takes)?.pvid,
    ) ?? null
  );
}

/** The VLAN devices on top of each other that end in `device`, outermost tag first; empty for a device that is none. */
export function stackOf(device: Device): Vlan[] {
  const stack: Vlan[] = [];
  for (let each: Device | null = device; each?.vlan && stack.length < MAX_DEPTH; each = each.parent)
    stack.unshift(each.vlan);
  return stack;
}

/** The VLAN device that takes these tags, outermost first, on `trunk`; null where there is none for all of them. */
export function deviceFor(context: HostContext, trunk: Device, vlans: readonly number[]): Device | null {
  let device: Device | null = trunk;
  for (const id of vlans) device = device && vlanOn(context, device, id);
  return device;
}
