import { formatMacKey } from '../../../network/context/address.js';
import type { Device, VxlanEntry } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Network } from '../../../network/network.js';
import { printable } from '../../../wire/printable.js';
import { addressesAgain, routesAgain } from '../../parts/made-again.js';
import { inNamespace } from '../../parts/question.js';
import { deviceName, onEndpoint, vxlanDevices } from './tunnel.js';

/** Entries of a forwarding table that are made again: more are the work of a program. */
const MAX_ENTRIES = 8;

/**
 * Commands that make an endpoint's VXLAN device again with other settings, and put it where the old one was: with the device go
 * its MAC, which others remember, its MTU, its place in a bridge, its addresses and routes, and its flood list. `remote` is the
 * one that the settings name.
 */
export function madeAnew(network: Network, endpoint: number, settings: string, vni?: number, remote = ''): string[] {
  const devices = vxlanDevices(network, endpoint, vni);
  const device = devices.length === 1 ? devices[0] : null;
  if (device && network.context) return deviceMadeAnew(network.context, device, settings, remote);
  const name = deviceName(network, endpoint, vni);
  return [`ip link del ${name}`, `ip link add ${name} type vxlan ${settings}`, `ip link set ${name} up`].map(
    (command) => onEndpoint(network, endpoint, command),
  );
}

/** As `madeAnew`, of a device of the host context. */
export function deviceMadeAnew(context: HostContext, device: Device, settings: string, remote = ''): string[] {
  const { name, master } = device;
  return [
    ...[
      `ip link del ${name}`,
      `ip link add ${name}${kept(device)} type vxlan ${settings}${options(device, settings)}`,
      ...entriesOf(device, remote).map(({ mac, dst }) => {
        const how = mac === 0 ? 'append' : 'replace';
        return `bridge fdb ${how} ${formatMacKey(mac)} dev ${name} dst ${dst.text}`;
      }),
      ...neighboursOf(context, device),
      ...(master ? [`ip link set ${name} master ${printable(master.name)}`] : []),
    ].map((command) => inNamespace(device, command)),
    ...addressesAgain(device),
    inNamespace(device, `ip link set ${name} up`),
    ...routesAgain(context, device),
  ];
}

/** What a new device would have other than the old one. */
function kept({ mac, mtu }: Device): string {
  return `${mac ? ` address ${mac.text}` : ''}${mtu === null ? '' : ` mtu ${mtu}`}`;
}

function options({ vxlan }: Device, settings: string): string {
  if (!vxlan) return '';
  const { link, learning, proxy, gbp, gpe } = vxlan;
  const below = link === null || / dev /.test(settings) ? '' : ` dev ${printable(link)}`;
  return `${below}${learning === false ? ' nolearning' : ''}${proxy ? ' proxy' : ''}${gbp ? ' gbp' : ''}${gpe ? ' gpe' : ''}`;
}

/** Those that it was told: a device that answers ARP itself, or one of an overlay that asks nobody (flannel). */
function neighboursOf(context: HostContext, { namespace, name }: Device): string[] {
  return (context.namespaces.get(namespace)?.neighbours ?? [])
    .filter(({ dev, lladdr, state }) => dev === name && lladdr !== null && state.includes('PERMANENT'))
    .slice(0, MAX_ENTRIES)
    .map(({ dst, lladdr }) => `ip neigh replace ${dst.text} lladdr ${lladdr?.text} dev ${name} nud permanent`);
}

/** The flood list without what the old and new settings put into it, and where nothing is learned the entries for single stations too. */
function entriesOf({ endpoints, vxlan }: Device, remote: string): VxlanEntry[] {
  const seen = new Set<string>();
  const entries = (endpoints ?? []).filter(({ mac, dst }) => {
    const isDefault = dst.text === remote || dst.text === vxlan?.group?.text;
    if (mac === 0 ? isDefault : vxlan?.learning !== false) return false;
    const key = `${mac} ${dst.text}`;
    return !seen.has(key) && seen.add(key);
  });
  return entries.slice(0, MAX_ENTRIES);
}
