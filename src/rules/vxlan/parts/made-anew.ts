import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { deviceName, onEndpoint, vxlanDevices } from './tunnel.js';

/** Entries of a flood list that are made again: more are the work of a program. */
const MAX_FLOODED = 8;
const EVERYBODY = '00:00:00:00:00:00';

/**
 * Commands that make an endpoint's VXLAN device again with other settings, and put it where the old one was: with the device go
 * its place in a bridge, its addresses and its flood list. `remote` is the one that the settings name.
 */
export function madeAnew(network: Network, endpoint: number, settings: string, vni?: number, remote = ''): string[] {
  const name = deviceName(network, endpoint, vni);
  const devices = vxlanDevices(network, endpoint, vni);
  const device = devices.length === 1 ? devices[0] : null;
  const flooded = new Set((device?.endpoints ?? []).filter(({ mac }) => mac === 0).map(({ dst }) => dst.text));
  flooded.delete(remote);
  return [
    `ip link del ${name}`,
    `ip link add ${name} type vxlan ${settings}${device?.vxlan?.learning === false ? ' nolearning' : ''}`,
    ...[...flooded].slice(0, MAX_FLOODED).map((dst) => `bridge fdb append ${EVERYBODY} dev ${name} dst ${dst}`),
    ...(device?.master ? [`ip link set ${name} master ${printable(device.master.name)}`] : []),
    ...(device?.addresses ?? [])
      .filter(({ text }) => !text.startsWith('fe80:'))
      .map(({ text, prefixLength }) => `ip addr add ${text}/${prefixLength} dev ${name}`),
    `ip link set ${name} up`,
  ].map((command) => onEndpoint(network, endpoint, command));
}
