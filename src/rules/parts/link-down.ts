import type { Device } from '../../network/context/device.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import type { Remedy } from '../rule.js';
import { inNamespace, label } from './question.js';

/** What cuts a device off, as the host context shows it: that it is down, or what it hangs on. Null if nothing does. */
export function downAt(device: Device | null): Device | null {
  if (!device) return null;
  const { parent, peer } = device;
  return [device, parent, peer, peer?.master ?? null, parent?.peer ?? null].find((each) => each?.up === false) ?? null;
}

/** The same of whoever holds an address (row of `Addresses`) in the host context. */
export function downHolder({ context, addresses }: Network, address: number): Device | null {
  const holders = context?.devicesByIp(addresses.words(address)) ?? [];
  return holders.length === 1 ? downAt(holders[0]) : null;
}

/** Sets the device up that cuts another off; nothing if none does. */
export function setUp(down: Device | null): Remedy[] {
  if (!down) return [];
  return [
    {
      text: `Set ${label(down)} up; see before who set it down, and why`,
      commands: [inNamespace(down, `ip link set ${printable(down.name)} up`)],
    },
  ];
}
