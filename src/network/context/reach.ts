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
