import type { Device } from './device.js';
import type { HostContext } from './host-context.js';

/** Where a host hangs on a switch that keeps VLANs apart: the port, and whether it speaks with a tag there. */
export interface Access {
  readonly port: Device;
  /** Of the device that the host has its address on; null: it speaks without a tag. */
  readonly tag: number | null;
}

/** The port of a filtering bridge at the other end of the cable of a device, or of what a VLAN device is made on. */
export function accessOf(context: HostContext, device: Device): Access | null {
  const port = context.switchPort(device);
  if (!port?.portVlans || port.master?.vlanFiltering !== true) return null;
  if (!device.vlan) return { port, tag: null };
  // An outer tag, or one that this bridge takes for data.
  if (device.parent?.vlan || isData(device, port)) return null;
  return { port, tag: device.vlan.id };
}

/** A port of a filtering bridge that takes the tag of the VLAN device behind it for data. */
export interface OtherTag {
  readonly port: Device;
  /** Tag that the bridge knows. */
  readonly protocol: string;
}

/** Where a VLAN device with another tag protocol than the bridge's hangs on the bridge; null where both agree or are not known. */
export function otherTagOf(context: HostContext, device: Device): OtherTag | null {
  const port = context.switchPort(device);
  const protocol = port?.master?.vlanProtocol;
  if (!port || !protocol || port.master?.vlanFiltering !== true || device.parent?.vlan) return null;
  return device.vlan?.protocol && isData(device, port) ? { port, protocol } : null;
}

/** Whether a bridge does not know the tag of a VLAN device. Bridges know 802.1Q unless told otherwise. */
function isData({ vlan }: Device, { master }: Device): boolean {
  return !!vlan?.protocol && vlan.protocol !== (master?.vlanProtocol ?? '802.1Q');
}

/** The VLAN that what a host sends is put into, null if it is dropped. */
export function vlanFrom({ port, tag }: Access): number | null {
  for (const [id, { pvid }] of port.portVlans ?? []) if (tag === null ? pvid : id === tag) return id;
  return null;
}

/** Whether a host gets frames of a VLAN, on the device that has its address. */
export function takes({ port, tag }: Access, vlan: number): boolean {
  const carried = port.portVlans?.get(vlan);
  if (!carried) return false;
  return tag === null ? carried.untagged : tag === vlan && !carried.untagged;
}
