import type { Device } from '../../../network/context/device.js';
import { type AddressMatch, contains } from '../../../network/context/firewall-match.js';
import type { HostContext } from '../../../network/context/host-context.js';
import type { Network } from '../../../network/network.js';

/** What the host context shows of a client that asks for itself by a published address. */
export interface ItselfAt {
  /** Bridge port of the one device that has its address. */
  readonly port: Device | null;
  /** Without such a port, the router's end of its cable. */
  readonly routed: Device | null;
}

export function placeOfClient(context: HostContext | null, client: number): ItselfAt {
  const devices = context?.devicesByIp(Int32Array.of(client)) ?? [];
  const [device] = devices;
  if (devices.length !== 1) return { port: null, routed: null };
  const port = context?.switchPort(device) ?? null;
  const { peer } = device;
  const isRouter = peer !== null && !peer.master && peer.namespace !== device.namespace;
  return { port, routed: !port && isRouter ? peer : null };
}

/** A device with the address; null where the context shows none, or more than one machine with it. */
export function holderOf(context: HostContext | null, address: number): Device | null {
  const devices = address === 0 ? [] : (context?.devicesByIp(Int32Array.of(address)) ?? []);
  return devices.every(({ namespace }) => namespace === devices[0].namespace) ? (devices[0] ?? null) : null;
}

/** The machine of a device is known to have no source NAT for a client that reaches itself. */
export function lacksMasquerade({ context }: Network, device: Device | null, client: number): boolean {
  const covers = (match: AddressMatch | null) =>
    match === null || !match.whole || match.prefixes.some((each) => contains(each, [client])) !== match.negated;
  const firewall = firewallOf(context, device);
  return firewall !== null && !firewall.sourceNat.some((each) => covers(each.source) && covers(each.destination));
}

/** It has a rule for this very client as source and destination. */
export function hasMasquerade({ context }: Network, device: Device | null, client: number): boolean {
  const isIt = (match: AddressMatch | null) =>
    match?.whole === true &&
    !match.negated &&
    match.prefixes.every((each) => each.length === 32 && contains(each, [client]));
  return firewallOf(context, device)?.sourceNat.some((each) => isIt(each.source) && isIt(each.destination)) ?? false;
}

function firewallOf(context: HostContext | null, device: Device | null) {
  return (device && context?.namespaces.get(device.namespace)?.firewall) ?? null;
}
