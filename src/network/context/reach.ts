import { type Device, isStacked } from './device.js';
import type { HostContext } from './host-context.js';

/** Devices that one search visits at most. */
const MAX_DEVICES = 4096;

/** Devices to which a broadcast of a device gets by bridges and virtual cables. */
export function reach(context: HostContext, start: Device): Set<Device> {
  const found = new Set<Device>();
  const pending = [start];
  for (let device = pending.pop(); device && found.size < MAX_DEVICES; device = pending.pop()) {
    if (found.has(device)) continue;
    found.add(device);
    for (const next of [
      device.peer,
      device.masterKind === 'bridge' ? device.master : null,
      isStacked(device) ? device.parent : null,
    ])
      if (next) pending.push(next);
    if (device.kind === 'bridge') pending.push(...context.portsOf(device));
  }
  return found;
}

/** Devices to which a broadcast of a device gets by bridges, virtual cables and VXLAN. */
export function reachThroughTunnels(context: HostContext, start: Device): Set<Device> {
  const found = reach(context, start);
  // What is added is visited too.
  for (const { vxlan } of found) {
    if (!vxlan) continue;
    for (const other of context.devices) {
      const isPeer = other.up && other.vxlan?.id === vxlan.id && other.vxlan.port === vxlan.port;
      if (isPeer && !found.has(other)) for (const each of reach(context, other)) found.add(each);
    }
  }
  return found;
}
