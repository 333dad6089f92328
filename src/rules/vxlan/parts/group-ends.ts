import { type Ip, isWithin } from '../../../network/context/address.js';
import type { Device } from '../../../network/context/device.js';
import type { HostContext } from '../../../network/context/host-context.js';
import { endpointBeside } from './flood-list-gap.js';
import { outerAddressTowards, underlayOf } from './peers.js';

/** Two VXLAN devices of one VNI and port on different machines; the near one floods to a multicast group. */
export interface GroupEnds {
  readonly near: Device;
  readonly far: Device;
  readonly vni: number;
  readonly port: number;
  readonly group: Ip;
  /** The device by which the group leaves the near machine. */
  readonly output: Device;
  /** Addresses of the two ends, as text. */
  readonly from: string;
  readonly to: string;
}

/**
 * The ends between who asks and who has the address asked for, where the near one floods to a multicast group and not to the far one by
 * itself; null where that is not so, or the host context does not tell.
 */
export function groupEnds(context: HostContext, asker: Device, target: Device): GroupEnds | null {
  const near = endpointBeside(context, asker);
  const far = endpointBeside(context, target);
  if (!near?.vxlan?.group || !far?.vxlan || !near.up || near.vxlan.proxy) return null;
  const { id: vni, port, group, link } = near.vxlan;
  const isSame = vni === far.vxlan.id && port !== null && port === far.vxlan.port;
  const output = link === null ? undefined : context.namespaces.get(near.namespace)?.devices.get(link);
  const [here, there] = [underlayOf(context, near), underlayOf(context, far)];
  if (!isSame || !output || here === null || there === null || here === there) return null;
  const from = outerAddressTowards(context, near, group.words);
  const words = output.addresses.find(({ text }) => text === from)?.words ?? near.vxlan.local?.words;
  const to = words && outerAddressTowards(context, far, words);
  if (!from || !to || near.endpoints?.some(({ mac, dst }) => mac === 0 && dst.text === to)) return null;
  return { near, far, vni, port, group, output, from, to };
}

/** The device of a VXLAN device's machine that carries it by name (`dev`). */
export function carrierOf(context: HostContext, { namespace, vxlan }: Device): Device | null {
  return (vxlan?.link != null && context.namespaces.get(namespace)?.devices.get(vxlan.link)) || null;
}

/**
 * Whether what is sent to the group comes in at a machine because something else there joined it: another VXLAN device, or an address with
 * `autojoin`. A socket gets what any other of its machine joined, unless it asks not to (ip(7): IP_MULTICAST_ALL).
 */
export function isJoinedBeside(context: HostContext, far: Device, group: Ip): boolean {
  const home = underlayOf(context, far);
  const isThere = (device: Device) => underlayOf(context, device) === home;
  return (
    context.devicesByIp(group.words).some(isThere) ||
    context.devices.some(
      (device) => device !== far && device.up && device.vxlan?.group?.text === group.text && isThere(device),
    )
  );
}

/** Whether two devices have addresses of a family in one network, those of the link alone left out. */
export function sharesNetwork(one: Device, other: Device, family: 4 | 6): boolean {
  const held = (device: Device) =>
    device.addresses.filter((each) => each.family === family && !each.text.startsWith('fe80:'));
  const theirs = held(other);
  return held(one).some(({ words, prefixLength }) =>
    theirs.some((each) => each.prefixLength === prefixLength && isWithin(each.words, words, prefixLength)),
  );
}
