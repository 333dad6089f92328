import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { inNamespace, label } from '../../parts/question.js';
import type { Remedy } from '../../rule.js';

/**
 * The VXLAN device of an endpoint whose packets each bring their VNI and their endpoints, if it has one: it is not made again with
 * other settings, for it has none.
 */
export function externalAt({ context, addresses }: Network, endpoint: number): Device | null {
  if (!context) return null;
  const names = new Set(context.devicesByIp(addresses.words(endpoint)).map(({ namespace }) => namespace));
  return (
    context.devices.find(({ kind, external, namespace }) => kind === 'vxlan' && external && names.has(namespace)) ??
    null
  );
}

/** What gives such a device its VNIs, and where to set `vni` right; `right` is the one that the other end uses. */
export function externalVni(device: Device, vni: number, right: number): Remedy[] {
  const name = label(device);
  if (device.masterKind !== 'openvswitch')
    return [
      {
        text: `${name} has no VNI of its own: see which routes (or which program) give its packets VNI ${vni}`,
        commands: [inNamespace(device, 'ip route show table all | grep encap')],
      },
    ];
  const hex = [vni, right].map((each) => `0x${each.toString(16)}`).join('|');
  return [
    {
      text: `${name} belongs to Open vSwitch and has no VNI of its own: see whether its ports or flows give VNI ${vni} (0x${vni.toString(16)}) where it should be ${right} (0x${right.toString(16)}), and set that right`,
      commands: [
        'ovs-vsctl --columns=name,options find interface type=vxlan',
        `ovs-vsctl list-br | xargs -n1 ovs-ofctl dump-flows | grep -wE '${hex}'`,
      ].map((command) => inNamespace(device, command)),
    },
  ];
}
