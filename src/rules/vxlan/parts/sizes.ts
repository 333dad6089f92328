import type { Device } from '../../../network/context/device.js';
import type { Network } from '../../../network/network.js';
import { inNamespace } from '../../parts/question.js';
import { deviceName, isGroup, onEndpoint, tunnelsOf, underlayName, vxlanDevices } from './tunnel.js';

/** Devices that commands name at most. */
const MAX_DEVICES = 16;

/** Endpoints (rows of `addresses`) of a VNI in a capture. */
export function endpointsOf(network: Network, capture: number, vni: number): number[] {
  const { tunnels } = network;
  const rows = tunnelsOf(network, capture).filter((row) => tunnels.vni(row) === vni);
  const ends = rows.flatMap((row) => [tunnels.source(row), tunnels.destination(row)]);
  return [...new Set(ends)].filter((each) => !isGroup(network, each)).slice(0, MAX_DEVICES);
}

/** Commands that make packets inside smaller: on the VXLAN devices, and in the guests behind their bridges, which make them. */
export function smallerInside(network: Network, endpoints: readonly number[], vni: number, mtu: number): string[] {
  const guests: Device[] = [];
  const commands = endpoints.map((endpoint) => {
    const devices = vxlanDevices(network, endpoint, vni);
    if (devices.length === 1) guests.push(...guestsOf(network, devices[0]));
    return onEndpoint(network, endpoint, `ip link set ${deviceName(network, endpoint, vni)} mtu ${mtu}`);
  });
  const isWhole = endpoints.every((endpoint) => vxlanDevices(network, endpoint, vni).length === 1);
  return [
    ...commands,
    ...guests.slice(0, MAX_DEVICES).map((guest) => inNamespace(guest, `ip link set ${guest.name} mtu ${mtu}`)),
    ...(isWhole ? [] : [`ip link set <device of a guest> mtu ${mtu}`]),
  ];
}

/** Commands for the devices below that carry larger packets then, as far as they are known: an endpoint's own, and the port that it hangs on. */
export function largerBelow(network: Network, endpoints: readonly number[], mtu: number): string[] {
  const { context, addresses } = network;
  return endpoints.flatMap((endpoint) => {
    const devices = context?.devicesByIp(addresses.words(endpoint)) ?? [];
    const port = devices.length === 1 ? context?.switchPort(devices[0]) : null;
    return [
      onEndpoint(network, endpoint, `ip link set ${underlayName(network, endpoint)} mtu ${mtu}`),
      ...(port ? [inNamespace(port, `ip link set ${port.name} mtu ${mtu}`)] : []),
    ];
  });
}

/** The far ends of the cables to the bridge of a VXLAN device, which holds no address itself then. */
function guestsOf({ context }: Network, { master }: Device): Device[] {
  const ports = master && context ? context.portsOf(master) : [];
  return ports.map(({ peer }) => peer).filter((peer) => peer !== null);
}
