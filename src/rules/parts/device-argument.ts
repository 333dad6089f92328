import { parseIp } from '../../network/context/address.js';
import type { Device } from '../../network/context/device.js';
import type { HostContext } from '../../network/context/host-context.js';
import type { Network } from '../../network/network.js';
import { printable } from '../../wire/printable.js';
import { inNamespace } from './question.js';

/** Of a line of `ip -br`, such as `eth0@if5 UP 10.0.0.1/24`, the device; only of the first. */
const FIRST_NAME = "sed 's/[@ ].*//;q'";

/**
 * The device of a host in a command that is run there: its name where the host context has it, else a substitution
 * that finds the device that holds an address, so that the command can be pasted all the same.
 */
export function deviceHolding(device: Device | null, address: string): string {
  return device ? printable(device.name) : `"$(ip -br addr show to ${address} | ${FIRST_NAME})"`;
}

/** As `deviceHolding`, by the MAC of the device. */
export function deviceWith(device: Device | null, mac: string): string {
  return device ? printable(device.name) : `"$(ip -br link | grep -i ${mac} | ${FIRST_NAME})"`;
}

/** The one device that the host context shows with an address, null if it shows none or several. */
export function onlyOf(devices: readonly Device[] | undefined): Device | null {
  return devices?.length === 1 ? devices[0] : null;
}

/** A device in the names of settings, in which a dot is a slash (sysctl(8)). */
export function settingsName(device: string): string {
  return device.startsWith('"') ? device : device.replaceAll('.', '/');
}

/** A command for a host of which the host context shows the namespace alone. */
export function atNamespace(namespace: string, command: string): string {
  return inNamespace({ namespace }, command);
}

/** A command for a host: in the namespace of its device where the host context knows it. */
export function at(device: Device | null, command: string): string {
  return device ? inNamespace(device, command) : command;
}

/** A command for the host that has an address, given as text: in its namespace where the host context shows it. */
export function onHost({ context }: Network, address: string, command: string): string {
  return at(holderOf(context, address), command);
}

function holderOf(context: HostContext | null, address: string): Device | null {
  const parsed = parseIp(address);
  return onlyOf(parsed ? context?.devicesByIp(parsed.words) : undefined);
}

/** Gives the device of a host that has an address another MTU: on that host where the host context shows it. */
export function setMtu({ context }: Network, address: string, mtu: number | string): string {
  const device = holderOf(context, address);
  return at(device, `ip link set ${deviceHolding(device, address)} mtu ${mtu}`);
}
