import { type Device, sharesMac } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { formatMac } from '../../../wire/address.js';
import { settingsName } from '../../parts/device-argument.js';
import { inNamespace } from '../../parts/question.js';

/** Commands that give a device another MAC than one that ends in `lo`, and have it tell its neighbours at once. */
export function withAnotherMac(device: Device, lo: number): string[] {
  return [...announcing(device), inNamespace(device, `ip link set dev ${device.name} address ${anotherMac(lo)}`)];
}

/** As `withAnotherMac`, for one of the machines with a MAC: one that the host context shows, else for whichever it is. */
export function giveAnother(network: Network, hi: number, lo: number): string[] {
  const device = carrierOf(network, hi, lo);
  return device ? withAnotherMac(device, lo) : [`ip link set dev <device> address ${anotherMac(lo)}`];
}

/** The device of the host context that a MAC belongs to, one of them if several machines have it; null where one machine has several such. */
export function carrierOf({ context }: Network, hi: number, lo: number): Device | null {
  // A bridge or bond has the MAC of a port of its own, and ipvlan children that of their parent.
  const carriers = (context?.devicesByMac(hi, lo) ?? []).filter((each) => each.master === null && !sharesMac(each));
  const machines = new Set(carriers.map(({ namespace }) => namespace));
  return machines.size === carriers.length ? (carriers.at(-1) ?? null) : null;
}

/** Settings that have the kernel announce another MAC of a device: else neighbours send to the old one until their entries are old. */
function announcing(device: Device): string[] {
  const has = (family: 4 | 6) => device.addresses.some((each) => each.family === family);
  const name = settingsName(device.name);
  return [
    ...(has(4) ? [`sysctl -w net.ipv4.conf.${name}.arp_notify=1`] : []),
    ...(has(6) ? [`sysctl -w net.ipv6.conf.${name}.ndisc_notify=1`] : []),
  ].map((command) => inNamespace(device, command));
}

/** A locally administered address that ends as the doubled one does. */
function anotherMac(lo: number): string {
  return formatMac(0x0200, (lo ^ 0x5a000000) | 0);
}
