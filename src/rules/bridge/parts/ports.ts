import { macKey } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { Claim } from '../../../network/neighbors/bindings.js';
import type { Network } from '../../../network/network.js';
import type { Question } from '../../parts/question.js';

/** Macvlan on VLAN on … on veth: no stack of devices is deeper. */
const MAX_DEPTH = 8;

/** The ports of one bridge behind which asker and target sit, as the host context shows them. */
export interface Ports {
  readonly asker: Device;
  readonly target: Device;
}

/** Null where the context shows neither cables nor what their bridge learned, or they are behind the same port or two bridges. */
export function portsBetween(network: Network, question: Question): Ports | null {
  const { context, resolutions } = network;
  if (!context) return null;
  const { row } = question;
  const asker = question.asker
    ? portOf(context, question.asker)
    : context.guestPort(macKey(resolutions.hi(row), resolutions.lo(row)));
  if (!asker?.master) return null;
  const target = question.target
    ? portOf(context, question.target)
    : portTowards(network, asker.master, resolutions.tpa(row));
  if (!target || asker === target || asker.master !== target.master) return null;
  return { asker, target };
}

/** The tap of a guest that the capture shows to have an address; null where no guest has it, or several have. */
export function guestPortOf({ context, bindings }: Network, address: number): Device | null {
  let found: Device | null = null;
  for (const row of bindings.ofAddress(address)) {
    if ((bindings.claims(row) & Claim.Own) === 0) continue;
    const port = context?.guestPort(macKey(bindings.hi(row), bindings.lo(row))) ?? null;
    if (found && port && port !== found) return null;
    found ??= port;
  }
  return found;
}

/** The port by which a bridge leads to an address: it learned there the MAC that neighbours, or the capture, know for it. */
export function portTowards(network: Network, bridge: Device, address: number): Device | null {
  const { context, bindings, addresses } = network;
  const keys = new Set(context?.lladdrsOf(addresses.words(address)));
  for (const row of bindings.ofAddress(address))
    if (bindings.claims(row) & Claim.Own) keys.add(macKey(bindings.hi(row), bindings.lo(row)));
  let found: Device | null = null;
  for (const port of context?.portsOf(bridge) ?? [])
    for (const key of keys) {
      if (!port.learned.has(key)) continue;
      if (found && found !== port) return null;
      found = port;
    }
  return found;
}

function portOf(context: HostContext, device: Device): Device | null {
  let lowest = device;
  for (let depth = 0; lowest.parent && depth < MAX_DEPTH; depth++) lowest = lowest.parent;
  return context.switchPort(lowest);
}
